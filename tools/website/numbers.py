"""Measured numbers in pages: each stands between marks that say what it is, and is drawn from JSON below docs/results.

    <!--= words change ood sft 3e-4 -->-1.4<!--=-->

The first word is a name in docs/results/made_by.json, which tells the file with its command and hardware; the commit is
the study's own. Then follows what is drawn: ``primary``, ``arms RATE`` (the contrast's arms at the end), ``change CELL
ARM RATE``, ``end CELL ARM RATE``, all of success in points or percent, each with its interval if the last word is
``interval``; or ``flops`` (the arms at equal FLOPs), ``overlap``, ``metric CELL METRIC ARM RATE``, ``read NAME``,
``share NAME``, ``command``, ``commit``, ``hardware``.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs/results"
sys.path.insert(0, str(ROOT / "examples"))

from study_comparisons import changes_of, interval, primary, secondary  # noqa: E402
from study_statistics import Effect, success  # noqa: E402

MARKED = re.compile(r"<!--= ([^>]+?) -->(.*?)<!--=-->", re.DOTALL)
TYPED = re.compile(r"[+-]?\d[\d.]*(?: ?%| points?\b)|\([+-]?\d[\d.]* (?:to|\.\.) [+-]?\d[\d.]*\)")
"""Signs of a measured number: a percentage, points, an interval."""


@cache
def made_by() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((RESULTS / "made_by.json").read_text("utf-8"))
    return found


@cache
def data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / made_by()[name]["file"]).read_text("utf-8"))
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
        revision = made_by()[name].get("commit") or str(data(name)["revision"])
        return f"`{revision[:12]}`" + (" and changes" if data(name).get("uncommitted_changes") else "")
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
    if kind in ("change", "end") and len(rest) == 3:
        cell, arm, rate = rest
        return (changes if kind == "change" else ends)(name, cell)[arm, float(rate)]
    raise ValueError(f"{' '.join([name, kind, *rest])}: no number is named so; see tools/website/numbers.py")


def metric(name: str, cell: str, metric: str, arm: str, rate: str) -> str:
    """Return the mean of a metric over the ends of an arm's runs, in percent."""
    runs = [run for run in data(name)["runs"] if (run["arm"], run["rate"]) == (arm, float(rate))]
    return f"{100 * fmean(run['points'][-1]['cells'][cell]['metrics'][metric] for run in runs):.1f}"


def filled(text: str) -> str:
    """Return a page with every marked number drawn anew."""
    return MARKED.sub(lambda mark: f"<!--= {mark[1]} -->{drawn(mark[1])}<!--=-->", text)


def typed(text: str) -> list[str]:
    """Return what looks like a measured number and stands between no marks."""
    return TYPED.findall(re.sub(r"^```.*?^```", "", MARKED.sub("", text), flags=re.MULTILINE | re.DOTALL))
