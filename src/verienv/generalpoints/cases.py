"""Cases of GeneralPoints for verifiers: the shipped vectors, solver-made answers, hostile text, repeated faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from verienv.arithmetic.solver import solutions
from verienv.core.cases import FLOOD_UNITS, HOSTILE_CODE, Level, Material, noise, read_vectors
from verienv.generalpoints.answers import random_expression, write_answer
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.case import Case, read_vector
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS

VECTORS = "vectors/generalpoints.jsonl"

CALIBRATION_HANDS = ("4 3 2 K", "6 A 4 J", "2 5 7 9", "8 3 2 A", "9 5 4 2")


@lru_cache(maxsize=1)
def load_vectors() -> tuple[Case, ...]:
    """Every case of ``assets/vectors/generalpoints.jsonl``. Raises ValueError if the file is damaged."""
    return read_vectors(VECTORS, read_vector, "tools/build_vectors.py")


def material(vision: bool, strict: bool, hands: int, seed: int) -> Material:
    """Everything, with the answers to ``hands`` random hands."""
    cases = [case for case in load_vectors() if case.holds(vision, strict)]
    solved = list(solver_cases(hands, seed))
    cases += solved
    cases += misread(solved) if vision else []
    cases += [*other_puzzle_cases(solved), *near_cases(), *hostile_cases(seed)]
    return Material.of(calibration_cases(), cases, solved, repeated_fault_cases(), repeated_right_cases())


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
        equation = write_answer(puzzle, f"({formula})=24")
        yield Case("solved", equation, puzzle, "", "a solution, as an equation", level="full")
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
        for text in (f"({formula}", f"{formula})"):
            yield Case("unbalanced", write_answer(puzzle, text), puzzle, "illegal", "a parenthesis without its other")
        yield Case("claim", write_answer(puzzle, f"{formula}=25"), puzzle, "false_equation", "it claims 25")
        last = "the last answer counts, and it is"
        for wrong in [write_answer(puzzle, miss) for miss in off]:
            yield Case("drafts", f"{wrong}\nNo. {right}", puzzle, "", f"{last} right", level="full")
            yield Case("drafts", f"{right}\nNo. {wrong}", puzzle, "wrong_value", f"{last} wrong", level="full")


def _solvable(rng: np.random.Generator, rule: str) -> tuple[Puzzle, list[str]]:
    while True:
        puzzle = Puzzle([RANKS[int(i)] for i in rng.integers(len(RANKS), size=4)], rule)
        if found := solutions(puzzle.values, 24):
            return puzzle, [expression.minimal() for expression in found]


def other_puzzle_cases(solved: Iterable[Case]) -> Iterator[Case]:
    """The response that solves a puzzle, given to puzzles that differ in one respect, and to the first again."""
    for case in {case.puzzle: case for case in solved if case.why == "a solution"}.values():
        puzzle, rule, ranks = case.puzzle, case.puzzle.rule, case.puzzle.ranks
        first = RANKS[RANKS.index(ranks[0]) - 1]
        others = {
            "right for another target only": (Puzzle(ranks, rule, 25), "wrong_value"),
            "right for another hand only": (Puzzle((first, *ranks[1:]), rule), "wrong_numbers"),
        }
        strange = next(each for each in PRESETS.values() if each.values["J"] != rule.values["J"])
        if Puzzle(ranks, strange).numbers != puzzle.numbers:
            others["right under another rule only"] = Puzzle(ranks, strange), "wrong_numbers"
            others["right under the stated rule, not the scored one"] = (
                Puzzle(ranks, strange, stated_rule=rule),
                "wrong_numbers",
            )
            stated = Puzzle(ranks, rule, stated_rule=strange)
            yield replace(case, name="same response", puzzle=stated, why="the scored rule counts, not the stated one")
        for why, (other, failure) in others.items():
            if other.numbers != puzzle.numbers or failure == "wrong_value":
                yield replace(case, name="same response", puzzle=other, failure=failure, why=why)
        suited = Puzzle([rank + suit for rank, suit in zip(ranks, "SCHD", strict=True)], rule)
        yield replace(case, name="same response", puzzle=suited, why="a solution; the suits do not matter")
        yield case


NEAR_NUMBERS = {
    "the digits are the cards', the numbers are not": (
        ("A 2 2 A", "12*2*1"),
        ("2 2 2 5", "25-2/2"),
        ("A 2 4 5", "45-21"),
        ("2 3 3 5", "32-3-5"),
        ("2 2 6 10", "2*20-16"),
        ("A 4 6 10", "1*40-16"),
        ("3 3 6 9", "(3+69)/3"),
    ),
    "the numbers have the cards' sum": (("2 4 6 9", "1+13+2*5"), ("3 3 5 7", "(1-3)*(1-13)")),
    "the numbers have the cards' product": (("A 6 6 8", "12*(1+2)-12"), ("2 2 4 8", "1*8+2*8")),
    "the numbers have the cards' sum and product": (("4 9 9 10", "12*(5+6-9)"), ("3 6 7 8", "4+4+7+9")),
    "each number is a card's, but not as often": (("4 6 6 6", "4*4*6/4"), ("A A 4 7", "1*4*7-4")),
}

NEAR_VALUES = (
    ("10 A 9 J Q K", {"J": 97, "Q": 98, "K": 99}, 10, "10+1/(99*98*97*9)"),
    ("10 A 9 J Q K", {"J": 97, "Q": 98, "K": 99}, 10, "10-1/(99*98*97*9)"),
    ("10 A J J J J", {"J": 99, "Q": 98, "K": 97}, 10, "10+1/(99*99*99*99)"),
    ("A J J J J J", {"J": 99, "Q": 98, "K": 97}, 1, "99/(99-1/(99*99*99))"),
    ("A J J J J J", {"J": 99, "Q": 98, "K": 97}, 970_299, "99*99*99+1/(99*99)"),
)
"""Cards, rule, target and a formula that misses it by so little that a tolerance pays it."""


def near_cases() -> Iterator[Case]:
    """Numbers that agree with the cards' in one respect, and values that are the target up to a tolerance."""
    for why, pairs in NEAR_NUMBERS.items():
        for hand, formula in pairs:
            puzzle = Puzzle(hand.split())
            yield Case("near numbers", write_answer(puzzle, formula), puzzle, "wrong_numbers", why)
    for hand, rule, target, formula in NEAR_VALUES:
        puzzle = Puzzle(hand.split(), rule, target)
        yield Case("near value", write_answer(puzzle, formula), puzzle, "wrong_value", "near the target is not on it")


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
        level: Level = "total" if why == "illegal characters" else "task"  # some would take those for a comment
        yield [
            Case("piling", write(2**power), puzzle, "illegal", f"{2**power} {why}", level=level) for power in range(9)
        ]


def repeated_right_cases() -> Iterator[list[Case]]:
    """Families of one right answer, given 1, 2, 4, ..., 256 times, or after so many sentences."""
    puzzle = Puzzle(("4", "3", "2", "K"))
    right = write_answer(puzzle, "4*3+2+10")
    families = {"times": f"{right}\n", "sentences before the answer": "Let me think. "}
    for why, unit in families.items():
        texts = [unit * 2**power + right for power in range(9)]
        yield [Case("again", text, puzzle, "", f"{2**power} {why}", level="full") for power, text in enumerate(texts)]
