"""The material of starts that follow routes, and their card."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from starts.material import Material
from starts.routes.judging import RouteJudge
from starts.routes.kind import Routes
from starts.routes.pool import RoutePool
from starts.routes.tokens import make_tokenizer
from starts.training import make_model

TEMPLATE = Path(__file__).with_name("card.md")


def prepare(kind: Routes, seed: int, starts: Path) -> Material:
    """Return the material of a start; it is made of no other."""
    tokenizer = make_tokenizer()
    judge = RouteJudge(kind, tokenizer)
    return Material(
        tokenizer,
        lambda _: make_model(kind, tokenizer),
        RoutePool(kind, tokenizer, np.random.default_rng([seed, 0])),
        judge,
        judged_on={name: sorted({one.instance for one in items}) for name, items in judge.items.items()},
        card=partial(card, kind),
    )


def card(kind: Routes, log: Path, parameters: int) -> str:
    """Return the card of a start in Markdown."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    begun, data, stop = lines[0], lines[1], lines[-1]
    steps, (low, high) = stop["stopped_after"], kind.band
    checks = [
        [str(line["check"]), *(f"{value:.1f}" for cell in ("ID", "proxy") for value in line[cell].values())]
        for line in lines
        if "check" in line
    ]
    if stop["in_band"]:
        end = f"This start is the copy after {steps} steps."
    else:
        end = f"**No copy was within the band**: this start is the nearest, the copy after {steps} steps."
    demonstrations = (steps + kind.cooling) * kind.batch
    return TEMPLATE.read_text().format(
        **asdict(kind) | {"cities": ", ".join(kind.cities), "judged_in": ", ".join(kind.judged_in)},
        **data["pool"],
        seed=begun["seed"],
        seconds=stop["cpu_seconds"],
        parameters=parameters,
        steps=steps,
        seen=demonstrations,
        relative_seen=round(demonstrations * kind.share_of_relative),
        relative_turns_seen=round(demonstrations * kind.share_of_relative * data["pool"]["relative_turns"]),
        low=low,
        high=high,
        end=end,
        checks="\n".join(f"| {' | '.join(row)} |" for row in checks),
    )
