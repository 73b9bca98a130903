"""Writing the replay of an episode: the expert's, or that of a file of responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from verienv.cli.common import note
from verienv.core.config import plain_settings
from verienv.core.dialogue import png
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.files import atomic_write
from verienv.core.shown import shown
from verienv.evaluation.cells import Cell
from verienv.evaluation.records import Setup
from verienv.replay import Respond, contact_sheet, expert, html_page, record, shown_settings


@dataclass
class Dealt:
    """An episode that has begun.

    Attributes:
        episode: the question is in play there.
        env: the environment that dealt it.
        respond: the player.
        by: the player in words.
        origin: where the episode comes from, in words.
        left: the responses of the file that were not given yet.
    """

    episode: Episode
    env: VerifiedEnv
    respond: Respond
    by: str
    origin: str
    left: list[str] | None = None


def check_replay(page: Path | None, sheet: Path | None) -> None:
    """Raise ValueError for a name that the replay cannot be written to."""
    for name, path, endings in (("--replay", page, (".html", ".htm")), ("--sheet", sheet, (".png",))):
        if path and path.suffix.lower() not in endings:
            raise ValueError(f"{name} {path}: give a name that ends in {endings[0]}")


def deal(env: VerifiedEnv, seed: int, instance: str | None = None, responses: Path | None = None) -> Dealt:
    """Deal the episode that is asked for.

    Args:
        env: an environment of the task, with the settings asked for.
        seed: the seed of the episode, used where neither ``instance`` nor ``responses`` choose one.
        instance: the id of the instance.
        responses: an evaluation's log, or other JSON lines with "response" and perhaps "instance". The first episode
            in it is taken, or the first of ``instance``. A log holds settings and seeds too: the episode is dealt as
            the evaluation dealt it, pictures included.

    Raises:
        ValueError: if the file holds no such episode, or one of another environment.
        OSError: if it cannot be read.
    """
    if responses is None:
        split = f"split {getattr(env.config, 'split', '')}"
        if instance is None:
            env.reset(seed=seed)
            return Dealt(env.episode, env, expert, "the expert", f"{split}, seed {seed}")
        env.reset(options={"instance": instance})
        return Dealt(env.episode, env, expert, "the expert", split)
    setup, lines = _episode(responses, instance)
    first, left = lines[0], [line["response"] for line in lines]
    by, origin = f"the responses in {responses.name}", f"of {responses.name}"
    if setup:
        episode, env = _as_evaluated(env, setup, first, responses)
        by, origin = setup.policy or by, f"episode {first['episode']} of {first['cell']} in {responses.name}"
    else:
        if "instance" in first:
            env.reset(options={"instance": first["instance"]})
        else:
            env.reset(seed=seed)
        episode = env.episode
    return Dealt(episode, env, lambda _: left.pop(0) if left else None, by, origin, left)


def save_replay(played: Dealt, page: Path | None, sheet: Path | None) -> None:
    """Play the episode to its end; write its page and its sheet, each of which appears when it is whole."""
    env, env_id = played.env, played.env.spec.id if played.env.spec else ""
    replay = record(played.episode, played.respond, by=played.by, env_id=env_id, settings=shown_settings(env))
    if played.left:
        note(f"{len(played.left)} more responses were not needed: the replay ends before them")
    if page:
        with atomic_write(page) as part:
            part.write_text(html_page(replay), encoding="utf-8")
    if sheet:
        with atomic_write(sheet) as part:
            part.write_bytes(png(contact_sheet(replay)))


def _episode(path: Path, instance: str | None) -> tuple[Setup | None, list[dict[str, Any]]]:
    """Return the setup if the file is an evaluation's log, and the lines of the first episode, or of ``instance``."""
    with path.open("rb") as file:
        lines = _read(path, file)
        first = next(lines, {})
        setup = None
        if "setup" in first:
            try:
                setup = Setup.model_validate(first["setup"])
            except ValidationError:
                raise ValueError(f"{path}, line 1: no header of an evaluation's log") from None
            first = next(lines, {})
        if not first:
            raise ValueError(f"{path} holds no response")
        known = [first["instance"]] if "instance" in first else []
        for _, episode in groupby(_before(first, lines), key=_which):
            taken = list(episode)
            if instance in (None, taken[0].get("instance")):
                return setup, taken
    about = f"; the first is of {known[0]}" if known else "; its lines name none"
    raise ValueError(f"{path} holds no response to {instance}{about}")


def _before(first: dict[str, Any], rest: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _which(line: dict[str, Any]) -> tuple[Any, ...]:
    """Return the key of an episode: neighbouring lines that share it are one episode."""
    return tuple(json.dumps(line.get(name)) for name in ("cell", "episode", "instance"))


def _read(path: Path, file: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines, each an object with a response; the first may be a log's header."""
    for number, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{path}, line {number}: no JSON") from None
        header = number == 1 and isinstance(line, dict) and "setup" in line
        if not header and not (isinstance(line, dict) and isinstance(line.get("response"), str)):
            raise ValueError(f'{path}, line {number}: expected a JSON object with "response", a string')
        if not isinstance(line.get("instance", ""), str):
            raise ValueError(f"{path}, line {number}: instance={line['instance']!r} is no string")
        yield line


def _check_paths(env: VerifiedEnv, settings: Mapping[str, Any], log: Path) -> None:
    """Raise ValueError if a log's settings open paths that the command line does not name too."""
    own = dict(env.spec.kwargs) if env.spec else {}
    for name in env.settings.paths(settings):
        if name not in own or plain_settings(env.config, {name: own[name]})[name] != settings[name]:
            raise ValueError(
                f"{log} opens a path of this machine ({name}={shown(settings[name])}); if you trust the log, give "
                f"the same with --setting {name}=..."
            )


def _as_evaluated(env: VerifiedEnv, setup: Setup, line: dict[str, Any], path: Path) -> tuple[Episode, VerifiedEnv]:
    """Begin the episode of a log's line as the evaluation dealt it; return it and the environment that deals it."""
    asked_for = env.spec.id if env.spec else ""
    if setup.env_id != asked_for:
        raise ValueError(f"{path} logs {setup.env_id}, not {asked_for}")
    cell, episode = line.get("cell"), line.get("episode")
    if not isinstance(cell, str) or cell not in setup.cells or type(episode) is not int or episode < 0:
        raise ValueError(f"{path}: cell={cell!r}, episode={episode!r} is no episode of its setup")
    _check_paths(env, setup.cells[cell], path)
    cells = Cell(setup.env_id, setup.cells[cell], setup.episodes, setup.seed)
    if episode >= len(cells):
        raise ValueError(f"{path}: cell={cell!r}, episode={episode!r} is no episode of its setup")
    dealt = cells.deal(episode)
    if dealt.question.instance != line.get("instance"):
        raise ValueError(f"{path} holds {line.get('instance')}, where this version deals {dealt.question.instance}")
    return dealt, cells.env
