"""The verifiers' contract as tables: each line is a vector, judged by the verifier when the site is built."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from verienv import generalpoints, virl
from verienv.core.cases import AnyCase

LONGEST = 110
"""The characters of a response that a table shows."""


@dataclass(frozen=True)
class Contract:
    """A task's part of the contract: title, path of its page, the vectors, and the verifier."""

    title: str
    target: str
    file: str
    noun: str
    cases: Callable[[], Iterable[Any]]
    judge: Callable[[Any], Any]


def _judge_hand(case: Any) -> Any:
    return generalpoints.verify(case.response, case.puzzle, vision=bool(case.vision), strict=bool(case.strict))


def _judge_step(case: Any) -> Any:
    return virl.verify(case.response, case.waypoint, strict=bool(case.strict))


CONTRACTS = (
    Contract(
        "Contract of GeneralPoints, line by line",
        "contract/generalpoints.md",
        "assets/vectors/generalpoints.jsonl",
        "hand",
        generalpoints.load_vectors,
        _judge_hand,
    ),
    Contract(
        "Contract of V-IRL, line by line",
        "contract/virl.md",
        "assets/vectors/virl.jsonl",
        "waypoint",
        virl.load_vectors,
        _judge_step,
    ),
)


def page(contract: Contract) -> str:
    """Return a page of tables. Raises ValueError for a vector that the verifier judges otherwise."""
    groups: dict[str, dict[tuple[str, str], list[AnyCase]]] = {}
    count = 0
    for case in contract.cases():
        verdict = contract.judge(case)
        if str(verdict.failure) != case.failure or (case.reward is not None and verdict.reward != case.reward):
            raise ValueError(f"{case.name}: {verdict.failure!r}, {verdict.reward} is not what is owed")
        head = case.group.partition(":")[0]
        groups.setdefault(head, {}).setdefault((case.why, case.failure), []).append(case)
        count += 1
    parts = [
        f"# {contract.title}",
        f"All {count:,} vectors of `{contract.file}`, gathered by reason: each line shows the first of its vectors, as "
        "the verifier judged it when this page was built, and how many there are. A vector that it judged otherwise "
        "would have stopped the build. Signs that cannot be seen are written as escapes, and long responses are cut.",
    ]
    for head, lines in groups.items():
        parts.append(f"## {head[0].upper()}{head[1:]}")
        rows = [f"| response | {contract.noun} | verdict | pays | because | vectors |", "|---|---|---|---|---|---|"]
        for (why, failure), cases in lines.items():
            reward = contract.judge(cases[0]).reward
            rows.append(
                f"| {code(response(cases[0]))} | {plain(setting(cases[0]))} | {failure.replace('_', ' ') or 'right'} | "
                f"{reward:g} | {plain(why)} | {len(cases)} |"
            )
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def setting(case: AnyCase) -> str:
    """Return the instance in a few words, and whether strictly judged or by vision."""
    told = [
        case.setting,
        "strict" if getattr(case, "strict", None) else "",
        "vision" if getattr(case, "vision", None) else "",
    ]
    return ", ".join(filter(None, told))


def response(case: AnyCase) -> str:
    """Return what a table shows of a response: the one field that decides if it is a plain answer, else all of it."""
    try:
        fields = json.loads(case.response)
    except (ValueError, RecursionError):
        return case.response
    if not isinstance(fields, dict) or not case.response.startswith("{"):
        return case.response
    keys = ("formula",) if fields.keys() == {"cards", "number", "formula"} else ("action",)
    if case.group.startswith(("claims", "keys")) or keys[0] not in fields or not isinstance(fields[keys[0]], str):
        return case.response
    return str(fields[keys[0]])


def visible(text: str) -> str:
    """Return the text, cut, with an escape for each sign that cannot be seen."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} signs)"
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode() for sign in cut
    )


def code(text: str) -> str:
    """Return text as a span of code in a cell of a table; nothing in it is read as Markdown or as HTML."""
    shown = visible(text).replace("|", "\\|")
    if not shown.strip():
        return "(nothing)" if not text else "(white space)"
    ticks = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or len(ticks) > 1 else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def plain(text: str) -> str:
    """Return text for a cell of a table, its signs as they stand."""
    return re.sub(r"([\\`*_{}\[\]<>|&#~$])", r"\\\1", visible(text))
