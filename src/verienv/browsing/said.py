"""The words of an episode: those of its log, read when they are asked for."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verienv.browsing.log_index import IndexedEpisode, check_line, lines_of
from verienv.core.shown import shown_path
from verienv.evaluation.lines import is_as_written
from verienv.evaluation.log import read_line

LONGEST_TEXT = 200
"""Characters of a text that is searched for."""


def lines_of_episode(path: Path, one: IndexedEpisode) -> list[dict[str, Any]]:
    """Return the lines of an episode of a log.

    Raises:
        ValueError: if the file has changed since it was indexed.
        OSError: if it cannot be read.
    """
    found = []
    for start, _, text in lines_of(path, one.start):
        if start >= one.end:
            break
        try:
            line = read_line(text)
            if isinstance(line, dict) and "setup" in line:
                continue
            check_line(line)
        except (ValueError, RecursionError):
            continue  # a fault of the log, which the index has told
        found.append(line)
    told = [(line["cell"], line["episode"], line["attempt"]) for line in found]
    if told != [(one.cell, one.episode, attempt) for attempt in range(1, one.attempts + 1)]:
        raise ValueError(f"{shown_path(path)} has changed since it was read; start the command again")
    return found


def changed(lines: Sequence[dict[str, Any]]) -> list[int]:
    """Return the attempts whose lines do not have the checksum that they were written with."""
    return [line["attempt"] for line in lines if not is_as_written(line)]


def said_in(path: Path, episodes: Sequence[IndexedEpisode], text: str) -> list[int]:
    """Return the numbers of the episodes of a log that have a text in a response, in any case.

    Raises:
        ValueError: for a text that is too long.
        OSError: if the file cannot be read.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"text: longer than {LONGEST_TEXT} characters")
    part, starts = text.casefold(), [one.start for one in episodes]
    escaped = json.dumps(text)[1:-1].lower().encode()
    raw = json.dumps(text, ensure_ascii=False)[1:-1].lower().encode("utf-8", "surrogatepass")
    is_ascii = text.isascii()  # letters beyond have no case of their own in bytes: then each line is read
    found = dict[int, None]()
    for start, _, line in lines_of(path):
        low = line.lower()
        if is_ascii and escaped not in low and raw not in low:
            continue
        number = bisect_right(starts, start) - 1
        if number < 0 or number in found or start >= episodes[number].end:
            continue
        try:
            response = read_line(line)["response"]
        except (ValueError, RecursionError, KeyError, TypeError):
            continue
        if isinstance(response, str) and part in response.casefold():
            found[number] = None
    return list(found)
