"""The index of an evaluation's log: where each episode lies in the file, and the facts that a table shows of it.

A line as ``evaluate`` writes it is read by its fixed beginning, middle and end, in half the time that JSON takes; any
other spelling is read as JSON. In JSON a quotation mark within a text stands behind a backslash, so that a response
cannot hold what is searched for. All of a line is read when its episode is opened; its checksum is compared here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import fsum, isfinite
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from verienv.core.reading import MOST_LINE, naming, unpacked
from verienv.core.shown import cut, shown, shown_path
from verienv.evaluation.lines import is_as_written
from verienv.evaluation.log import read_header, read_line
from verienv.evaluation.records import Setup

MOST_FAULTS = 5
"""Faults of a log that are told one by one."""

FAILED, SOLVED, UNFINISHED = range(3)
"""States of an episode."""
UNKNOWN, READ, MISREAD = range(3)
"""Readings of the picture by the last attempt: not measured, right, wrong."""

_TRUTH = rb"(true|false)"
_BEGINNING = re.compile(
    rb'\{"cell": "([^"\\]*)", "episode": (\d{1,10}), "attempt": (\d{1,10}), "instance": "([^"\\]*)", '
    rb'"cluster": "([^"\\]*)", (?:"asked": \d{1,10}, )?"response": "'
)
_SAID = b'", "verdict": {"reward": '
_MIDDLE = re.compile(_SAID + rb'(-?\d{1,9}(?:\.\d{1,20})?), "is_correct": ' + _TRUTH + rb', "failure": "(\w{0,60})", ')
_METRICS = b', "metrics": {'
_ENDS = b', "success": '
_CHECKSUM = b', "crc32": '
_ENDING = re.compile(_ENDS + _TRUTH + rb', "over": ' + _TRUTH + rb"(?:" + _CHECKSUM + rb"(\d{1,10}))?\}\s*")
_PLACE = re.compile(rb'\{"cell": "[^"\\]*", "episode": \d{1,10}, "attempt": ')


class Attempt(NamedTuple):
    """The facts of a line."""

    cell: str
    episode: int
    attempt: int
    instance: str
    cluster: str
    reward: float
    failure: str
    misread: int
    success: bool
    over: bool
    unchanged: bool
    """Whether the line has the checksum of its fields, or has none, as lines of old."""


class IndexedEpisode(NamedTuple):
    """An episode of a log.

    Attributes:
        failure, misread: of the last attempt; "" for a correct one; UNKNOWN, READ or MISREAD.
        state: FAILED, SOLVED or UNFINISHED.
        start, end: the bytes of its lines within the file, unpacked.
    """

    cell: str
    episode: int
    instance: str
    cluster: str
    attempts: int
    reward: float
    failure: str
    misread: int
    state: int
    start: int
    end: int


class LogIndex(NamedTuple):
    """A log: its newest header, its episodes in its order, and in words the lines that are no episode's or changed."""

    setup: Setup
    episodes: list[IndexedEpisode]
    faults: list[str]


def read_index(path: Path) -> LogIndex:
    """Read a log. Lines that are none of an episode, or not as they were written, are faults, not errors.

    Raises:
        ValueError: if it has no header.
        OSError: if it cannot be read.
    """
    lines = lines_of(path)
    try:
        setup = read_header(read_line(next(lines)[2]))
    except StopIteration:
        raise ValueError(f"{shown_path(path)}: is empty") from None
    except ValueError as error:
        raise ValueError(f"{shown_path(path)} is no evaluation's log ({error})") from None
    episodes, faults = list[IndexedEpisode](), list[str]()
    told, begun, due = set[tuple[str, int]](), list[tuple[int, Attempt]](), b""
    for number, (start, end, text) in enumerate(lines, 2):
        try:
            goes_on = bool(due) and text.startswith(due)
            attempt = read_attempt(text, setup.recognition, begun[-1][1] if goes_on else None)
            if attempt is None:
                setup = read_header(read_line(text))
                continue
            key = attempt.cell, attempt.episode
            if begun and (*key, attempt.attempt) != (*begun[0][1][:2], len(begun) + 1):
                told.discard(begun[0][1][:2])  # it may be told as a whole below
                faults.append(f"line {number}: the episode before it breaks off")
                begun, due = [], b""
            if attempt.attempt != len(begun) + 1:
                raise ValueError(f"attempt {attempt.attempt} follows no attempt before it")
            if not begun and key in told:
                raise ValueError(f"episode {attempt.episode} is told a second time")
        except (ValueError, RecursionError) as error:
            if text.endswith(b"\n"):  # what is being written, or was cut off, is no fault
                faults.append(f"line {number}: {cut(error)}")
            continue
        if not attempt.unchanged:
            faults.append(f"line {number}: it was changed after it was written")
        begun.append((start, attempt))
        told.add(key)
        if attempt.over:
            episodes.append(_episode(begun, end))
            begun, due = [], b""
        else:  # the next line of this episode, up to its attempt, where it is spelled like this one
            place = _PLACE.match(text)
            due = place[0] + b"%d, " % (len(begun) + 1) if place else b""
    if begun:
        episodes.append(_episode(begun, end))
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [f"and {len(faults) - MOST_FAULTS} more lines with faults"]
    return LogIndex(setup, episodes, faults)


def _episode(begun: list[tuple[int, Attempt]], end: int) -> IndexedEpisode:
    (start, first), (_, last) = begun[0], begun[-1]
    reward = first.reward if len(begun) == 1 else fsum([attempt.reward for _, attempt in begun])
    state = (SOLVED if last.success else FAILED) if last.over else UNFINISHED
    known = first[0], first[1], first[3], first[4]
    return IndexedEpisode._make((*known, len(begun), reward, last.failure, last.misread, state, start, end))


def lines_of(path: Path, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Yield the lines of a file that may be compressed, from a byte on, each with its first byte and the next one's.

    Raises:
        ValueError: for a line longer than ``MOST_LINE``.
    """
    with naming(path), path.open("rb") as file:
        opened = unpacked(file, path)
        if start:
            opened.seek(start)
        while line := opened.readline(MOST_LINE + 1):
            if len(line) > MOST_LINE:
                raise ValueError(f"{shown_path(path)}: a line is longer than {MOST_LINE // 2**20} MB")
            end = start + len(line)
            if not line.isspace():
                yield start, end, line
            start = end


def read_attempt(text: bytes, recognition: str, before: Attempt | None = None) -> Attempt | None:
    """Return the facts of a line, None for a header.

    Args:
        text: the line.
        recognition: the metric of a picture read right, or "".
        before: the attempt before it, where the line is known to tell the next one of that episode.

    Raises:
        ValueError, RecursionError: if it is no line of an evaluation's log.
    """
    beginning = None if before else _BEGINNING.match(text)
    said = text.find(_SAID, beginning.end() - 1) if beginning else text.find(_SAID) if before else -1
    middle = _MIDDLE.match(text, said) if said >= 0 else None
    at = text.rfind(_ENDS)
    ending = _ENDING.fullmatch(text, at) if middle else None
    if not (middle and ending):
        return _plain_attempt(text, recognition)
    reward, _, failure = middle.groups()
    misread = UNKNOWN
    if recognition:
        metrics = text[text.rfind(_METRICS, 0, at) : at]
        mark = f'"{recognition}": '.encode()
        misread = READ if mark + b"true" in metrics else MISREAD if mark + b"false" in metrics else UNKNOWN
    success, over, checksum = ending.groups()
    unchanged = not checksum or crc32(b"}", crc32(text[: ending.start(3) - len(_CHECKSUM)])) == int(checksum)
    if not unchanged:  # it may be spelled otherwise than it was written
        unchanged = is_as_written(read_line(text))
    judged = (float(reward), failure.decode(), misread, success == b"true", over == b"true", unchanged)
    if before:
        return Attempt._make((*before[:2], before[2] + 1, *before[3:5], *judged))
    assert beginning  # noqa: S101 - or there would be no middle
    cell, episode, attempt, instance, cluster = beginning.groups()
    return Attempt._make((cell.decode(), int(episode), int(attempt), instance.decode(), cluster.decode(), *judged))


def _plain_attempt(text: bytes, recognition: str) -> Attempt | None:
    line = read_line(text)
    if isinstance(line, dict) and "setup" in line:
        return None
    check_line(line)
    verdict = line["verdict"]
    read = verdict["metrics"].get(recognition) if recognition else None
    return Attempt(
        line["cell"],
        line["episode"],
        line["attempt"],
        line["instance"],
        line["cluster"],
        float(verdict["reward"]),
        verdict["failure"],
        (READ if read else MISREAD) if isinstance(read, bool) else UNKNOWN,
        line["success"],
        line["over"],
        "crc32" not in line or is_as_written(line),
    )


_FIELDS: dict[str, type] = {
    "cell": str,
    "episode": int,
    "attempt": int,
    "instance": str,
    "cluster": str,
    "response": str,
    "verdict": dict,
    "success": bool,
    "over": bool,
}
_VERDICT: dict[str, Any] = {"reward": (int, float), "failure": str, "feedback": str, "reason": str, "metrics": dict}


def check_line(line: Any) -> None:
    """Raise ValueError unless a line of JSON has the fields of an attempt, each of its kind."""
    if not isinstance(line, dict):
        raise ValueError("expected a JSON object")
    for where, fields in ((line, _FIELDS), (line.get("verdict"), _VERDICT)):
        for name, kind in fields.items():
            value = where.get(name) if isinstance(where, dict) else None
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise ValueError(f"{name} is {shown(value)}")
    if not isfinite(line["verdict"]["reward"]) or not 0 <= line["episode"] < 2**53:
        raise ValueError("its numbers are out of range")
