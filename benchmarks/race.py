"""Two sides racing in one process: what every benchmark here is made of."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym


class NoOp(gym.Env[int, int]):
    """The least an environment can do."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {}


@dataclass
class Row:
    """One comparison: microseconds of ours and theirs, their ratio, and its bound."""

    name: str
    ours: float
    theirs: float
    exactness: str = "-"
    most: float | None = None
    """The most that ours may take of theirs."""

    @property
    def holds(self) -> bool:
        return self.most is None or self.ours <= self.most * self.theirs

    def __str__(self) -> str:
        ratio = self.ours / self.theirs
        times = f"{ratio:7.2f} x the time" if ratio > 1 else f"{1 / ratio:7.1f} x faster "
        bound = ""
        if self.most is not None:
            told = f"at most {self.most:g} x" if self.most >= 1 else f"at least {1 / self.most:g} x faster"
            bound = f"{told}: {'holds' if self.holds else 'BROKEN'}"
        return f"{self.name:74} {self.ours:10.1f} {self.theirs:10.1f} {times}  {self.exactness:>13}  {bound}".rstrip()


def seconds(run: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """Wall time a call; the last result is kept alive until the next is there."""
    last = None
    start = time.perf_counter()
    for given in inputs:
        last = run(given)
    taken = (time.perf_counter() - start) / len(inputs)
    del last
    return taken


def race(
    rounds: int,
    ours: Callable[[Any], Any],
    theirs: Callable[[Any], Any],
    inputs: Callable[[int], tuple[Sequence[Any], Sequence[Any]]],
) -> tuple[float, float]:
    """Median microseconds of both, taking turns, with the inputs of each round."""
    times = []
    for number in range(rounds):
        for_ours, for_theirs = inputs(number)
        pair = [seconds(ours, for_ours), seconds(theirs, for_theirs)]
        if number:  # the first round warms up
            times.append(pair)
    # The ratio of each round is what load disturbs least: report the round whose ratio is the median.
    times.sort(key=lambda pair: pair[0] / pair[1])
    middle = times[len(times) // 2]
    return middle[0] * 1e6, middle[1] * 1e6


def report(about: str | None, measures: Iterable[Callable[[int], Sequence[Row]]], rounds: int = 9) -> int:
    """Run the measures as a script's arguments say and print their rows; the exit status."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a bound is broken")
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds of each comparison, at least 3")
    options = parser.parse_args()
    print(f"{'ours / theirs':74} {'ours us':>10} {'theirs us':>10}")
    held = True
    for measure in measures:
        for row in measure(max(options.rounds, 3)):
            print(row, flush=True)
            held &= row.holds
    return 0 if held or not options.check else 1
