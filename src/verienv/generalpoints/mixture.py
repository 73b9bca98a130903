"""Mixtures: rule, target and number of cards drawn with the hand, each from several values."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from verienv.core.shown import shown
from verienv.generalpoints.cards import FACES
from verienv.generalpoints.puzzle import FEWEST_CARDS, LARGEST_TARGET, MOST_CARDS, read_instance
from verienv.generalpoints.rules import AnyRule, FaceRule, rules_but
from verienv.generalpoints.sampler import Dealing, Sampler, sampler_for

Value = TypeVar("Value")
Weighted = tuple[tuple[Value, float], ...]
"""Values, each with its weight."""

MOST_COMBINATIONS = 256
"""Combinations of rule, target and number of cards in one setting."""
MOST_WITH_ANY = 4096
"""Those where one of the rules is "any", which stands for hundreds."""
Rule = FaceRule | AnyRule


def parse_rule(given: Any) -> Rule | Weighted[Rule]:
    """Return a rule or "any", or several with their weights. Raises ValueError that names what is wrong.

    A mapping with J, Q or K among its keys is one rule; any other gives the weight of each rule by its name or JSON.
    """
    if isinstance(given, Mapping) and any(face in given for face in FACES):
        return FaceRule.of(given)
    return _parse("rule", given, _rule_of, lambda key: json.loads(key) if key[:1] == "{" else key)


def parse_held_out(given: Any) -> tuple[FaceRule, ...]:
    """Return the rules that "any" leaves out, of a list or alone. Raises ValueError that names what is wrong."""
    listed = given if isinstance(given, list | tuple) else [given]
    return tuple([FaceRule.of(one) for one in listed])


def _rule_of(given: Any) -> Rule:
    return "any" if isinstance(given, str) and given == "any" else FaceRule.of(given)


def parse_target(given: Any) -> int | Weighted[int]:
    """Return a target, or several with their weights. Raises ValueError that names what is wrong."""
    return _parse_integers("target", given, 1, LARGEST_TARGET)


def parse_cards(given: Any) -> int | Weighted[int]:
    """Return a number of cards, or several with their weights. Raises ValueError that names what is wrong."""
    return _parse_integers("cards", given, FEWEST_CARDS, MOST_CARDS)


def _parse_integers(name: str, given: Any, least: int, most: int) -> int | Weighted[int]:
    def parse(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name}={shown(value)}: expected an integer from {least} to {most}")
        return value

    return _parse(name, given, parse, lambda key: int(key) if key.isascii() and key.isdigit() and len(key) < 9 else key)


def _parse(
    name: str, given: Any, parse: Callable[[Any], Value], read_key: Callable[[str], Any]
) -> Value | Weighted[Value]:
    """Return one value, or the values of a list, a list of [value, weight], or a mapping of values to weights."""
    if isinstance(given, Mapping):
        try:
            pairs = [(read_key(key) if isinstance(key, str) else key, weight) for key, weight in given.items()]
        except (ValueError, RecursionError):
            raise ValueError(f"{name}={shown(dict(given))}: a key is no JSON") from None
    elif isinstance(given, list | tuple):
        are_pairs = all(isinstance(each, list | tuple) and len(each) == 2 for each in given)
        pairs = list(map(tuple, given)) if are_pairs else [(each, 1) for each in given]
    else:
        return parse(given)
    if not 1 <= len(pairs) <= MOST_COMBINATIONS:
        raise ValueError(f"{name}={shown(given)}: expected 1 to {MOST_COMBINATIONS} values")
    weighted = tuple([(parse(value), _weight(name, value, weight)) for value, weight in pairs])
    return weighted[0][0] if len(weighted) == 1 else weighted


def _weight(name: str, value: Any, weight: Any) -> float:
    try:
        number = float(weight) if type(weight) in (int, float) else 0.0
    except OverflowError:
        number = 0.0
    if not (isfinite(number) and number > 0):
        raise ValueError(f"{name}={shown(value)} has the weight {shown(weight)}: expected a positive finite number")
    return number


def shares(setting: Value | Weighted[Value]) -> list[tuple[Value, float]]:
    """Return the values of a setting, each with its probability."""
    if not isinstance(setting, tuple):
        return [(setting, 1.0)]
    largest = max(weight for _, weight in setting)
    total = sum(weight / largest for _, weight in setting)
    return [(value, weight / largest / total) for value, weight in setting]


def rule_shares(setting: Rule | Weighted[Rule], held_out: Sequence[FaceRule]) -> list[tuple[FaceRule, float]]:
    """Return the rules of a setting, each with its probability; those that "any" stands for are alike."""
    found = list[tuple[FaceRule, float]]()
    for rule, share in shares(setting):
        meant = [rule] if isinstance(rule, FaceRule) else rules_but({*held_out})
        found += [(one, share / len(meant)) for one in meant]
    return found


class Mixture:
    """Draws one of several dealings, and a hand of it.

    Args:
        dealings: each with its probability, or a number proportional to it.

    Attributes:
        dealings: the dealings.
        only: the sampler of the only one, None of several.

    Raises:
        ValueError: names the first of several that admits no hand.
    """

    def __init__(self, dealings: Sequence[tuple[Dealing, float]]) -> None:
        self.dealings = [dealing for dealing, _ in dealings]
        self._weights = [weight for _, weight in dealings]
        self._samplers = [sampler_for(each) for each in self.dealings] if len(dealings) <= MOST_COMBINATIONS else []
        self.only = self._samplers[0] if len(self._samplers) == 1 else None
        if not self.only:
            for sampler in self._samplers:
                sampler.check()

    def deal(self, rng: np.random.Generator) -> tuple[int, tuple[str, ...]]:
        """Draw which dealing, if there are several, and the ranks of a hand of it, in the order of the table."""
        number = 0 if self.only else _draw(self._weights, rng)
        return number, self._sampler(number).deal(rng)

    def _sampler(self, number: int) -> Sampler:
        """Return the sampler of a dealing; where there are hundreds it lists no hands, which takes a tenth second."""
        return self._samplers[number] if self._samplers else Sampler(self.dealings[number], lists=False)

    def given(self, instance: str, rng: np.random.Generator) -> tuple[int, tuple[str, ...]]:
        """Return the ranks of an instance, and draw which of the dealings that admit it, if there are several at all.

        Raises:
            ValueError: if none does.
        """
        puzzle = read_instance(instance)
        weights = [weight * dealing.fits(puzzle) for dealing, weight in zip(self.dealings, self._weights, strict=True)]
        if not any(weights):
            several = f", or any of {len(weights) - 1} other combinations" if len(weights) > 1 else ""
            raise ValueError(
                f"instance={shown(instance)} cannot be dealt here ({self.dealings[0]}{several}); choose a setting "
                "with its target and number of cards, in which the suits suffice and the target can be made"
            )
        return _draw(weights, rng) if len(weights) > 1 else 0, puzzle.ranks


def _draw(weights: Sequence[float], rng: np.random.Generator) -> int:
    """Return the place of a weight, drawn in proportion to it. One draw."""
    upto = list(accumulate(weights))
    return min(bisect_right(upto, float(rng.random()) * upto[-1]), _last(weights))


def _last(weights: Sequence[float]) -> int:
    """Return the last place that may be drawn: rounding must not lead past it."""
    return max(place for place, weight in enumerate(weights) if weight)
