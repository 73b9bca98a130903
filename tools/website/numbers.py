"""Measured numbers in pages: each stands between marks that say what it is, and is drawn from JSON below docs/results.

    <!--= words change ood sft 3e-4 -->-1.4<!--=-->

The first word is a name in docs/results/made_by.json, which tells the file with its command and hardware; the commit is
the study's own or, where a file tells none, the one that brought the file. Then
follows what is drawn: ``primary``, ``arms RATE`` (the contrast's arms at the end), ``change CELL ARM RATE``,
``end CELL ARM RATE``, all of success in points or percent, each with its interval if the last word is
``interval``; or ``flops`` (the arms at equal FLOPs), ``overlap``, ``metric CELL METRIC ARM RATE``, ``read NAME``,
``share NAME``, ``command``, ``commit``, ``hardware``; ``less CELL ONE OTHER`` (an arm less another, each at its best
rate). Everything else is ``at FORM PATH``: what lies on a path into the file, such as ``runs/*/0/success``, in one of
FORMS.

A number of which no file is kept stands in a paragraph, or an item of a list, that says so and tells the command; a
table may follow it:

    **Seen, not kept** (`python tools/read_signs.py --poses 120`): of 120 signs 117 were read.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs/results"
sys.path.insert(0, str(ROOT / "examples"))

from methods_claims import less  # noqa: E402
from study_comparisons import changes_of, interval, primary, secondary  # noqa: E402
from study_statistics import Effect, success  # noqa: E402

MARKED = re.compile(r"<!--= ([^>]+?) -->(.*?)<!--=-->", re.DOTALL)
SEEN = re.compile(
    r"^(?:- )?\*\*Seen, not kept\*\* \(`([^`]+)`[^)]*\)(?:.|\n)*?(?=^- |^#|^$|\Z)(?:\n\|(?:.+\n)+)?", re.MULTILINE
)
"""A paragraph or an item of a list, with the table below it."""
TYPED = re.compile(
    r"[+-]?\d[\d.]*(?: ?%| points?\b| per ?cent\b)|\([+-]?\d[\d.]* (?:to|\.\.) [+-]?\d[\d.]*\)"
    r"|(?<![\d.,])\d[\d,]* of (?:its |their )?\d[\d,]*(?!\.\d)"
    r"|\d[\d.]* (?:CPU )?(?:s|ms|min|seconds?|minutes?|hours?)\b"
)
"""Signs of a measured number: a percentage, points, an interval, some of so many, a time."""
IN_TABLES = re.compile(r"(?<![\w.=-])[+-]?\d+\.\d+(?![\w.])")
"""Signs of one in a table: any number with a decimal point that is no version of three parts and no setting."""


@cache
def made_by() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((RESULTS / "made_by.json").read_text("utf-8"))
    return found


@cache
def data(name: str) -> Any:
    """Return what a file holds: JSON, JSON a line, or the tables that ``verienv evaluate`` has printed."""
    file = RESULTS / made_by()[name]["file"]
    text = file.read_text("utf-8")
    if file.suffix == ".txt":
        return printed(text)
    return [json.loads(line) for line in text.splitlines()] if file.suffix == ".jsonl" else json.loads(text)


def printed(text: str) -> dict[str, dict[str, list[float]]]:
    """Return the tables that ``verienv evaluate`` has printed, by cell and column: a number, its interval's ends."""
    found: dict[str, dict[str, list[float]]] = {}
    columns = list[str]()
    cell = ""
    for line in text.splitlines():
        first, *rest = re.split(r" {2,}", line.strip())
        if first in ("cell", "failed attempts"):
            columns = rest
        elif re.match(r" \w", line) and len(rest) == len(columns):
            cell = first
            found.setdefault(cell, {}).update({name: [float(one)] for name, one in zip(columns, rest, strict=True)})
        elif re.match(r" +\(", line) and cell:
            for name, ends in zip(columns, (first, *rest), strict=True):
                found[cell][name] += [float(end) for end in re.findall(r"[\d.]*\d", ends.replace("..", " "))]
    return found


@cache
def changes(name: str, cell: str) -> Any:
    return changes_of(data(name), cell)


@cache
def ends(name: str, cell: str) -> Any:
    return success(data(name), cell)


@cache
def drawn(what: str) -> str:
    """Return the text for a mark. Raises ValueError for one that says nothing known."""
    name, kind, *rest = what.split()
    with_interval = rest[-1:] == ["interval"]
    rest = rest[: len(rest) - with_interval]
    if kind == "hardware":
        return made_by()[name]["hardware"]
    if kind == "command":
        return f"`{made_by()[name]['command']}`"
    if kind == "commit":
        study = data(name) if "commit" not in made_by()[name] else {"revision": made_by()[name]["commit"]}
        return f"`{study['revision'][:12]}`" + (" and changes" if study.get("uncommitted_changes") else "")
    if kind == "at":
        return FORMS[rest[0]](reached(data(name), " ".join(rest[1:]).split("/")))
    if kind == "read":
        signs = data(name)[rest[0]]
        return f"{signs['read']} of {signs['of']}"
    if kind == "share":
        routes = data(name)[" ".join(rest)]
        low, high = (f"{100 * end:.0f}" for end in routes["interval"])
        return f"{routes['success']} of {routes['routes']} routes ({low} to {high}%)"
    if kind == "overlap":
        return f"{100 * effect(name, 'primary', []).overlap:.0f}%"
    if kind == "metric":
        return metric(name, *rest)
    found = effect(name, kind, rest)
    text = interval(found, signed=kind != "end")
    return text if with_interval else text.partition(" ")[0]


def effect(name: str, kind: str, rest: list[str]) -> Effect:
    """Return the effect that a mark names."""
    if kind == "primary" and not rest:
        best = primary(data(name))
        assert best
        return best.found
    if kind == "flops":
        (found,) = [each.found for each in secondary(data(name)) if each.name.endswith(", at equal FLOPs")]
        return found
    if kind == "arms":
        (found,) = [each.found for each in secondary(data(name)) if each.name.endswith(f"rate {rest[0]}, at the end")]
        return found
    if kind == "less" and len(rest) == 3:
        return less(data(name), rest[1], rest[2], rest[0])
    if kind in ("change", "end") and len(rest) == 3:
        cell, arm, rate = rest
        return (changes if kind == "change" else ends)(name, cell)[arm, float(rate)]
    raise ValueError(f"{' '.join([name, kind, *rest])}: no number is named so; see tools/website/numbers.py")


def metric(name: str, cell: str, metric: str, arm: str, rate: str) -> str:
    """Return the mean of a metric over the ends of an arm's runs, in percent."""
    runs = [run for run in data(name)["runs"] if (run["arm"], run["rate"]) == (arm, float(rate))]
    return f"{100 * fmean(run['points'][-1]['cells'][cell]['metrics'][metric] for run in runs):.1f}"


def reached(found: Any, path: Sequence[str]) -> Any:
    """Return what lies on a path into JSON; a step "*" is the mean, and "sum" the sum, over all that lies there."""
    for place, step in enumerate(path):
        if step in ("*", "sum"):
            each = [reached(one, path[place + 1 :]) for one in (found.values() if isinstance(found, dict) else found)]
            values = [first_of(one) for one in each]
            return fmean(values) if step == "*" else sum(values)
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def first_of(found: Any) -> float:
    """Return a number, or the one before the ends of its interval."""
    return float(found[0] if isinstance(found, list) else found)


def in_words(found: Any, scale: int, signed: bool = False) -> str:
    """Return a number with its interval."""
    mean, low, high = (f"{round(scale * one, 1) + 0.0:{'+' if signed else ''}.1f}" for one in found)
    return f"{mean} ({low} to {high})"


FORMS: dict[str, Callable[[Any], str]] = {
    "percent": lambda found: f"{100 * first_of(found):.1f}",
    "whole": lambda found: f"{100 * first_of(found):.0f}%",
    "points": lambda found: f"{100 * first_of(found):+.1f}",
    "interval": lambda found: in_words(found, 100),
    "change": lambda found: in_words(found, 100, signed=True),
    "printed": lambda found: in_words(found, 1),
    "count": lambda found: f"{first_of(found):,.0f}",
    "one": lambda found: f"{first_of(found):.1f}",
    "two": lambda found: f"{first_of(found):.2f}",
    "three": lambda found: f"{first_of(found):.3f}",
    "runs": lambda found: f"{len(found)}",
}
"""Forms of a number: a share in percent, a change in points, with the interval beside it in the file, or as it is."""


def filled(text: str) -> str:
    """Return a page with every marked number drawn anew."""
    return MARKED.sub(lambda mark: f"<!--= {mark[1]} -->{drawn(mark[1])}<!--=-->", text)


def typed(text: str) -> list[str]:
    """Return what looks like a measured number, stands between no marks and is not told as seen."""
    blocks = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
    rest = re.sub(r"`[^`\n]*`|arXiv [\d.]+", "", SEEN.sub("", blocks.sub("", MARKED.sub("", text))))
    in_tables = [found for line in rest.splitlines() if line.startswith("|") for found in IN_TABLES.findall(line)]
    return list(dict.fromkeys([*TYPED.findall(rest), *in_tables]))
