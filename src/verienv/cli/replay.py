"""Writing the replay of an episode: the expert's, or that of a file of responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from verienv.cli.common import note, reading
from verienv.cli.places import check_name
from verienv.core.dialogue import png
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.files import atomic_write
from verienv.core.reading import MOST_LINE
from verienv.core.shown import shown
from verienv.evaluation.dealing import cell_of, deal_logged
from verienv.evaluation.lines import is_as_written
from verienv.evaluation.log import read_header, read_line
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
    check_name("--replay", page, (".html", ".htm"))
    check_name("--sheet", sheet, (".png",))


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


@dataclass
class _Told:
    """A line with a response, where it stands, and what it is of: neighbours of one ``episode`` belong together."""

    number: int
    line: dict[str, Any]
    episode: tuple[str, ...]
    setup: Setup | None


def _episode(path: Path, instance: str | None) -> tuple[Setup | None, list[dict[str, Any]]]:
    """Return the lines of the first episode, or of ``instance``, with the setup if the file is an evaluation's log."""
    with reading(path) as lines:
        episodes, first = groupby(_read(path, lines), key=lambda told: told.episode), None
        for _, group in episodes:
            taken = list(group)
            first = first or taken[0]
            if instance in (None, taken[0].line.get("instance")):
                if taken[0].setup:
                    _check_attempts(path, taken, next(episodes, None) is None)
                return taken[0].setup, [told.line for told in taken]
    if not first:
        raise ValueError(f"{path} holds no response")
    about = "; its lines name none"
    if "instance" in first.line:
        about = f"; the first is of {shown(first.line['instance'])[1:-1]}"
    raise ValueError(f"{path} holds no response to {instance}{about}")


def _check_attempts(path: Path, taken: Sequence[_Told], is_last: bool) -> None:
    """Raise ValueError where lines of a log's episode are missing, doubled or among those of others."""
    for due, told in enumerate(taken, start=1):
        if not is_as_written(told.line):
            raise ValueError(f"{path}, line {told.number}: it was changed; take its crc32 out if that is meant")
        if told.line.get("attempt", due) != due:
            attempt = shown(told.line["attempt"])
            raise ValueError(f"{path}, line {told.number}: attempt is {attempt}, where {due} is due")
        if told.line.get("over") is True and told is not taken[-1]:
            raise ValueError(f"{path}, line {told.number}: the episode is over there, but goes on in the next line")
    if taken[-1].line.get("over") is False and not is_last:
        raise ValueError(f"{path}, line {taken[-1].number}: the episode is not over there, but ends")


def _read(path: Path, lines: Iterable[bytes]) -> Iterator[_Told]:
    """Yield the lines, each an object with a response; in a log there are headers among them, the first at line 1."""
    setup, is_first = None, True
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if len(text) > MOST_LINE:
            raise ValueError(f"{path}, line {number}: longer than {MOST_LINE // 2**20} MB")
        try:
            line = read_line(text)
            is_object = isinstance(line, dict)
            if is_object and "setup" in line and (is_first or setup):
                setup = read_header(line)
                continue
            is_first = False
            if not is_object or not isinstance(line.get("response"), str):
                raise ValueError('expected a JSON object with "response", a string')
            if not isinstance(line.get("instance", ""), str):
                raise ValueError(f"instance={shown(line['instance'])} is no string")
            episode = tuple(json.dumps(line.get(name)) for name in ("cell", "episode", "instance"))
        except (ValueError, RecursionError) as error:
            if setup and not text.endswith(b"\n"):  # a log that is being written, or was cut off
                return
            raise ValueError(f"{path}, line {number}: {error}") from None
        yield _Told(number, line, episode, setup)


def _as_evaluated(env: VerifiedEnv, setup: Setup, line: dict[str, Any], path: Path) -> tuple[Episode, VerifiedEnv]:
    """Begin the episode of a log's line as the evaluation dealt it; return it and the environment that deals it."""
    asked_for = env.spec.id if env.spec else ""
    if setup.env_id != asked_for:
        raise ValueError(f"{path} logs {shown(setup.env_id)[1:-1]}, not {asked_for}")
    cell, episode = line.get("cell"), line.get("episode")
    if not isinstance(cell, str) or cell not in setup.cells or type(episode) is not int or episode < 0:
        raise ValueError(f"{path}: cell={shown(cell)}, episode={shown(episode)} is no episode of its setup")
    dealing = cell_of(setup, cell, path, env)
    return deal_logged(dealing, setup, cell, episode, line.get("instance"), path), dealing.env
