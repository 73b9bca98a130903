"""The question in words: one short default and a collection of other phrasings."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from verienv.arithmetic.operators import OPERATORS
from verienv.generalpoints.puzzle import Puzzle

PromptStyle = Literal["default", "diverse"]

_JSON = '{"cards": [...], "number": [...], "formula": "..."}'

DEFAULT = (
    "Make {target} with each card's number exactly once, using + - * / ( ).\n"
    "A = 1, {rule}.\n"
    "{cards}\n"
    f"Answer in JSON: {_JSON}"
)

DIVERSE = (
    "You are playing the {target} game. {cards} {rule}; A is 1 and every other card is its own number. Use all "
    "{count} numbers exactly once, with +, -, *, / and parentheses, to reach {target}. Reply with one JSON object "
    f"with the fields cards, number and formula: {_JSON}",
    "{cards}\n\nTask: combine the {count} cards into {target}.\nAllowed: addition, subtraction, multiplication, "
    "division, parentheses.\nEach card must be used once and only once.\nFace cards: {rule}. Ace: 1.\n\nOutput:\n"
    '{\n  "cards": [the cards you see],\n  "number": [their numbers],\n  '
    '"formula": "an expression equal to {target}"\n}',
    "Reply with JSON only, no other text. Format:\n"
    '{"formula": "...", "number": [...], "cards": [...]}\n'
    "The formula must equal {target} and use the number of every card once (+ - * / and brackets). Remember that "
    "{rule} and that an ace counts 1. {cards}",
    "Rules of the table:\n1. {rule}; A = 1; other cards count their number.\n2. Every card is used exactly once.\n"
    "3. Only + - * / ( ) may be used.\n4. The result must be {target}.\n{cards}\nFirst list the cards, then their "
    f"numbers, then the formula, as {_JSON}",
    "A dealer lays out {count} cards and asks: how do you get {target} with + - * / ( ) and each card once? {cards} "
    "Here {rule}, and the ace is 1. Think as long as you need; end your reply with a JSON object holding "
    "cards, number and formula.",
    "Solve this arithmetic puzzle.\n\nGoal: {target}\n{cards}\nValues: A = 1, {rule}\nOperators: + - * /\nEach card: "
    "once\n\nGive your solution in a code block:\n```json\n"
    '{"cards": [...], "number": [...], "formula": "..."}\n```',
    "With the values {rule} and A = 1, write an expression that uses each of the following cards' values exactly "
    "one time and evaluates to {target}. {cards} Permitted symbols are digits, + - * / and parentheses. "
    f"Return {_JSON}.",
    "Target: {target}. Cards on the table: {count}.\n{cards}\nConvert them to numbers ({rule}, A = 1) and write "
    'them under "number"; copy the cards under "cards"; put the arithmetic (+ - * /) under "formula". Use every number '
    "once. Answer with that one JSON object.",
    "Your answer will be checked by a program. It reads a JSON object with three keys: cards (list of strings), "
    "number (list of integers), formula (string). The formula passes if it equals {target} and uses the numbers of "
    "all {count} cards once each, with + - * / and parentheses. {rule}. A = 1. {cards}",
    "Can you make {target}? {cards}\n- A counts as 1\n- {rule}\n- use each number once\n- operations: plus, minus, "
    f"times, divided by, written + - * /\nWrite: {_JSON}",
    "Answer format: {'cards': [...], 'number': [...], 'formula': '...'}\nQuestion: which expression with + - * / ( ) "
    "over the {count} cards gives {target}? Condition: no card is left out and none is used twice.\nFace values: "
    "{rule}; ace: 1.\n{cards}",
    "The points game. Players turn over {count} cards and race to form {target}, spending each card once and using "
    "nothing but + - * / and parentheses. In this round {rule}; the ace is worth 1. {cards} State what you see, what "
    f"it is worth and how you win: {_JSON}",
    "{cards}\nTarget = {target}; {rule}; A = 1.\nJSON with cards, number, formula. Each number once. + - * / ( ) only.",
)

_NUMBERS_JSON = '{"number": [...], "formula": "..."}'

OF_NUMBERS = (
    f"Make {{target}} with each number exactly once, using + - * / ( ).\n{{cards}}\nAnswer in JSON: {_NUMBERS_JSON}",
    "You are playing the {target} game. {cards} Use all {count} numbers exactly once, with +, -, *, / and parentheses, "
    f"to reach {{target}}. Reply with one JSON object with the fields number and formula: {_NUMBERS_JSON}",
    "{cards}\n\nTask: combine the {count} numbers into {target}.\nAllowed: addition, subtraction, multiplication, "
    "division, parentheses.\nEach number must be used once and only once.\n\nOutput:\n"
    '{\n  "number": [the numbers],\n  "formula": "an expression equal to {target}"\n}',
    "Reply with JSON only, no other text. Format:\n"
    '{"formula": "...", "number": [...]}\n'
    "The formula must equal {target} and use every number once (+ - * / and brackets). {cards}",
    "Can you make {target}? {cards}\n- use each number once\n- operations: plus, minus, times, divided by, "
    f"written + - * /\nWrite: {_NUMBERS_JSON}",
    "{cards}\nTarget = {target}.\nJSON with number, formula. Each number once. + - * / ( ) only.",
)
"""The default and the other phrasings for plain numbers in place of cards."""

_CARDS_ON_THEIR_OWN_LINE = re.compile(r"^\{cards\}$", re.MULTILINE)
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
PHRASINGS = (DEFAULT, *DIVERSE)

_OPERATOR_LISTS = (
    (" ", ["+", "-", "*", "/"]),
    (", ", ["+", "-", "*", "/"]),
    (", ", ["addition", "subtraction", "multiplication", "division"]),
    (", ", ["plus", "minus", "times", "divided by"]),
)
"""The four ways in which the phrasings list the operators, each with what stands between two of them."""


def phrasings_of(puzzle: Puzzle) -> tuple[str, ...]:
    """Return the phrasings in which a puzzle may be asked, the default first."""
    return OF_NUMBERS if puzzle.plain_numbers else PHRASINGS


def write_question(puzzle: Puzzle, phrasing: int = 0, *, vision: bool = False) -> str:
    """The question for a puzzle, as printable ASCII.

    Args:
        puzzle: its *stated* rule is the one in the question.
        phrasing: 0 for the default, 1 to 13 for the others, of plain numbers 1 to 5.
        vision: leave the cards to the picture.
    """
    text = phrasings_of(puzzle)[phrasing]
    before, after = _around_the_cards(text, puzzle.stated_rule.text, puzzle.target, len(puzzle.ranks), puzzle.operators)
    noun = "Numbers" if puzzle.plain_numbers else "Cards"
    cards = "The cards are in the picture" if vision else f"{noun}: {', '.join(puzzle.ranks)}"
    return f"{before}{cards}{after}"


@lru_cache(maxsize=1024)
def _around_the_cards(text: str, rule: str, target: int, count: int, operators: str) -> tuple[str, str]:
    """Return the text before and after the cards; a full stop ends them inside a paragraph."""
    if not _CARDS_ON_THEIR_OWN_LINE.search(text):
        text = text.replace("{cards}", "{cards}.")
    for slot, filling in (("{target}", str(target)), ("{rule}", rule), ("{count}", _COUNTS[count])):
        text = text.replace(slot, filling)
    for between, names in _OPERATOR_LISTS if operators != OPERATORS else ():
        allowed = [name for name, operator in zip(names, OPERATORS, strict=True) if operator in operators]
        text = text.replace(between.join(names), between.join(allowed))
    before, after = text.split("{cards}")
    return before, after


@lru_cache(maxsize=1024)
def answer_templates(target: int, plain_numbers: bool = False) -> frozenset[str]:
    """Return the objects that stand for the answer in the questions about a target, whatever their phrasing."""
    texts = (*PHRASINGS, *OF_NUMBERS) if plain_numbers else PHRASINGS
    return frozenset(
        found.group().replace("{target}", str(target)) for text in texts for found in _TEMPLATE.finditer(text)
    )


_TEMPLATE = re.compile(r"\{[^{}]*[\"']formula[\"'](?:[^{}]|\{target\})*\}")

LONGEST_QUESTION = 512
"""No question is longer, whatever cards, rule and target."""
