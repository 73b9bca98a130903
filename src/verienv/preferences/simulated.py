"""Simulated annotators, whose errors are known: they read the program's verdicts, and their labels say so.

What an annotator says of a pair is drawn by its name, the pair and the seed, the same in every process.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from math import exp, isfinite
from typing import Literal, get_args

from verienv.core.shown import shown
from verienv.preferences.measures import longer, valid_json
from verienv.preferences.records import Choice, Label, Pair, PairVerdicts, Side

Rule = Literal["program", "flip", "bradley-terry", "biased", "myopic"]
_SHORT: dict[str, str] = {"flip": "error", "bradley-terry": "temperature"}
"""The one parameter of a rule, which may stand without its name."""


@dataclass(frozen=True)
class SimulatedAnnotator:
    """An annotator that a rule stands for.

    Attributes:
        name: goes into the labels.
        rule: "program": the response of the higher reward, or a tie. "flip": the same, but the other response with
            probability ``error`` where the rewards differ. "bradley-terry": a with probability
            sigmoid((reward of a - reward of b) / ``temperature``), and never a tie. "biased": the same, with ``first``,
            ``longer`` and ``json`` added within the sigmoid for the response that is shown first, is longer, or alone
            holds JSON. "myopic": sees which parts of an answer are in order (the verdict's measures), not whether it is
            right; a tie where as many are.
        error, temperature, first, longer, json: see ``rule``.
        seed: fixes what is drawn.

    Raises:
        ValueError: for an unknown rule, or a parameter out of range.
    """

    name: str
    rule: Rule = "program"
    error: float = 0.0
    temperature: float = 1.0
    first: float = 0.0
    longer: float = 0.0
    json: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rule not in get_args(Rule):
            raise ValueError(f"rule={shown(self.rule)}: expected one of {', '.join(get_args(Rule))}")
        if not 0 <= self.error <= 1:
            raise ValueError(f"error={shown(self.error)}: expected a probability from 0 to 1")
        if not 1e-6 <= self.temperature <= 1e6:
            raise ValueError(f"temperature={shown(self.temperature)}: expected a number from 1e-6 to 1e6")
        for name in ("first", "longer", "json"):
            if not (isfinite(getattr(self, name)) and abs(getattr(self, name)) <= 1e3):
                raise ValueError(f"{name}={shown(getattr(self, name))}: expected a number from -1000 to 1000")

    @classmethod
    def read(cls, text: str, seed: int = 0) -> SimulatedAnnotator:
        """Read an annotator from words such as "program", "flip:0.25" or "biased:first=1,longer=0.5"; they name it.

        Raises:
            ValueError: as for an annotator, and for a parameter that there is not, or is no number.
        """
        rule, colon, told = text.partition(":")
        known = {field.name for field in fields(cls)} - {"name", "rule", "seed"}
        given = dict[str, float]()
        for part in told.split(",") if colon else ():
            name, _, value = part.partition("=") if "=" in part else (_SHORT.get(rule, ""), "", part)
            if name not in known:
                raise ValueError(f"{shown(text)}: expected parameters among {', '.join(sorted(known))}, as flip:0.25")
            try:
                given[name] = float(value)
            except ValueError:
                raise ValueError(f"{shown(text)}: {name}={shown(value)} is no number") from None
        return replace(cls(text.replace(",", "+").replace("=", ":")), rule=rule, seed=seed, **given)  # type: ignore[arg-type]

    def label(self, pair: Pair, verdicts: PairVerdicts) -> Label:
        """Label a pair, whose verdicts these are. Raises ValueError for those of another pair."""
        if pair.pair != verdicts.pair:
            raise ValueError(f"pair={shown(pair.pair)}: the verdicts are those of {shown(verdicts.pair)}")
        first: Side = "a" if self._draw("side", pair.pair) < 0.5 else "b"
        return Label(
            pair=pair.pair,
            annotator=self.name,
            kind="program" if self.rule == "program" else "simulated",
            choice=self._choice(pair, verdicts, first),
            shown_first="" if self.rule == "program" else first,
        )

    def _choice(self, pair: Pair, verdicts: PairVerdicts, first: Side) -> Choice:
        drawn = self._draw("choice", pair.pair)
        better = verdicts.better
        if self.rule == "program" or (self.rule == "flip" and better == "tie"):
            return better
        if self.rule == "flip":
            return better if drawn >= self.error else _other(better)
        if self.rule == "myopic":
            a, b = (sum(value is True for value in each.metrics.values()) for each in (verdicts.a, verdicts.b))
            return "tie" if a == b else "a" if a > b else "b"
        score = (verdicts.a.reward - verdicts.b.reward) / self.temperature
        if self.rule == "biased":
            for weight, side in ((self.first, first), (self.longer, longer(pair)), (self.json, valid_json(pair))):
                score += weight * {"a": 1, "b": -1, "tie": 0}[side]
        return "a" if drawn < _sigmoid(score) else "b"

    def _draw(self, *what: object) -> float:
        digest = sha256(repr((self.seed, self.name, *what)).encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56


def _other(side: str) -> Choice:
    return "b" if side == "a" else "a"


def _sigmoid(score: float) -> float:
    return 1 / (1 + exp(-score)) if score > -700 else 0.0
