"""Strategies for hypothesis: puzzles, formulas that solve them, and formulas that do not.

All shrink towards the plain: the first hand, its shortest solution, plain signs, no decoration.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from verienv.arithmetic.expression import Expression, Item
from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.arithmetic.solver import solutions
from verienv.core.shown import shown
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.puzzle import FEWEST_CARDS, MOST_CARDS, Puzzle, check_target
from verienv.generalpoints.rules import PRESETS, FaceRule, RuleLike
from verienv.generalpoints.table import reaches
from verienv.generalpoints.verifier import formula_failure


def puzzles(
    rule: RuleLike | None = None, target: int = 24, count: int = 4, operators: str = OPERATORS
) -> SearchStrategy[Puzzle]:
    """Solvable puzzles of ``count`` cards, 2 to 6, under ``rule``, or under any preset rule if it is None.

    Formulas may use ``operators``.

    Raises ValueError where a setting is wrong or, for up to 4 cards, no hand can make the target.
    """
    check_target(target)
    allowed = parse_operators(operators)
    if not FEWEST_CARDS <= count <= MOST_CARDS:
        raise ValueError(f"count={shown(count)}: expected {FEWEST_CARDS} to {MOST_CARDS} cards")
    rules = list(PRESETS.values()) if rule is None else [FaceRule.of(rule)]
    if count <= 4:
        rules = [each for each in rules if _hands(each, target, count, allowed)]
        if not rules:
            raise ValueError(f"no {count} cards make {target} under this rule; choose another target or rule")
    return _puzzles(rules, target, count, allowed)


@st.composite
def _puzzles(draw: DrawFn, rules: list[FaceRule], target: int, count: int, operators: str) -> Puzzle:
    rule = draw(st.sampled_from(rules))
    if count <= 4:
        hand = draw(st.sampled_from(_hands(rule, target, count, operators)))
    else:
        ranks = st.lists(st.sampled_from(RANKS), min_size=count, max_size=count)
        hand = tuple(draw(ranks.filter(lambda drawn: reaches(Puzzle(drawn, rule).values, target, operators))))
    return Puzzle(draw(st.permutations(hand)), rule, target, operators=operators)


@lru_cache(maxsize=256)
def _hands(rule: FaceRule, target: int, count: int, operators: str) -> tuple[tuple[str, ...], ...]:
    hands = combinations_with_replacement(RANKS, count)
    return tuple(hand for hand in hands if reaches([rule.values[rank] for rank in hand], target, operators))


def solving_formulas(puzzle: Puzzle) -> SearchStrategy[str]:
    """Formulas that solve ``puzzle``: any solution, any spelling of the grammar. Raises ValueError if there is none."""
    found = solutions(puzzle.values, puzzle.target, puzzle.operators)
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
    found = solutions(puzzle.values, puzzle.target, puzzle.operators)
    right = [each.minimal() for each in found] or [str(puzzle.target)]
    solved = st.sampled_from(right)
    trees = _trees(puzzle.values)
    foreign = st.lists(st.integers(0, 99), min_size=2, max_size=7).flatmap(lambda values: _trees(tuple(values)))
    claims = st.integers(0, 999_999).filter(lambda claim: claim != puzzle.target)
    changed = [
        trees,
        st.builds("{}={}".format, st.one_of(solved, trees), claims),
        st.builds("{}{}".format, solved, st.sampled_from(["+1-1", "*1", "/1", "+0", ")", "+", "**1", "^1", "!", "#"])),
        st.builds(lambda text, at, odd: text[:at] + odd + text[at:], solved, st.integers(0, 9), _any_text(min_size=1)),
        foreign,
        _any_text(),
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


def _any_text(min_size: int = 0) -> SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=()), min_size=min_size)
