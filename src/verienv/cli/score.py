"""Scoring a file of responses."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from verienv.core.dialogue import response_of
from verienv.core.reading import MOST_LINE
from verienv.core.rows import read_as
from verienv.core.shown import cut
from verienv.core.verdict import Rewards, Verdict


@dataclass
class Score:
    """The sums over the lines so far."""

    correct: int = 0
    reward: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    metrics: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    judged_by: Counter[str] = field(default_factory=Counter)
    counts: set[str] = field(default_factory=set)
    """The metrics that are numbers, not shares."""
    bad_lines: int = 0

    @property
    def scored(self) -> int:
        return self.correct + self.failures.total()

    def add(self, verdict: Verdict) -> None:
        self.reward += verdict.reward
        if verdict.is_correct:
            self.correct += 1
        else:
            self.failures[verdict.failure] += 1
        for name, value in verdict.metrics.items():
            self.metrics[name] += value
        self.judged_by.update(list(verdict.metrics))
        self.counts |= {name for name, value in verdict.metrics.items() if not isinstance(value, bool)}

    def summary(self) -> str:
        """Return a few lines for the terminal."""
        if not self.scored:
            return "No response was scored."
        rows = [("responses", self.scored, ""), ("correct", self.correct, self._share(self.correct))]
        rows += [(kind.replace("_", " "), count, self._share(count)) for kind, count in self.failures.most_common()]
        rows += [
            (name.replace("_", " "), int(count), self._share_among(name))
            for name, count in self.metrics.items()
            if name not in self.counts
        ]
        if self.bad_lines:
            rows.append(("lines not read", self.bad_lines, ""))
        means = [
            (f"mean {name.replace('_', ' ')}", total / self.judged_by[name])
            for name, total in self.metrics.items()
            if name in self.counts
        ]
        means.append(("mean reward", self.reward / self.scored))
        width = max(len(name) for name in (*(row[0] for row in rows), *(mean[0] for mean in means)))
        lines = [f"{name:{width}}  {count:>8}  {share:>6}".rstrip() for name, count, share in rows]
        return "\n".join([*lines, *(f"{name:{width}}  {mean:>8.2f}" for name, mean in means)])

    def _share(self, count: float) -> str:
        return f"{100 * count / self.scored:.1f}%"

    def _share_among(self, name: str) -> str:
        """Return the share of a metric among the responses that it was measured on, and how many where not on all."""
        among = self.judged_by[name]
        share = f"{100 * self.metrics[name] / among:.1f}%"
        return share if among == self.scored else f"{share}  of {among}"


MOST_PARTS = 100_000
"""The most values of a column that a table is made by."""


@dataclass
class Parts:
    """The sums of the lines that share a value of a column, in the order in which the values come.

    Attributes:
        column: its name.
        scores: the sums by the values of the column, as texts.
        proxies: the "score" of each line that has one, which something else than the program gave it, by those values.
        lacking: responses without a value of it.
        others: columns that the first of those could be told by.
    """

    column: str
    scores: dict[str, Score] = field(default_factory=dict)
    proxies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lacking: int = 0
    others: tuple[str, ...] = ()

    def add(self, fields: Mapping[str, Any], verdict: Verdict) -> None:
        """Add a line. Raises ValueError for too many values."""
        value = fields.get(self.column)
        if not isinstance(value, str | int | float):
            told = (name for name, one in fields.items() if isinstance(one, str | int | float))
            self.others = self.others or tuple(told)
            self.lacking += 1
            return
        if len(self.scores) >= MOST_PARTS:
            raise ValueError(f"--by {self.column}: has more than {MOST_PARTS:,} values; give another column")
        name, given = cut(value, 40), fields.get("score")
        self.scores.setdefault(name, Score()).add(verdict)
        if isinstance(given, int | float) and isfinite(given):
            self.proxies[name].append(given)

    def faults(self) -> str:
        """Tell once of the responses that are in no row, "" for none. Raises ValueError if none is in any."""
        if self.lacking and not self.scores:
            there = f"the first has {cut(', '.join(self.others), 300)}" if self.others else "the first has none"
            raise ValueError(f"--by {cut(self.column, 60)}: no line has a text or a number there; {there}")
        told = f"--by {cut(self.column, 60)}: {self.lacking} responses have no text or number there, and are in no row"
        return told if self.lacking else ""

    def table(self) -> str:
        """Return a line for each value: responses, the share that is correct, mean reward, and mean score."""
        rows = [[self.column, "responses", "correct", "reward", *["score"] * bool(self.proxies)]]
        for name, each in self.scores.items():
            given = self.proxies.get(name)
            mean = [f"{sum(given) / len(given):.3f}" if given else ""] * bool(self.proxies)
            share = f"{100 * each.correct / each.scored:.1f}%"
            rows.append([name, str(each.scored), share, f"{each.reward / each.scored:.3f}", *mean])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


_LOG = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"setup"\s*:')

Judged = tuple[int, dict[str, Any] | str]
"""The number of a line, and its row with the verdict, or its fault."""


def judged_lines(
    lines: Iterable[bytes],
    columns: Mapping[str, Any],
    rewards: Rewards | None,
    strict: bool,
    score: Score,
    parts: Parts | None = None,
) -> Iterator[Judged]:
    """Judge line by line, adding to ``score`` and to ``parts``. Blank lines are passed over.

    Args:
        lines: each a row of any task (see ``verienv.judge``) with a "response", else with a "completion".
        columns: columns for the lines that do not have them.
        rewards: overrule those of the lines, unless they are None.
        strict: read plain JSON alone, whatever the lines say.

    Raises:
        ValueError: for an evaluation's log: its rules and prices are those of its cells, which its lines do not say.
    """
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if number == 1 and _LOG.match(text):
            raise ValueError(
                "this is an evaluation's log, whose lines hold their verdicts: give the evaluation's command, with "
                "this --log, for its results"
            )
        try:
            if len(text) > MOST_LINE:
                raise ValueError(f"longer than {MOST_LINE // 2**20} MB")
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise ValueError("expected a JSON object with 'response' and the columns of a task")
            response = _response(fields)
            question = read_as({**columns, **fields}, rewards, strict or None)
            judged = question.judge(response)
        except (ValueError, RecursionError) as error:
            score.bad_lines += 1
            wrong = f"no JSON ({error})" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)
            yield number, wrong
            continue
        score.add(judged)
        if parts is not None:
            parts.add(fields, judged)
        yield number, {"line": number, **question.row(), **judged.model_dump(mode="json")}


def _response(fields: dict[str, Any]) -> str:
    """Return what is judged of a line: "response", else the words of "completion", as demonstrations have them."""
    response = fields.pop("response", None)
    if response is None and isinstance(fields.get("completion"), list):
        return response_of(fields["completion"])
    if not isinstance(response, str):
        raise ValueError("fields: 'response' is missing or no string")
    return response
