"""The phrasings of the question: one short default and a collection of others, of cards and of plain numbers."""

from __future__ import annotations

from typing import NamedTuple

_JSON = '{"cards": [...], "number": [...], "formula": "..."}'


class Phrasing(NamedTuple):
    """A phrasing.

    Attributes:
        text: the question around the request for an answer.
        json: that request where the answer is JSON.
        plain: the question where it is not, if that must tell more than ``text`` does.
    """

    text: str
    json: str
    plain: str = ""


DEFAULT = Phrasing(
    "Make {target} with each card's number exactly once, using + - * / ( ).\nA = 1, {rule}.\n{cards}\n{format}",
    f"Answer in JSON: {_JSON}",
)

DIVERSE = (
    Phrasing(
        "You are playing the {target} game. {cards} {rule}; A is 1 and every other card is its own number. Use all "
        "{count} numbers exactly once, with +, -, *, / and parentheses, to reach {target}. {format}",
        f"Reply with one JSON object with the fields cards, number and formula: {_JSON}",
    ),
    Phrasing(
        "{cards}\n\nTask: combine the {count} cards into {target}.\nAllowed: addition, subtraction, multiplication, "
        "division, parentheses.\nEach card must be used once and only once.\nFace cards: {rule}. Ace: 1.\n\nOutput:\n"
        "{format}",
        '{\n  "cards": [the cards you see],\n  "number": [their numbers],\n  '
        '"formula": "an expression equal to {target}"\n}',
    ),
    Phrasing(
        "{format}\n"
        "The formula must equal {target} and use the number of every card once (+ - * / and brackets). Remember that "
        "{rule} and that an ace counts 1. {cards}",
        'Reply with JSON only, no other text. Format:\n{"formula": "...", "number": [...], "cards": [...]}',
    ),
    Phrasing(
        "Rules of the table:\n1. {rule}; A = 1; other cards count their number.\n2. Every card is used exactly once.\n"
        "3. Only + - * / ( ) may be used.\n4. The result must be {target}.\n{cards}\n{format}",
        f"First list the cards, then their numbers, then the formula, as {_JSON}",
    ),
    Phrasing(
        "A dealer lays out {count} cards and asks: how do you get {target} with + - * / ( ) and each card once? "
        "{cards} Here {rule}, and the ace is 1. {format}",
        "Think as long as you need; end your reply with a JSON object holding cards, number and formula.",
    ),
    Phrasing(
        "Solve this arithmetic puzzle.\n\nGoal: {target}\n{cards}\nValues: A = 1, {rule}\nOperators: + - * /\n"
        "Each card: once\n\n{format}",
        'Give your solution in a code block:\n```json\n{"cards": [...], "number": [...], "formula": "..."}\n```',
    ),
    Phrasing(
        "With the values {rule} and A = 1, write an expression that uses each of the following cards' values exactly "
        "one time and evaluates to {target}. {cards} Permitted symbols are digits, + - * / and parentheses. {format}",
        f"Return {_JSON}.",
    ),
    Phrasing(
        "Target: {target}. Cards on the table: {count}.\n{cards}\n{format}",
        'Convert them to numbers ({rule}, A = 1) and write them under "number"; copy the cards under "cards"; put the '
        'arithmetic (+ - * /) under "formula". Use every number once. Answer with that one JSON object.',
        "Target: {target}. Cards on the table: {count}.\n{cards}\nConvert them to numbers ({rule}, A = 1). Use every "
        "number once, with + - * / and parentheses. {format}",
    ),
    Phrasing(
        "{format} The formula passes if it equals {target} and uses the numbers of "
        "all {count} cards once each, with + - * / and parentheses. {rule}. A = 1. {cards}",
        "Your answer will be checked by a program. It reads a JSON object with three keys: cards (list of strings), "
        "number (list of integers), formula (string).",
    ),
    Phrasing(
        "Can you make {target}? {cards}\n- A counts as 1\n- {rule}\n- use each number once\n- operations: plus, minus, "
        "times, divided by, written + - * /\n{format}",
        f"Write: {_JSON}",
    ),
    Phrasing(
        "{format}\nQuestion: which expression with + - * / ( ) "
        "over the {count} cards gives {target}? Condition: no card is left out and none is used twice.\nFace values: "
        "{rule}; ace: 1.\n{cards}",
        "Answer format: {'cards': [...], 'number': [...], 'formula': '...'}",
    ),
    Phrasing(
        "The points game. Players turn over {count} cards and race to form {target}, spending each card once and using "
        "nothing but + - * / and parentheses. In this round {rule}; the ace is worth 1. {cards} {format}",
        f"State what you see, what it is worth and how you win: {_JSON}",
    ),
    Phrasing(
        "{cards}\nTarget = {target}; {rule}; A = 1.\n{format}",
        "JSON with cards, number, formula. Each number once. + - * / ( ) only.",
        "{cards}\nTarget = {target}; {rule}; A = 1.\nEach number once. + - * / ( ) only.\n{format}",
    ),
)

PHRASINGS = (DEFAULT, *DIVERSE)

_NUMBERS_JSON = '{"number": [...], "formula": "..."}'

OF_NUMBERS = (
    Phrasing(
        "Make {target} with each number exactly once, using + - * / ( ).\n{cards}\n{format}",
        f"Answer in JSON: {_NUMBERS_JSON}",
    ),
    Phrasing(
        "You are playing the {target} game. {cards} Use all {count} numbers exactly once, with +, -, *, / and "
        "parentheses, to reach {target}. {format}",
        f"Reply with one JSON object with the fields number and formula: {_NUMBERS_JSON}",
    ),
    Phrasing(
        "{cards}\n\nTask: combine the {count} numbers into {target}.\nAllowed: addition, subtraction, multiplication, "
        "division, parentheses.\nEach number must be used once and only once.\n\nOutput:\n{format}",
        '{\n  "number": [the numbers],\n  "formula": "an expression equal to {target}"\n}',
    ),
    Phrasing(
        "{format}\nThe formula must equal {target} and use every number once (+ - * / and brackets). {cards}",
        'Reply with JSON only, no other text. Format:\n{"formula": "...", "number": [...]}',
    ),
    Phrasing(
        "Can you make {target}? {cards}\n- use each number once\n- operations: plus, minus, times, divided by, "
        "written + - * /\n{format}",
        f"Write: {_NUMBERS_JSON}",
    ),
    Phrasing(
        "{cards}\nTarget = {target}.\n{format}",
        "JSON with number, formula. Each number once. + - * / ( ) only.",
        "{cards}\nTarget = {target}.\nEach number once. + - * / ( ) only.\n{format}",
    ),
)
"""The default and the other phrasings for plain numbers in place of cards."""
