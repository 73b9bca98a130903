"""The card of a start, written from its log."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starts.kinds import HELD_OUT, PROXIES, Kind
from verienv.generalpoints import FaceRule

TEMPLATE = Path(__file__).with_name("card.md")


def card(kind: Kind, log: Path, parameters: int, template: Path = TEMPLATE) -> str:
    """Return the card of a start in Markdown."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    begun, data, stop = lines[0], lines[1], lines[-1]
    steps, (low, high) = stop["stopped_after"], kind.band
    checks = [
        [str(line["check"]), *(f"{value:.1f}" for cell in data["judged_on"] for value in line[cell].values())]
        for line in lines
        if "check" in line
    ]
    if stop["in_band"]:
        end = f"This start is the copy after {steps} steps."
    else:
        end = f"**No copy was within the band**: this start is the nearest, the copy after {steps} steps."
    return template.read_text().format(
        **asdict(kind) | {"image_tokens": getattr(kind, "image_tokens", 0)},
        **data["pool"],
        other_rules=begun["training_rules"],
        seed=begun["seed"],
        seconds=stop["cpu_seconds"],
        parameters=parameters,
        steps=steps,
        share=kind.share_of_ten,
        held_out=numbers(HELD_OUT),
        proxies=" and ".join(map(numbers, PROXIES)),
        metric=kind.gauge,
        low=low,
        high=high,
        end=end,
        checks="\n".join(f"| {' | '.join(row)} |" for row in checks),
        problems_id=len(data["judged_on"]["ID"]),
        problems_proxy=len(data["judged_on"]["proxy"]),
    )


def numbers(rule: FaceRule) -> str:
    """Return a rule as "11-12-13"."""
    return f"{rule.J}-{rule.Q}-{rule.K}"
