"""Questions of published data sets: the hands of arXiv 2501.17161 and of arXiv 2510.00237, as read in November 2026.

Both ask in one form of prompt, which names target, cards and what J, Q and K count. The second has columns beside it,
``extra_info``, by which an answer is scored: ``display_cards`` are the cards' numbers. In its sets named "fake" these
are others than the prompt says, so that a row has a stated rule and a scored one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from verienv.core.plain import plain_value
from verienv.core.shown import shown
from verienv.core.wording import kept_prompt
from verienv.generalpoints.cards import FACES, RANK_NUMBER
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.verifier import verify

_TARGET = re.compile(r"\b([0-9]{1,6}) points card game")
_CARDS = re.compile(r"^Cards: \[([^\]\n]{1,200})\]", re.MULTILINE)
_RULE = re.compile(r"Note that ([^\n]{1,300}), and each card must be used once")
_ALL = re.compile(r"'J', 'Q',? and 'K' (?:all )?count as '([0-9]{1,2})'\.?")
_RESPECTIVELY = re.compile(
    r"'J', 'Q',? and 'K' count as '([0-9]{1,2})', '([0-9]{1,2})',? and '([0-9]{1,2})' respectively\.?"
)
_EACH = re.compile(r"'J' counts as '([0-9]{1,2})', 'Q' counts as '([0-9]{1,2})',? and 'K' counts as '([0-9]{1,2})'\.?")


def published_question(prompt: str, answer: str, about: Mapping[str, Any]) -> GeneralPointsQuestion | None:
    """Return the question of a row, None for a prompt of another form. Errors as ``Task.published``'s."""
    target, told = _TARGET.search(prompt), _RULE.search(prompt)
    if target is None or told is None:
        return None
    stated = _stated_rule(told[1])
    listed = _CARDS.search(prompt)
    extra = plain_value(about.get("extra_info"))
    extra = extra if isinstance(extra, dict) else {}
    if extra.get("target") not in (None, int(target[1])):
        raise ValueError(f"target={shown(extra['target'])} where its prompt says {target[1]}")
    ranks = _ranks(listed[1].split(",")) if listed else _told_cards(answer)
    puzzle = Puzzle(ranks, _scored_rule(ranks, stated, extra), int(target[1]), stated)
    return GeneralPointsQuestion(puzzle=puzzle, vision=listed is None, attempts=1, wording=kept_prompt(prompt))


def _stated_rule(text: str) -> FaceRule:
    for form in (_ALL, _RESPECTIVELY, _EACH):
        if found := form.fullmatch(text):
            return FaceRule.of(dict(zip(FACES, map(int, found.groups() * (3 if form is _ALL else 1)), strict=True)))
    raise ValueError(f"its prompt says of J, Q and K {shown(text)}; expected such as 'J', 'Q', and 'K' count as '10'")


def _ranks(cards: Sequence[Any]) -> tuple[str, ...]:
    return tuple([str(card).strip().strip("'\"").strip() for card in cards])


def _told_cards(answer: str) -> tuple[str, ...]:
    """Return the cards that an answer names: the only place where a row with a picture names them."""
    cards = verify(answer, Puzzle(("4", "3", "2", "K"))).answer.get("cards")
    if not isinstance(cards, list) or not cards:
        raise ValueError("neither its prompt nor its answer names the cards")
    return _ranks(cards)


def _scored_rule(ranks: tuple[str, ...], stated: FaceRule, extra: Mapping[str, Any]) -> FaceRule:
    """Return the rule by which ``extra_info`` scores: the stated one, "ten" or "rank", if one of them does so.

    The cards alone say so much; of another rule the faces that are not among them count as stated.
    """
    numbers = extra.get("display_cards")
    if numbers is None:
        return stated
    cards = _ranks(extra["cards"]) if isinstance(extra.get("cards"), list) else ranks
    if sorted(cards) != sorted(ranks):
        raise ValueError(f"its columns hold the cards {shown(list(cards))}, where its prompt says {shown(list(ranks))}")
    if not isinstance(numbers, list) or len(numbers) != len(cards):
        raise ValueError(f"display_cards={shown(numbers)}: expected a number for each of {shown(list(cards))}")
    scored = dict[str, int]()
    for card, number in zip(cards, numbers, strict=True):
        text = str(number).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            raise ValueError(f"display_cards={shown(numbers)}: expected whole numbers")
        expected = scored.setdefault(card, int(text)) if card in FACES else RANK_NUMBER.get(card, int(text))
        if expected != int(text):
            raise ValueError(f"display_cards={shown(numbers)}: {card} counts {expected}, not {text}")
    for rule in (stated, PRESETS["ten"], PRESETS["rank"]):
        if all(rule.values[face] == number for face, number in scored.items()):
            return rule
    return FaceRule.of({face: scored.get(face, stated.values[face]) for face in FACES})
