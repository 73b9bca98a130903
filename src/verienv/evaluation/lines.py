"""The lines of an episode in a log: one for each response, and the record that they add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from verienv.core.episode import Episode
from verienv.core.response import clean_response
from verienv.core.shown import shown
from verienv.core.verdict import total
from verienv.core.wording import PLAIN
from verienv.evaluation.records import EpisodeRecord

Line = dict[str, Any]


@dataclass
class Seat:
    """An episode under way, and its lines so far."""

    cell: str
    number: int
    episode: Episode
    lines: list[Line] = field(default_factory=list)

    def step(self, response: str) -> bool:
        """Judge and write down a response; return whether the episode is over.

        Where the question is worded in the user's own way, the line holds a checksum of its words, as a function that
        writes them may change behind its name.
        """
        episode, question = self.episode, self.episode.question
        own = {} if question.wording is PLAIN else {"asked": crc32(episode.text.encode())}
        verdict = episode.answer(response)
        line = {
            "cell": self.cell,
            "episode": self.number,
            "attempt": len(self.lines) + 1,
            "instance": question.instance,
            "cluster": question.cluster,
            **own,
            "response": clean_response(response),
            "verdict": verdict.model_dump(mode="json"),
            "success": episode.is_success,
            "over": episode.is_over,
        }
        if episode.is_over and episode.outcomes:
            line["outcomes"] = episode.outcomes
        self.lines.append(line)
        return episode.is_over

    def retell(self, line: Line) -> bool:
        """Judge the response of a log's line again; return whether the episode is over.

        The judgement is made here: of the line only its response counts, and the rest of it must agree. A line may
        lack its checksum, as lines of old do.

        Raises:
            ValueError: if the line is not the one that ``step`` writes of its response at this place.
        """
        is_over = self.step(line["response"])
        made = self.lines[-1]
        if fault := _difference(line, with_checksum(made) if "crc32" in line else made):
            raise ValueError(fault)
        return is_over


def with_checksum(line: Line) -> Line:
    """Return the line as it stands in a log, with the checksum of all its fields as JSON.

    It tells a response from another one that is judged alike.
    """
    return {**line, "crc32": crc32(json.dumps(line).encode())}


def is_as_written(line: Line) -> bool:
    """Tell whether a line of a log has the checksum of its fields, or has none, as lines of old."""
    return "crc32" not in line or line == with_checksum({name: line[name] for name in line if name != "crc32"})


def _difference(line: Line, due: Line) -> str:
    """Return the first difference in words, "" if both are the same JSON."""
    if _canonical(line) == _canonical(due):
        return ""
    for name in [*due, *line]:
        if name not in line:
            return f"{name} is missing"
        if name not in due:
            return f"{shown(name)} is no field of a line there"
        mine, theirs = line[name], due[name]
        if name == "asked" and mine != theirs:
            return "it answers a question in other words than those of today (asked)"
        if _canonical(mine) != _canonical(theirs):
            if isinstance(mine, dict) and isinstance(theirs, dict) and name == "verdict":
                return f"in its verdict {_difference(mine, theirs)}"
            return f"{name} is {shown(mine)}, where {shown(theirs)} is due"
    return ""


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # a text: a metric of a task of one's own may be NaN, which equals nothing


def episode_of(lines: Sequence[Line], ratios: Mapping[str, tuple[str, ...]]) -> EpisodeRecord:
    """Return the record of the episode of these lines, with the counts of those ``ratios`` that it measures."""
    last, verdicts = lines[-1], [line["verdict"] for line in lines]
    measures = [{"attempt": True, "is_correct": verdict["is_correct"], **verdict["metrics"]} for verdict in verdicts]
    known = {name: made_of for name, made_of in ratios.items() if measures[0].keys() >= {*made_of}}  # by the format
    counts = {name: _count(measures, counted, among) for name, (counted, *among) in known.items()}
    shares = {
        f"{name}_per_episode": counts[name][0] / counts[name][1]
        for name, (_, *among) in known.items()
        if among == ["attempt"]
    }
    return EpisodeRecord(
        **{name: last[name] for name in ("cell", "episode", "instance", "cluster", "success")},
        reward=total(verdict["reward"] for verdict in verdicts),
        failures=tuple(verdict["failure"] for verdict in verdicts),
        first=verdicts[0]["metrics"],
        last=verdicts[-1]["metrics"],
        counts=counts,
        outcomes=shares | last.get("outcomes", {}),
    )


def _count(measures: Sequence[Mapping[str, Any]], counted: str, among: Sequence[str]) -> tuple[int, int]:
    """Count the attempts that have all the measures, and those that have all but the one that is counted."""
    found = [bool(measure[counted]) for measure in measures if all(measure[name] for name in among)]
    return sum(found), len(found)
