"""Playing in a browser: the options of ``verienv play --window``, and the session that they mean."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from verienv.cli.common import demand_pages
from verienv.cli.places import JSON_LINES, check_name, check_places

EPISODES = 20
PLAYER = "player"


def play_window(
    env_id: str,
    splits: str,
    seed: int | None,
    settings: Mapping[str, Any],
    opened: Mapping[str, str],
    *,
    episodes: int | None,
    player: str | None,
    log: Path | None,
    show_map: bool,
    port: int,
) -> None:
    """Serve a session until it is interrupted.

    Args:
        env_id: the environment.
        splits: names of splits, separated by commas.
        seed: the seed, 0 by default.
        settings: further settings.
        opened: the files that settings name, by the option that names each.
        episodes: the number in each split.
        player: the pseudonym.
        log: the file that answers go to; by default in the current folder, by the player's name and the environment's.
        show_map: whether the map is shown while an episode is played.
        port: on 127.0.0.1; 0 takes a free one.
    """
    from verienv.playing.app import serve_session
    from verienv.playing.session import Session, check_player

    demand_pages()
    name = PLAYER if player is None else player
    check_player(name, "--player ")
    path = log or Path(f"{name}-{env_id.rpartition('/')[2].removesuffix('-v0')}.jsonl".replace("/", "-"))
    check_name("--log", path, JSON_LINES)
    check_places(opened, {"--log": path})
    session = Session(
        env_id,
        [split for split in splits.split(",") if split],
        name,
        path,
        episodes=episodes or EPISODES,
        seed=seed or 0,
        with_map=show_map,
        **settings,
    )
    with closing(session):
        serve_session(
            session,
            port=port,
            ready=lambda url: print(f"{url}\nanswers go to {path}; Ctrl-C ends, the same command goes on", flush=True),
        )
