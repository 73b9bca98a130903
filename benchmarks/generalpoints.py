"""Speed of GeneralPoints as ratios: both sides in one process, taking turns on distinct inputs; medians of rounds.

python benchmarks/generalpoints.py [--check] [--rounds 9]

Ratios hold from machine to machine far better than times. Beside each stands how often both sides agreed. With
``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import ast
import operator
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations, product
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import sympy

import verienv  # noqa: F401 - registers the ids
from race import NoOp, Row, race, report, seconds
from verienv.arithmetic.solver import _solutions, multisets
from verienv.generalpoints import Dealing, Puzzle, expert_answer, formula_failure, solutions, verify
from verienv.generalpoints.answers import random_expression, write_answer
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.sampler import hands
from verienv.generalpoints.verifier import _sympy_confirms

ENV_ID = "verienv/GeneralPoints-L-v0"
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
NODES = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


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
    verify(expert_answer(Puzzle(("4", "3", "2", "K"))), Puzzle(("4", "3", "2", "K")))  # loads sympy
    return report(__doc__, [resets, verifiers, solver, imports])


if __name__ == "__main__":
    raise SystemExit(main())
