"""Evaluations from files: a saved one, or the log of one, read without dealing or judging anything again.

Nothing in a file is trusted: it opens no path and imports nothing. A log's lines are taken as they stand, where their
checksums hold; to have them judged again, go on with the log (``evaluate(..., log=...)``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verienv.core.reading import MOST_LINE, read_lines
from verienv.core.shown import cut, shown, shown_path
from verienv.core.verdict import Metric, Verdict
from verienv.evaluation.lines import Line, episode_of, is_as_written
from verienv.evaluation.log import read_header, read_line
from verienv.evaluation.records import EpisodeRecord, Setup
from verienv.evaluation.report import Evaluation


class LogLine(BaseModel):
    """One line of a log: a response and its verdict, as ``lines.Seat.step`` writes it."""

    model_config = ConfigDict(extra="ignore")

    cell: str
    episode: Annotated[int, Field(ge=0, strict=True)]
    attempt: Annotated[int, Field(ge=1, strict=True)]
    instance: str
    cluster: str
    response: str
    verdict: Verdict
    success: Annotated[bool, Field(strict=True)]
    over: Annotated[bool, Field(strict=True)]
    outcomes: dict[str, Metric] = Field(default_factory=dict)


@dataclass(frozen=True)
class Played:
    """An episode of a log: its record, and the responses that it consists of."""

    record: EpisodeRecord
    responses: tuple[str, ...]


def read_evaluation(path: str | Path) -> Evaluation:
    """Read a saved evaluation (``Evaluation.save`` as JSON), or make one of a log; perhaps compressed.

    Raises:
        ValueError: if the file is neither, or damaged, or was changed.
        OSError: if it cannot be read.
    """
    try:
        setup, episodes = read_log(path)
    except NoLogError:
        return Evaluation.load(path)
    if not episodes:
        raise ValueError(f"{shown_path(path)} holds no finished episode")
    return Evaluation.of(setup, [played.record for played in episodes])


class NoLogError(ValueError):
    """A file does not begin as the log of an evaluation."""


def read_log(path: str | Path) -> tuple[Setup, list[Played]]:
    """Read the setup of a log, the newest, and its whole episodes, by cell and number.

    A last episode that is not over is left out, as the log may be under way.

    Raises:
        NoLogError: if the file does not begin with the header of a log.
        ValueError: if it is damaged, or was changed.
        OSError: if it cannot be read.
    """
    with Path(path).open("rb") as file:
        lines = _lines(path, read_lines(file, path))
        first = next(lines, None)
        if first is None or not isinstance(first[1], Setup):
            raise NoLogError(f"{shown_path(path)} is no log of an evaluation; give the FILE of evaluate --log FILE")
        setup, held = first[1], dict[tuple[str, int], Played]()
        under_way: list[Line] = []
        for number, line in lines:
            try:
                if isinstance(line, Setup):
                    if under_way or (differences := setup.differences(line)):
                        raise ValueError("a setup within an episode" if under_way else "; ".join(differences))
                    setup = line
                    continue
                _check_place(line, under_way, held)
                under_way.append(line)
                if line["over"]:
                    held[line["cell"], line["episode"]] = _played(under_way, setup)
                    under_way = []
            except ValueError as error:
                raise ValueError(f"{shown_path(path)}, line {number}: {cut(error, 300)}") from None
    order = {cell: place for place, cell in enumerate(setup.cells)}
    keys = sorted((key for key in held), key=lambda key: (order[key[0]], key[1]))
    return setup, [held[key] for key in _alike(path, keys, held)]


def _lines(path: str | Path, texts: Iterator[bytes]) -> Iterator[tuple[int, Setup | Line]]:
    """Yield headers and lines with their numbers; a last line that was cut off is left out."""
    is_log = False
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            if len(text) > MOST_LINE:
                raise ValueError(f"longer than {MOST_LINE // 2**20} MB")
            line = read_line(text)
            if isinstance(line, dict) and "setup" in line:
                found: Setup | Line = read_header(line)
                is_log = True
            elif is_log:
                found = _checked(line)
            else:
                raise ValueError("no header")
        except (ValueError, RecursionError) as error:
            if not is_log:
                raise NoLogError(f"{shown_path(path)} is no log of an evaluation (line {number}: {error})") from None
            if not text.endswith(b"\n"):
                return
            raise ValueError(f"{shown_path(path)}, line {number}: {cut(error, 300)}") from None
        yield number, found


def _checked(line: Any) -> Line:
    """Return a line of the right form. Raises ValueError, in one line, for another."""
    if not isinstance(line, dict):
        raise ValueError("expected a JSON object")
    if not is_as_written(line):
        raise ValueError("it was changed; take its crc32 out if that is meant")
    try:
        return LogLine.model_validate(line).model_dump()
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise ValueError(f"{shown('.'.join(map(str, fault['loc'])))}: {fault['msg']}") from None


def _check_place(line: Line, under_way: list[Line], held: dict[tuple[str, int], Played]) -> None:
    """Raise ValueError where a line of another episode, or another attempt, is due."""
    where = line["cell"], line["episode"]
    if where in held:
        raise ValueError(f"episode {where[1]} of {shown(where[0])} is told a second time")
    if under_way and where != (under_way[0]["cell"], under_way[0]["episode"]):
        raise ValueError("another episode, where the one before it is not over")
    if line["attempt"] != len(under_way) + 1:
        raise ValueError(f"attempt is {line['attempt']}, where {len(under_way) + 1} is due")


def _played(lines: list[Line], setup: Setup) -> Played:
    """Return the episode of these lines. Raises ValueError for one that the setup does not hold."""
    cell, episode = lines[-1]["cell"], lines[-1]["episode"]
    if cell not in setup.cells or episode >= setup.count(cell):
        raise ValueError(f"episode {episode} of {shown(cell)} is none of the setup's")
    try:
        record = episode_of(lines, setup.ratios)
    except (KeyError, TypeError, ZeroDivisionError, ValidationError) as error:
        raise ValueError(f"its metrics are not those of an episode ({cut(repr(error), 100)})") from None
    return Played(record, tuple(line["response"] for line in lines))


def _alike(path: str | Path, keys: list[tuple[str, int]], held: dict[tuple[str, int], Played]) -> list[tuple[str, int]]:
    """Return the keys. Raises ValueError if an episode has other metrics than the first of its cell."""
    first: dict[str, EpisodeRecord] = {}
    for key in keys:
        record = held[key].record
        known = first.setdefault(key[0], record)
        if (record.metrics.keys(), record.counts.keys()) != (known.metrics.keys(), known.counts.keys()):
            raise ValueError(f"{shown_path(path)}: episode {key[1]} of {shown(key[0])} has other metrics than others")
    return keys
