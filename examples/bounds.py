"""Numbers within bounds, which stand beside an argument in its type: ``rate: bounds.Rate = 6e-5``.

They leave out what is no number, what cannot be computed with and what no machine could do, so that a slip ends in one
line before any work begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of an argument, both accepted; ``or_zero`` accepts 0 besides."""

    least: float
    most: float
    or_zero: bool = False

    def check(self, name: str, value: Any, *, whole: bool) -> None:
        """Raise ValueError, naming the option, for a value outside, no number, or not whole where it must be."""
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if number and ((self.or_zero and value == 0) or (isfinite(value) and self.least <= value <= self.most)):
            return
        kind = "an integer" if whole else "a number"
        raise ValueError(
            f"--{name.replace('_', '-')} {str(value)[:40]}: expected {kind} from {self.least:,.10g} to "
            f"{self.most:,.10g}" + (", or 0" if self.or_zero else "")
        )


Budget = Annotated[float, Bounds(1, 1e30)]
"""Floating-point operations; the largest models there are cost some 1e26."""
Rate = Annotated[float, Bounds(1e-12, 1e3)]
"""A learning rate. Adam moves each weight by about so much in an update."""
Size = Annotated[int, Bounds(1, 100_000)]
"""Things that are held at once, or an update."""
Count = Annotated[int, Bounds(1, 10**9)]
"""Things that come one after the other."""
Attempts = Annotated[int, Bounds(1, 64)]
Length = Annotated[int, Bounds(1, 1_000_000)]
"""Tokens of a response."""
Seed = Annotated[int, Bounds(0, 2**32 - 1)]
Share = Annotated[float, Bounds(0, 1)]
Clip = Annotated[float, Bounds(1e-6, 1e3)]
Norm = Annotated[float, Bounds(1e-9, 1e9)]
Weight = Annotated[float, Bounds(0, 1e3)]
"""The weight of a penalty, or of one among several losses."""
Temperature = Annotated[float, Bounds(1e-4, 1e4)]
OrGreedy = Annotated[float, Bounds(1e-4, 1e4, or_zero=True)]
"""A temperature, or 0 for the likeliest token."""
Threads = Annotated[int, Bounds(1, 1024)]
Rank = Annotated[int, Bounds(1, 4096, or_zero=True)]


def bounds_in(hint: Any) -> tuple[Bounds, type] | None:
    """The bounds within a type, as in ``tuple[Rate, ...]`` or ``Size | None``, and the type of the number."""
    if get_origin(hint) is Annotated:
        return next(((each, hint.__origin__) for each in hint.__metadata__ if isinstance(each, Bounds)), None)
    return next((found for part in get_args(hint) if (found := bounds_in(part))), None)


def check(arguments: Any) -> None:
    """Raise ValueError, in one line, for the first number that is outside its bounds, and for a list with none."""
    for name, hint in get_type_hints(type(arguments), include_extras=True).items():
        found, value = bounds_in(hint), getattr(arguments, name)
        if found is None or value is None:
            continue
        if value == ():
            raise ValueError(f"--{name.replace('_', '-')}: expected at least one number")
        for each in value if isinstance(value, tuple) else (value,):
            found[0].check(name, each, whole=found[1] is int)
