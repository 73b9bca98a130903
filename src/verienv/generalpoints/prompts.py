"""The question in words: its phrasings with the facts and the request for an answer filled in."""

from __future__ import annotations

import re
from functools import lru_cache

from verienv.arithmetic.operators import OPERATORS
from verienv.core.answer_format import JSON, AnswerFormat, Part, Shape
from verienv.core.feedback import Kinds
from verienv.core.wording import Slots
from verienv.generalpoints.phrasings import OF_NUMBERS, PHRASINGS, Phrasing
from verienv.generalpoints.puzzle import Puzzle

SLOTS = Slots(("cards", "rule", "target"), ("count", "operators", "attempts", "format"))
"""The slots of templates. By sight a template need not name the cards."""

SLOTS_OF_NUMBERS = Slots(("cards", "target"), ("count", "operators", "attempts", "format"))
"""Those of templates for plain numbers, which are ``{cards}``."""

_KINDS = {
    "unreadable": ("target",),
    "illegal": ("target",),
    "wrong_numbers": ("target", "used", "missing"),
    "false_equation": ("target", "used", "value"),
    "division_by_zero": ("target", "used"),
    "wrong_value": ("target", "used", "value"),
}


@lru_cache(maxsize=2)
def kinds_of(vision: bool) -> Kinds:
    """Return the kinds of failure, each with the slots that its line of feedback may name.

    With ``vision`` no line may say which numbers are missing: that would tell what the picture shows.
    """
    if not vision:
        return _KINDS
    slots = {kind: tuple([slot for slot in named if slot != "missing"]) for kind, named in _KINDS.items()}
    return {**slots, "misread": ("target",)}


_CARDS_ON_THEIR_OWN_LINE = re.compile(r"^\{cards\}$", re.MULTILINE)
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}

_OPERATOR_LISTS = (
    (" ", ["+", "-", "*", "/"]),
    (", ", ["+", "-", "*", "/"]),
    (", ", ["addition", "subtraction", "multiplication", "division"]),
    (", ", ["plus", "minus", "times", "divided by"]),
)
"""The four ways in which the phrasings list the operators, each with what stands between two of them."""


def phrasings_of(puzzle: Puzzle) -> tuple[Phrasing, ...]:
    """Return the phrasings in which a puzzle may be asked, the default first."""
    return OF_NUMBERS if puzzle.plain_numbers else PHRASINGS


def write_question(
    puzzle: Puzzle, phrasing: int = 0, *, vision: bool = False, answer_format: AnswerFormat = JSON
) -> str:
    """The question for a puzzle, as printable ASCII.

    Args:
        puzzle: its *stated* rule is the one in the question.
        phrasing: 0 for the default, 1 to 13 for the others, of plain numbers 1 to 5.
        vision: leave the cards to the picture.
        answer_format: the format that the answer is asked for in.
    """
    asked = "" if answer_format is JSON else answer_format.instruction(answer_shape(puzzle))
    chosen = phrasings_of(puzzle)[phrasing]
    before, after = _around_the_cards(
        chosen, puzzle.stated_rule.text, puzzle.target, len(puzzle.ranks), puzzle.operators, asked
    )
    noun = "Numbers" if puzzle.plain_numbers else "Cards"
    cards = "The cards are in the picture" if vision else f"{noun}: {', '.join(puzzle.ranks)}"
    return f"{before}{cards}{after}"


@lru_cache(maxsize=1024)
def _around_the_cards(
    phrasing: Phrasing, rule: str, target: int, count: int, operators: str, asked: str
) -> tuple[str, str]:
    """Return the text before and after the cards; a full stop ends them inside a paragraph."""
    text = _asking(phrasing, asked)
    if not _CARDS_ON_THEIR_OWN_LINE.search(text):
        text = text.replace("{cards}", "{cards}.")
    for slot, filling in (("{target}", str(target)), ("{rule}", rule), ("{count}", _COUNTS[count])):
        text = text.replace(slot, filling)
    for between, names in _OPERATOR_LISTS if operators != OPERATORS else ():
        allowed = [name for name, operator in zip(names, OPERATORS, strict=True) if operator in operators]
        text = text.replace(between.join(names), between.join(allowed))
    before, after = text.split("{cards}")
    return before, after


def _asking(phrasing: Phrasing, asked: str) -> str:
    """Return the text of a phrasing with the request for an answer; "" for JSON."""
    text = phrasing.plain if asked and phrasing.plain else phrasing.text
    return text.replace("{format}", asked or phrasing.json)


def answer_shape(puzzle: Puzzle) -> Shape:
    """Return the parts of an answer, with the objects that stand for one in the questions about a puzzle."""
    return shape_of(puzzle.target, puzzle.plain_numbers)


@lru_cache(maxsize=1024)
def shape_of(target: int = 24, plain_numbers: bool = False) -> Shape:
    """Return the parts of the answers to questions with this target, of cards or of plain numbers."""
    phrasings = (*PHRASINGS, *OF_NUMBERS) if plain_numbers else PHRASINGS
    templates = frozenset(
        found.group().replace("{target}", str(target))
        for phrasing in phrasings
        for found in _TEMPLATE.finditer(_asking(phrasing, ""))
    )
    cards, numbers = ("the numbers", "the numbers") if plain_numbers else ("the cards", "their numbers")
    parts = (Part("cards", cards, "cards", is_list=True), Part("number", numbers, "number", is_list=True))
    default = OF_NUMBERS[0] if plain_numbers else PHRASINGS[0]
    return Shape(Part("formula", "the formula"), parts, default.json, templates)


_TEMPLATE = re.compile(r"\{[^{}]*[\"']formula[\"'](?:[^{}]|\{target\})*\}")

LONGEST_QUESTION = 512
"""No question is longer, whatever cards, rule and target."""
