"""Strategies for hypothesis: puzzles, formulas that solve them, formulas that do not, waypoints, and odd responses.

All shrink towards the plain: the first hand, its shortest solution, plain signs, no decoration.
"""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import combinations_with_replacement

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from verienv.arithmetic.expression import Expression, Item
from verienv.arithmetic.solver import solutions
from verienv.core.cases import Task
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.puzzle import FEWEST_CARDS, MOST_CARDS, Puzzle, check_target
from verienv.generalpoints.rules import PRESETS, FaceRule, RuleLike
from verienv.generalpoints.table import reaches
from verienv.generalpoints.verifier import formula_failure
from verienv.virl.cases import LANDMARKS
from verienv.virl.routes.route import Waypoint


def puzzles(rule: RuleLike | None = None, target: int = 24, count: int = 4) -> SearchStrategy[Puzzle]:
    """Solvable puzzles of ``count`` cards, 3 to 6, under ``rule``, or under any preset rule if it is None.

    Raises ValueError where a setting is wrong or, for 3 and 4 cards, no hand can make the target.
    """
    check_target(target)
    if not FEWEST_CARDS <= count <= MOST_CARDS:
        raise ValueError(f"count={count!r}: expected {FEWEST_CARDS} to {MOST_CARDS} cards")
    rules = list(PRESETS.values()) if rule is None else [FaceRule.of(rule)]
    if count <= 4:
        rules = [each for each in rules if _hands(each, target, count)]
        if not rules:
            raise ValueError(f"no {count} cards make {target} under this rule; choose another target or rule")
    return _puzzles(rules, target, count)


@st.composite
def _puzzles(draw: DrawFn, rules: list[FaceRule], target: int, count: int) -> Puzzle:
    rule = draw(st.sampled_from(rules))
    if count <= 4:
        hand = draw(st.sampled_from(_hands(rule, target, count)))
    else:
        ranks = st.lists(st.sampled_from(RANKS), min_size=count, max_size=count)
        hand = tuple(draw(ranks.filter(lambda drawn: reaches(Puzzle(drawn, rule).values, target))))
    return Puzzle(draw(st.permutations(hand)), rule, target)


@lru_cache(maxsize=256)
def _hands(rule: FaceRule, target: int, count: int) -> tuple[tuple[str, ...], ...]:
    hands = combinations_with_replacement(RANKS, count)
    return tuple(hand for hand in hands if reaches([rule.values[rank] for rank in hand], target))


def solving_formulas(puzzle: Puzzle) -> SearchStrategy[str]:
    """Formulas that solve ``puzzle``: any solution, any spelling of the grammar. Raises ValueError if there is none."""
    found = solutions(puzzle.values, puzzle.target)
    if not found:
        raise ValueError(f"{' '.join(puzzle.ranks)} cannot make {puzzle.target} under rule {puzzle.rule.name}")
    return _spelled(found, puzzle.target)


@st.composite
def _spelled(draw: DrawFn, found: tuple[Expression, ...], target: int) -> str:
    expression = draw(st.sampled_from(found))
    text = expression.full() if draw(st.booleans()) else expression.minimal()
    text = draw(st.sampled_from(["{}", "({})", "{}={target}", "{target}={}"])).format(text, target=target)
    space = draw(st.sampled_from(["", " ", "\t", "\n"]))
    signs = {
        "*": ["*", "×", "·", "⋅", "∗", "＊", "x", "X", r"\times ", r"\cdot "],
        "/": ["/", "÷", "∕", "／", r"\div "],
        "-": ["-", "−", "–", "—", "－"],
        "+": ["+", "＋"],
    }
    for plain, spellings in signs.items():
        text = text.replace(plain, space + draw(st.sampled_from(spellings)) + space)
    return draw(st.sampled_from(["{}", " {} ", "{}.", "{},", "${}$", r"\({}\)", r"\boxed{{{}}}"])).format(text)


def failing_formulas(puzzle: Puzzle) -> SearchStrategy[str]:
    """Formulas that do not solve ``puzzle``: another value, other numbers, a false claim, broken or foreign text."""
    right = [found.minimal() for found in solutions(puzzle.values, puzzle.target)] or [str(puzzle.target)]
    solved = st.sampled_from(right)
    trees = _trees(puzzle.values)
    foreign = st.lists(st.integers(0, 99), min_size=2, max_size=7).flatmap(lambda values: _trees(tuple(values)))
    claims = st.integers(0, 999_999).filter(lambda claim: claim != puzzle.target)
    changed = [
        trees,
        st.builds("{}={}".format, st.one_of(solved, trees), claims),
        st.builds("{}{}".format, solved, st.sampled_from(["+1-1", "*1", "/1", "+0", ")", "+", "**1", "^1", "!", "#"])),
        st.builds(lambda text, at, odd: text[:at] + odd + text[at:], solved, st.integers(0, 9), any_text(min_size=1)),
        foreign,
        any_text(),
    ]
    return st.one_of(changed).filter(lambda formula: formula_failure(formula, puzzle) != "")


@st.composite
def _trees(draw: DrawFn, values: tuple[int, ...]) -> str:
    parts: list[tuple[Item, ...]] = [(value,) for value in draw(st.permutations(values))]
    while len(parts) > 1:
        at = draw(st.integers(0, len(parts) - 2))
        parts[at : at + 2] = [(*parts[at], *parts[at + 1], draw(st.sampled_from("+-*/")))]
    expression = Expression(parts[0])
    return expression.full() if draw(st.booleans()) else expression.minimal()


def odd_responses(task: Task = "generalpoints") -> SearchStrategy[str]:
    """Responses that no one asked for: any Unicode text, lone surrogates included, broken and odd JSON, floods."""
    key, answer, others = _FIELDS[task]
    pieces = [
        f'{{"{key}": ',
        '"',
        answer,
        "}",
        "{",
        "[",
        "]",
        "'",
        "\\",
        ",",
        ":",
        "=24",
        "\n",
        "\\frac{",
        "\ud800",
        "null",
    ]
    fragments = st.lists(st.one_of(st.sampled_from(pieces), any_text(max_size=3)), max_size=30).map("".join)
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_text())
    values = st.recursive(
        scalars, lambda inner: st.one_of(st.lists(inner), st.dictionaries(any_text(), inner)), max_leaves=8
    )
    fields = st.fixed_dictionaries({key: values}, optional=dict.fromkeys(others, values))
    objects = st.one_of(fields.map(json.dumps), fields.map(str))
    floods = st.builds(lambda piece, times: piece * times, st.sampled_from(pieces), st.integers(1, 2000))
    cut = st.builds(lambda text, at: text[:at], objects, st.integers(0, 60))
    return st.one_of(any_text(), fragments, objects, cut, floods, st.lists(objects).map("\n".join))


_FIELDS: dict[Task, tuple[str, str, tuple[str, ...]]] = {
    "generalpoints": ("formula", "4*3+2+10", ("cards", "number")),
    "virl": ("action", "turn_direction(", ("current observation", "current instruction")),
}


@st.composite
def waypoints(draw: DrawFn) -> Waypoint:
    """Waypoints of every move, their turns of 22.6 to 157.4 degrees, with or without a landmark and a crossing."""
    headings = st.integers(0, 3599).map(lambda tenths: tenths / 10)
    heading, turn = draw(headings), draw(st.integers(226, 1574)) * draw(st.sampled_from([1, -1])) / 10
    landmark = draw(st.sampled_from(("", *LANDMARKS)))
    return Waypoint(
        heading=heading,
        move=draw(st.sampled_from(("forward", "turn", "stop"))),
        turn_to=(heading + turn) % 360,
        sentence=draw(st.sampled_from(("Walk forward.", "Turn until Joe's Pizza is on your left.", ""))),
        landmark=landmark,
        landmark_name=landmark,
        landmark_bearing=draw(headings),
        at_intersection=draw(st.booleans()),
    )


def any_text(min_size: int = 0, max_size: int | None = None) -> SearchStrategy[str]:
    """Text over all code points, lone surrogates included."""
    return st.text(st.characters(exclude_categories=()), min_size=min_size, max_size=max_size)
