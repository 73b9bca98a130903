"""Speed of GeneralPoints as ratios: both sides in one process, taking turns on distinct inputs; medians of rounds.

python benchmarks/generalpoints.py [--check] [--rounds 9]

Ratios hold from machine to machine far better than times. Beside each stands how often both sides agreed. With
``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import argparse
import ast
import operator
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import sympy

import verienv  # noqa: F401 - registers the ids
from verienv.generalpoints import Dealing, Puzzle, expert_answer, formula_failure, solutions, verify
from verienv.generalpoints.answers import write_answer
from verienv.generalpoints.dealer import hands
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.flaws import random_expression
from verienv.generalpoints.solver import _solutions, multisets
from verienv.generalpoints.verifier import _sympy_confirms

ENV_ID = "verienv/GeneralPoints-L-v0"
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
NODES = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


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
            told = f"at most {self.most:g} x" if self.most > 1 else f"at least {1 / self.most:g} x faster"
            bound = f"{told}: {'holds' if self.holds else 'BROKEN'}"
        return f"{self.name:66} {self.ours:10.1f} {self.theirs:10.1f} {times}  {self.exactness:>13}  {bound}".rstrip()


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


def resets(rounds: int, count: int = 2000) -> list[Row]:
    rows = []
    for how, ours, theirs in (
        ("", GeneralPointsEnv(), NoOp()),
        (", wrapped as by gym.make", gym.make(ENV_ID), gym.wrappers.OrderEnforcing(NoOp())),
    ):

        def seeds(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
            return (range(number * count, (number + 1) * count),) * 2

        pair = race(
            rounds, lambda seed, env=ours: env.reset(seed=seed), lambda seed, env=theirs: env.reset(seed=seed), seeds
        )
        rows.append(Row(f"seeded reset / no-op environment's seeded reset{how}", *pair, most=3))
    first, no_op = GeneralPointsEnv(), NoOp()
    first.reset(seed=0)
    no_op.reset(seed=0)
    pair = race(rounds, lambda _: first.reset(), lambda _: no_op.reset(), seeds)
    rows.append(Row("unseeded reset / no-op environment's unseeded reset", *pair))
    pair = race(
        rounds, lambda seed: first.reset(seed=seed), brute_force, lambda number: (seeds(number)[0], sample(number, 2))
    )
    checked = sample(99, 10)
    agree = sum(brute_force(values) == bool(solutions(values, 24)) for values in checked)
    rows.append(Row("seeded reset / brute-force solve with Fraction", *pair, exactness=f"{agree}/{len(checked)} agree"))
    return rows


def sample(number: int, count: int) -> list[tuple[int, ...]]:
    every = list(multisets(13, 4))
    return [every[index] for index in np.random.default_rng(number).choice(len(every), count, replace=False)]


def brute_force(values: Sequence[int]) -> bool:
    """Whether 24 can be made, over every order, choice of operators and one of five shapes. All are tried."""
    found = False
    for numbers in set(permutations(map(Fraction, values))):
        a, b, c, d = numbers
        for f, g, h in product(OPERATORS.values(), repeat=3):
            for shape in (
                lambda: h(g(f(a, b), c), d),  # noqa: B023
                lambda: h(f(a, g(b, c)), d),  # noqa: B023
                lambda: g(f(a, b), h(c, d)),  # noqa: B023
                lambda: f(a, h(g(b, c), d)),  # noqa: B023
                lambda: f(a, g(b, h(c, d))),  # noqa: B023
            ):
                try:
                    found |= shape() == 24
                except ZeroDivisionError:
                    continue
    return found


def formulas(number: int, count: int) -> list[tuple[Puzzle, str]]:
    """Half of them solve their puzzle, half are random; no formula comes up in two rounds."""
    rng = np.random.default_rng(1000 + number)
    dealt = hands(Dealing())
    made = []
    for place in range(count):
        puzzle = Puzzle(tuple(rng.permutation(dealt[int(rng.integers(len(dealt)))])))
        if place % 2:
            text = random_expression(puzzle.values, rng).full()
        else:
            found = solutions(puzzle.values, 24)
            text = found[int(rng.integers(len(found)))].minimal()
        made.append((puzzle, text))
    return made


def sympy_says(text: str) -> bool:
    return bool(sympy.parse_expr(text) == 24)


def fraction_says(text: str) -> bool:
    def value(node: ast.AST) -> Fraction:
        if isinstance(node, ast.BinOp):
            return Fraction(NODES[type(node.op)](value(node.left), value(node.right)))
        return Fraction(node.value)  # type: ignore[attr-defined]

    try:
        return value(ast.parse(text, mode="eval").body) == 24
    except ZeroDivisionError:
        return False


def verifiers(rounds: int, count: int = 300) -> list[Row]:
    def responses(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
        made = formulas(number, count)
        return [(write_answer(puzzle, text), puzzle) for puzzle, text in made], [text for _, text in made]

    def bare(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
        made = formulas(number, count)
        return [(text, puzzle) for puzzle, text in made], [text for _, text in made]

    made = formulas(0, count)
    ours = [verify(write_answer(puzzle, text), puzzle).is_correct for puzzle, text in made]
    by_sympy = sum(said == sympy_says(text) for said, (_, text) in zip(ours, made, strict=True))
    by_fraction = sum(said == fraction_says(text) for said, (_, text) in zip(ours, made, strict=True))
    judge = race(rounds, lambda given: verify(*given), sympy.parse_expr, responses)
    _sympy_confirms.cache_clear()
    cold = race(rounds, unconfirmed, sympy.parse_expr, responses)
    alone = race(rounds, lambda given: formula_failure(*given), fraction_says, bare)
    return [
        Row("verify / sympy.parse_expr", *judge, exactness=f"{by_sympy}/{count} agree", most=1 / 8),
        Row("verify, every confirmation anew / sympy.parse_expr", *cold, exactness=f"{by_sympy}/{count} agree"),
        Row("formula_failure / ast with Fraction", *alone, exactness=f"{by_fraction}/{count} agree"),
    ]


def unconfirmed(given: tuple[str, Puzzle]) -> object:
    _sympy_confirms.cache_clear()
    return verify(*given)


def solver(rounds: int) -> list[Row]:
    def fresh(values: tuple[int, ...]) -> Any:
        _solutions.cache_clear()
        return solutions(values, 24)

    pair = race(min(rounds, 5), fresh, brute_force, lambda number: (sample(50 + number, 20), sample(50 + number, 2)))
    return [Row("all distinct solutions of a hand / brute-force solve", *pair)]


def imports(rounds: int) -> list[Row]:
    def fresh(module: str) -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    def start(_: Any) -> None:
        subprocess.run([sys.executable, "-c", ""], check=True)

    base = median(seconds(start, [0]) for _ in range(5)) * 1e6
    ours, theirs = race(min(rounds, 6), fresh, fresh, lambda _: (["verienv"], ["gymnasium"]))
    return [Row("import verienv / import gymnasium, in fresh processes", ours - base, theirs - base)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a bound is broken")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each comparison, at least 3")
    options = parser.parse_args()
    rounds = max(options.rounds, 3)
    verify(expert_answer(Puzzle(("4", "3", "2", "K"))), Puzzle(("4", "3", "2", "K")))  # loads sympy
    print(f"{'ours / theirs':66} {'ours us':>10} {'theirs us':>10}")
    held = True
    for measure in (resets, verifiers, solver, imports):
        for row in measure(rounds):
            print(row, flush=True)
            held &= row.holds
    return 0 if held or not options.check else 1


if __name__ == "__main__":
    raise SystemExit(main())
