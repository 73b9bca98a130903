"""The audit log: JSON lines, one per response, behind a header with the setup.

The lines of an episode are written together when it ends, so that whatever interrupts a run, the log holds whole
episodes and at most one broken tail, which the next run cuts off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from verienv.evaluation.records import EpisodeRecord, Setup

Line = dict[str, Any]

_HEADER = b'{"setup": {'


class AuditLog:
    """An audit log: appends to ``path`` and knows the episodes that it already holds.

    Raises:
        ValueError: if the file is no log, or one of another setup.
        OSError: if it cannot be read or written.
    """

    def __init__(self, path: str | Path, setup: Setup) -> None:
        self.path = Path(path)
        self.finished: dict[tuple[str, int], EpisodeRecord] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what write() returned from is with the operating system, and a failed write leaves nothing behind
        # that closing the file would try again.
        self._file = self.path.open("a+b", buffering=0)
        try:
            self._file.seek(0)
            held = self._file.readall()
            whole = self._read_back(held, setup)
            if whole < len(held):
                self._file.truncate(whole)
            if not whole:
                self._write([{"setup": setup.model_dump(mode="json")}])
        except BaseException:
            self._file.close()
            raise

    def append(self, lines: Sequence[Line]) -> None:
        """Write the lines of one finished episode."""
        self._write(lines)

    def close(self) -> None:
        self._file.close()

    def _write(self, lines: Sequence[Line]) -> None:
        data = memoryview("".join(json.dumps(line) + "\n" for line in lines).encode())
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            raise OSError(
                error.errno,
                f"cannot write the log ({error.strerror}); its finished episodes are kept: make room and run again",
                str(self.path),
            ) from error

    def _read_back(self, held: bytes, setup: Setup) -> int:
        """Take up the finished episodes; return the number of bytes that hold the header and them."""
        lines = held.split(b"\n")[:-1]
        if not lines and _HEADER.startswith(held[: len(_HEADER)]):  # empty, or cut off within the header
            return 0
        self._check_header(lines[0] if lines else held, setup)
        whole = read = len(lines[0]) + 1
        episode: list[Line] = []
        for number, text in enumerate(lines[1:], start=2):
            read += len(text) + 1
            try:
                episode.append(json.loads(text))
                if not episode[-1]["over"]:
                    continue
                record = episode_of(episode, setup.ratios)
            except (ValueError, KeyError, TypeError, RecursionError):
                if number == len(lines):
                    break
                raise ValueError(
                    f"{self.path}, line {number}: no line of an evaluation's log; repair it, or log to a new file"
                ) from None
            self.finished[record.cell, record.episode] = record
            whole, episode = read, []
        return whole

    def _check_header(self, text: bytes, setup: Setup) -> None:
        try:
            header = Setup.model_validate(json.loads(text)["setup"])
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
            raise ValueError(f"{self.path} is no evaluation's log; choose another file") from None
        differences = header.differences(setup)
        if differences:
            raise ValueError(
                f"{self.path} logs another evaluation ({'; '.join(differences)}); choose another file, "
                "or run with the same arguments to go on with this one"
            )


def episode_of(lines: Sequence[Line], ratios: Mapping[str, tuple[str, str]]) -> EpisodeRecord:
    """Return the record of the episode of these lines, with the counts of ``ratios``."""
    last, verdicts = lines[-1], [line["verdict"] for line in lines]
    measures = [{"attempt": True, "is_correct": verdict["is_correct"], **verdict["metrics"]} for verdict in verdicts]
    counts = {name: _count(measures, counted, among) for name, (counted, among) in ratios.items()}
    shares = {
        f"{name}_per_episode": counts[name][0] / counts[name][1]
        for name, (_, among) in ratios.items()
        if among == "attempt"
    }
    return EpisodeRecord(
        **{name: last[name] for name in ("cell", "episode", "instance", "cluster", "success")},
        reward=sum(verdict["reward"] for verdict in verdicts),
        failures=tuple(verdict["failure"] for verdict in verdicts),
        first=verdicts[0]["metrics"],
        last=verdicts[-1]["metrics"],
        counts=counts,
        outcomes=shares | last.get("outcomes", {}),
    )


def _count(measures: Sequence[Mapping[str, Any]], counted: str, among: str) -> tuple[int, int]:
    """Count the attempts that have both measures, and those that have the second."""
    found = [bool(measure[counted]) for measure in measures if measure[among]]
    return sum(found), len(found)
