"""Cases of GeneralPoints for verifiers: the shipped vectors, solver-made answers, hostile text, repeated faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from verienv.arithmetic.solver import solutions
from verienv.core.cases import FLOOD_UNITS, HOSTILE_CODE, AnyCase, Material, noise, read_vectors
from verienv.generalpoints.answers import random_expression, write_answer
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS

VECTORS = "vectors/generalpoints.jsonl"

CALIBRATION_HANDS = ("4 3 2 K", "6 A 4 J", "2 5 7 10", "8 3 2 A", "9 5 4 2")


@dataclass(frozen=True)
class Case(AnyCase):
    """A response to a puzzle and what is owed.

    Attributes:
        name: unique among the vectors.
        failure: "" for a right answer, else why it is none: a member of ``generalpoints.Failure``.
        reward: the paper's reward; None where the case does not fix one.
        vision, strict: the setting of the verifier under which the verdict holds; None for both.
        why: the reason, for people.
    """

    name: str
    response: str
    puzzle: Puzzle
    failure: str
    why: str
    reward: float | None = None
    vision: bool | None = None
    strict: bool | None = None

    @property
    def facts(self) -> Puzzle:
        return self.puzzle

    @property
    def setting(self) -> str:
        """The puzzle in a few words."""
        return f"{' '.join(self.puzzle.ranks)}, rule {self.puzzle.rule.name}, target {self.puzzle.target}"

    def holds(self, vision: bool, strict: bool) -> bool:
        """Whether the verdict holds under these settings."""
        return self.vision in (None, vision) and self.strict in (None, strict)


@lru_cache(maxsize=1)
def load_vectors() -> tuple[Case, ...]:
    """Every case of ``assets/vectors/generalpoints.jsonl``. Raises ValueError if the file is damaged."""
    return read_vectors(VECTORS, _vector, "tools/build_vectors.py")


def _vector(fields: dict[str, Any]) -> Case:
    return Case(
        name=fields["name"],
        response=fields["response"],
        puzzle=Puzzle(fields["cards"], fields["rule"], fields["target"]),
        failure=fields["expect"]["failure"],
        why=fields["why"],
        reward=fields["expect"]["reward"],
        vision=fields.get("vision"),
        strict=fields.get("strict"),
    )


def material(vision: bool, strict: bool, hands: int, seed: int) -> Material:
    """Everything, with the answers to ``hands`` random hands."""
    cases = [case for case in load_vectors() if case.holds(vision, strict)]
    solved = list(solver_cases(hands, seed))
    cases += solved
    cases += misread(solved) if vision else []
    cases += hostile_cases(seed)
    right, wrong = calibration_cases()
    return Material([*right], [*wrong], [*cases], [[*pile] for pile in repeated_fault_cases()])


def calibration_cases() -> tuple[list[Case], list[Case]]:
    """Right answers and answers of the wrong value, as plain as can be: they show how a verifier pays."""
    right, wrong = [], []
    for hand in CALIBRATION_HANDS:
        puzzle = Puzzle(hand.split())
        formula = next(found.minimal() for found in solutions(puzzle.values, 24) if "/" not in found.minimal())
        total = "+".join(map(str, puzzle.values))
        right.append(Case("plain right", write_answer(puzzle, formula), puzzle, "", "a plain right answer"))
        wrong.append(Case("plain wrong", write_answer(puzzle, total), puzzle, "wrong_value", "a plain wrong answer"))
    return right, wrong


def solver_cases(hands: int, seed: int) -> Iterator[Case]:
    """Solutions and near misses of ``hands`` random hands under random preset rules."""
    rng = np.random.default_rng(seed)
    rules = list(PRESETS)
    for _ in range(hands):
        puzzle, formulas = _solvable(rng, rules[int(rng.integers(len(rules)))])
        formula = formulas[int(rng.integers(len(formulas)))]
        right = write_answer(puzzle, formula)
        off = list(_misses(puzzle, rng, 4))
        for other in dict.fromkeys((formula, *formulas[:4])):
            yield Case("solved", write_answer(puzzle, other), puzzle, "", "a solution")
        yield Case("solved", write_answer(puzzle, f"({formula})=24"), puzzle, "", "a solution, as an equation")
        for miss in off:
            yield Case("missed", write_answer(puzzle, miss), puzzle, "wrong_value", "another value")
        foreign = {
            f"{formula}+1-1": "numbers that are no card's",
            f"({formula})*1": "a number that is no card's",
            f"{puzzle.values[0]}*{puzzle.values[1]}*{puzzle.values[2]}": "a card left out",
            "24": "no card at all",
        }
        for text, why in foreign.items():
            yield Case("foreign", write_answer(puzzle, text), puzzle, "wrong_numbers", why)
        yield Case("claim", write_answer(puzzle, f"{formula}=25"), puzzle, "false_equation", "it claims 25")
        wrong = write_answer(puzzle, off[0])
        yield Case("drafts", f"{wrong}\nNo. {right}", puzzle, "", "the last object counts, and it is right")
        yield Case("drafts", f"{right}\nNo. {wrong}", puzzle, "wrong_value", "the last object counts, and it is wrong")


def _solvable(rng: np.random.Generator, rule: str) -> tuple[Puzzle, list[str]]:
    while True:
        puzzle = Puzzle([RANKS[int(i)] for i in rng.integers(len(RANKS), size=4)], rule)
        if found := solutions(puzzle.values, 24):
            return puzzle, [expression.minimal() for expression in found]


def _misses(puzzle: Puzzle, rng: np.random.Generator, count: int) -> Iterator[str]:
    while count:
        expression = random_expression(puzzle.values, rng)
        value = expression.fraction()
        if value is not None and value[0] != 24 * value[1]:
            count -= 1
            yield expression.minimal()


def misread(cases: Iterable[Case]) -> Iterator[Case]:
    """Right answers with one card misread: wrong where the cards were shown as a picture."""
    for case in cases:
        if case.name == "solved":
            fields = json.loads(case.response)
            fields["cards"] = [*fields["cards"][:-1], "2" if fields["cards"][-1] != "2" else "3"]
            yield replace(case, name="misread", response=json.dumps(fields), failure="misread", why="a card is misread")


def hostile_cases(seed: int) -> Iterator[Case]:
    """Text that solves nothing: code, floods of brackets and quotes, noise."""
    puzzle = Puzzle(("4", "3", "2", "K"))
    paying = f"(4*3+2+10)*bool({HOSTILE_CODE})"
    texts = {
        HOSTILE_CODE: "code",
        write_answer(puzzle, HOSTILE_CODE): "code as formula",
        write_answer(puzzle, paying): "code in a formula that makes 24",
        f"{{'cards': ['4', '3', '2', 'K'], 'formula': {HOSTILE_CODE}}}": "code as a Python literal",
        f"{{'formula': '4*3+2+10' if {HOSTILE_CODE} else ''}}": "code as a Python literal",
    }
    for unit in (
        '{"formula":',
        *FLOOD_UNITS,
        ' "',
        " '",
        "\ud800",
        "\0",
        "\\frac{",
        "é",
    ):
        texts[unit * (60_000 // len(unit))] = "a flood"
        texts['{"formula": ' + unit * (30_000 // len(unit)) + "}"] = "a flood where the formula should be"
        texts['{"formula": "' + unit * (30_000 // len(unit)) + '"}'] = "a flood for a formula"
        texts['{"formula":' + "[" * 9 + '"' + unit * (30_000 // len(unit)) + "}"] = "a flood in a string without end"
    texts['{"a":' * 12_000 + "1" + "}" * 12_000] = "deep nesting"
    texts["\n".join(['{"formula": "4*3", "x": "'] * 2500)] = "unfinished drafts"
    pieces = [
        '{"formula": ',
        '"4*3',
        "+2+10",
        '"}',
        "}",
        "{",
        "\\",
        '"',
        "'",
        "\ud800",
        "\x00",
        "é",
        "=",
        "24",
        "\n",
        "[",
        "9",
        "(",
    ]
    for text in noise(pieces, seed):
        if "4*3+2+10" not in text:
            texts[text] = "noise"
    for text, why in texts.items():
        yield Case("hostile", text, puzzle, "unreadable", why)


def repeated_fault_cases() -> Iterator[list[Case]]:
    """Families of one wrong answer with 1, 2, 4, ..., 256 faults of one kind."""
    puzzle = Puzzle(("4", "3", "2", "K"))
    families: dict[str, Callable[[int], str]] = {
        "numbers that are no card's": lambda count: write_answer(puzzle, "4*3+2+10" + "+5" * count),
        "illegal characters": lambda count: write_answer(puzzle, "4*3+2+10" + "#" * count),
        "parentheses never closed": lambda count: write_answer(puzzle, "(" * count + "4*3+2+10"),
        "wrong answers": lambda count: "\n".join([write_answer(puzzle, "4+3+2+10")] * count),
        "cards that are not there": lambda count: write_answer(
            puzzle, "4+3+2+10", cards=(*puzzle.ranks, *["A"] * count)
        ),
        "sentences without an answer": lambda count: "I do not know. " * count,
    }
    for why, write in families.items():
        yield [Case("piling", write(2**power), puzzle, "illegal", f"{2**power} {why}") for power in range(9)]
