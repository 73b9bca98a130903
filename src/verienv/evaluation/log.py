"""The audit log: JSON lines, one for each response, behind a header with the setup.

The lines of an episode are written together when it ends, so that whatever interrupts a run, the log holds whole
episodes and at most one broken tail, which the next run cuts off. A further header extends the log: to more episodes
or cells.

Of a log that is gone on with, only the responses are believed: each episode is dealt and judged again, and its lines
must be those that this writes. Lines that were lost, doubled, mixed or changed are refused by their number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from verienv.core.lock import open_alone
from verienv.core.reading import MOST_LINE
from verienv.core.shown import shown
from verienv.evaluation.cells import Cell
from verienv.evaluation.lines import Line, Seat, episode_of, with_checksum
from verienv.evaluation.records import EpisodeRecord, Setup


class AuditLog:
    """An audit log: appends to ``path`` and knows the episodes that it already holds. It has one writer at a time.

    Args:
        path: a file, or the name of a new one.
        setup: the setup that is asked for.
        cells: its cells, which deal the episodes.
        keep_begun: whether lines at the end that are of no whole episode are kept, to go on with that.

    Attributes:
        finished: the records of the episodes that it holds, by cell and number.
        begun: the episode to go on with, None if there is none.

    Raises:
        ValueError: if the file is no log, or one of another setup, or damaged, or another evaluation writes to it.
        OSError: if it cannot be read or written.
    """

    def __init__(self, path: str | Path, setup: Setup, cells: Mapping[str, Cell], *, keep_begun: bool = False) -> None:
        self.path = Path(path)
        self.finished: dict[tuple[str, int], EpisodeRecord] = {}
        self.begun: Seat | None = None
        self._due: list[Line] = []  # a header that cannot stand within an episode
        self._cells, self._ratios = cells, setup.ratios
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what write() returned from is with the operating system, and a failed write leaves nothing behind
        # that closing the file would try again.
        self._file = open_alone(self.path)
        try:
            held, whole = self._read_back(setup, keep_begun)
            if whole < os.fstat(self._file.fileno()).st_size:
                self._file.truncate(whole)
            if held is None or held.counts() != setup.counts():
                self._due = [header_of(setup)]
            if not self.begun:
                self._write_due()
        except BaseException:
            self._file.close()
            raise

    def append(self, lines: Sequence[Line]) -> None:
        """Write the lines of one finished episode."""
        self._write([with_checksum(line) for line in lines])

    def append_one(self, line: Line) -> None:
        """Write a line of an episode under way, onto the disk itself: neither a kill nor a power cut loses it."""
        self._write([with_checksum(line)])
        os.fsync(self._file.fileno())
        if line["over"]:
            self._write_due()

    def close(self) -> None:
        self._file.close()

    def _write_due(self) -> None:
        if self._due:
            self._write(self._due)
            self._due = []

    def _write(self, lines: Sequence[Line]) -> None:
        if self._file.closed:
            raise ValueError(f"{self.path} is written by the process that this one was forked from")
        data = memoryview(_text(lines))
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            raise OSError(
                error.errno,
                f"cannot write the log ({error.strerror}); its finished episodes are kept: make room and run again",
                str(self.path),
            ) from error

    def _read_back(self, asked: Setup, keep_begun: bool) -> tuple[Setup | None, int]:
        """Take up the finished episodes; return the newest setup, and the number of bytes that hold it and them."""
        held: Setup | None = None
        seat: Seat | None = None
        whole = read = 0
        with open(self._file.fileno(), "rb", closefd=False) as file:
            file.seek(0)
            for number in count(1):
                text = file.readline(MOST_LINE + 1)
                if len(text) > MOST_LINE:
                    raise ValueError(f"{self.path}, line {number}: longer than {MOST_LINE // 2**20} MB")
                if not text.endswith(b"\n"):  # cut off, as are the lines before it that belong to no whole episode
                    if held is None and not _text([header_of(asked)]).startswith(text):
                        raise ValueError(f"{self.path} is no evaluation's log; choose another file")
                    break
                read += len(text)
                if text.strip():
                    held, seat = self._take_up(number, text, held, seat, asked)
                if seat is None:
                    whole = read
        if keep_begun and seat is not None:
            self.begun, whole = seat, read
        return held, whole

    def _take_up(
        self, number: int, text: bytes, held: Setup | None, seat: Seat | None, asked: Setup
    ) -> tuple[Setup, Seat | None]:
        """Take up a line; return the setup that holds from there on, and the episode that goes on behind it."""
        try:
            line = read_line(text)
            if held is None or (isinstance(line, dict) and "setup" in line):
                new = read_header(line)
                if seat is not None:
                    raise ValueError(f"a setup, where attempt {len(seat.lines) + 1} is due")
                if held is not None and (differences := held.differences(new)):
                    raise ValueError(f"another setup ({'; '.join(differences)})")
            else:
                new = held
                seat = self._told(line, new, seat)
        except (ValueError, RecursionError) as error:
            if held is None:
                raise ValueError(
                    f"{self.path} is no evaluation's log (line {number}: {error}); choose another file"
                ) from None
            raise ValueError(
                f"{self.path}, line {number}: {error}; mend the file, or log to a new one (an episode whose lines are "
                "taken out is played anew)"
            ) from None
        if new is not held and (differences := new.differences(asked)):
            raise ValueError(
                f"{self.path} logs another evaluation ({'; '.join(differences)}); choose another file, "
                "or run with the same arguments, or more episodes, to go on with this one"
            )
        return new, seat

    def _told(self, line: Any, held: Setup, seat: Seat | None) -> Seat | None:
        """Take up the line of a response; return its episode, None if that is over. Raises ValueError for a wrong one.

        The line begins an episode, or goes on with the one on ``seat``.
        """
        if not isinstance(line, dict) or not isinstance(line.get("response"), str):
            raise ValueError('expected a JSON object with "response", a string')
        if seat is None:
            cell, episode = line.get("cell"), line.get("episode")
            if not isinstance(cell, str) or cell not in held.cells:
                raise ValueError(f"cell is {shown(cell)}, expected one of {shown(list(held.cells))}")
            if type(episode) is not int or not 0 <= episode < held.count(cell):
                raise ValueError(f"episode is {shown(episode)}, expected one from 0 to {held.count(cell) - 1}")
            if (cell, episode) in self.finished:
                raise ValueError(f"episode {episode} of {shown(cell)} is told a second time")
            seat = Seat(cell, episode, self._cells[cell].deal(episode))
        if not seat.retell(line):
            return seat
        self.finished[seat.cell, seat.number] = episode_of(seat.lines, self._ratios)
        return None


def header_of(setup: Setup) -> Line:
    """Return the line that says under which setup the lines behind it were written."""
    return {"setup": setup.model_dump(mode="json")}


def read_header(line: Any) -> Setup:
    """Return the setup that a line says. Raises ValueError, in one line, if it is no header."""
    if not isinstance(line, dict) or set(line) != {"setup"}:
        raise ValueError("expected a header, a JSON object with the setup")
    try:
        return Setup.model_validate(line["setup"])
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(["setup", *(shown(part).strip("'") for part in fault["loc"])])
        raise ValueError(f"no header of an evaluation's log ({where}: {fault['msg']})") from None


def read_line(text: bytes) -> Any:
    """Read a line as JSON. Raises ValueError if it is none."""
    try:
        return json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None


def _text(lines: Sequence[Line]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
