"""Answers in tags, boxes and last lines among pieces whose meaning is known, and with random damage; all in linear time.

As in ``test_responses``, the oracles know nothing of the readers: the pieces of a response say its verdict, and what is
paid after damage is found again by a slow search for the last pair of tags, the last box, or the last line.
"""

# ruff: noqa: E501  (tables)

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.core.test_text_format import UNITS
from tests.fuzz.test_responses import GAMES, PLACE, PUZZLE, Game, damaged

from verienv.core.response import MAX_CHARACTERS
from verienv.core.verdict import Verdict
from verienv.generalpoints import verify as verify_formula
from verienv.virl import verify as verify_action

pytestmark = pytest.mark.slow

UNREADABLE = "unreadable"
ILLEGAL = {"formula": "illegal", "action": "illegal_action"}


@dataclass(frozen=True)
class Pieces:
    """Spellings in one format, with VALUE for the answer.

    Attributes:
        plain: read in both ways.
        loose: read leniently, and no answer when read strictly.
        none: no answers, which void none.
        ends: the same, at the end of a response only.
    """

    plain: tuple[str, ...]
    loose: tuple[str, ...]
    none: tuple[str, ...]
    ends: tuple[str, ...]


PROSE = (
    "Let me see.", "It's 5'10\".", "No, again.", '{"n": 1}', "VALUE", '{"KEY": "VALUE"}', "é😀", "\0", "\ud800", "\u202e", "<b>VALUE</b>", "&lt;answer&gt;VALUE&lt;/answer&gt;",
    "# Answer", "\\frac{1}{2}", "\\{1, 2\\}", "<аnswer>VALUE</аnswer>", "<answers>VALUE</answers>", "boxed{VALUE}",
)  # fmt: skip
PIECES = {
    "tags": Pieces(
        ("<answer>VALUE</answer>", "<answer>\nVALUE\r\n</answer>", "```\n<answer> VALUE </answer>\n```", "**<answer>VALUE</answer>**", "<answer>x <answer>VALUE</answer>", "\\boxed{<answer>VALUE</answer>}"),
        ("<ANSWER>VALUE</ANSWER>", "< answer >VALUE< / answer >", "<Answer >VALUE<\\/Answer>", "<ANSWER>\n```\nVALUE\n```\n</ANSWER>"),
        ("<answer>...</answer>", "<answer></answer>", "<answer> </answer>", "<answer>VALUE", "<answer>VALUE<answer>", "<anſwer>VALUE</anſwer>", "\\boxed{VALUE}", "} {", *PROSE),
        ("<answer>VALUE</answer", "<answer>VALUE", "<", "<answer", "VALUE<answer>"),
    ),
    "boxed": Pieces(
        ("\\boxed{VALUE}", "$\\boxed{ VALUE }$", "\\[\n\\boxed{\nVALUE\n}\n\\]", "\\\\boxed{VALUE}", "\\boxed{x \\boxed{VALUE}", "<answer>\\boxed{VALUE}</answer>"),
        ("\\boxed {VALUE}", "\\fbox{VALUE}", "\\\\fbox {VALUE}"),
        ("\\boxed{...}", "\\boxed{}", "\\boxed{ }", "\\boxed{VALUE", "\\boxed VALUE", "\\Boxed{VALUE}", "\\fboxed{VALUE}", "{", "<answer>VALUE</answer>", *PROSE),
        ("\\boxed{VALUE", "\\boxed{", "\\boxed", "\\", "{"),
    ),
    "line": Pieces(
        ("VALUE", " VALUE \r", "Let me see.\nVALUE", "VALUE\n \n\t\n"),
        ("```\nVALUE\n```", "Answer: VALUE", "**Final answer:** VALUE", "So the answer is: VALUE", "VALUE</s>", "VALUE<|im_end|>\n</s>"),
        (),
        (),
    ),
}  # fmt: skip
NOT_ON_A_LINE = (
    *(piece for piece in PROSE if piece not in ("VALUE", "\\frac{1}{2}")),
    "VALUE VALUE",
    "`VALUE`",
    "VALUE\xa0",
)


def built(rng: random.Random, game: Game, kind: str) -> tuple[str, str, str]:
    """A response, and the failures that are due in lenient and in strict reading."""
    pieces, parts = PIECES[kind], list[str]()
    lenient = strict = UNREADABLE

    def fill(text: str) -> tuple[str, str]:
        value = rng.choice(list(game.values))
        return text.replace("KEY", game.key).replace("VALUE", value), game.values[value]

    for _ in range(rng.randint(1, 6)):
        chance = rng.randrange(8)
        if chance <= 2:
            text, lenient = fill(rng.choice(pieces.plain))
            strict = lenient
        elif chance <= 4:
            text, lenient = fill(rng.choice(pieces.loose))
            strict = ILLEGAL[game.key] if kind == "line" else strict
        elif chance == 5:
            inner = "\n".join(
                fill(rng.choice(pieces.plain + pieces.loose + PROSE))[0] for _ in range(rng.randint(0, 3))
            )
            text = f"{rng.choice(('<think>', '', '<think> <THINK>'))}{inner}{rng.choice(('</think>', '</Think>', '</ think >'))}"
            lenient = strict = UNREADABLE
        elif kind == "line":
            text, _ = fill(rng.choice(NOT_ON_A_LINE))
            lenient = strict = ILLEGAL[game.key]
        else:
            text, _ = fill(rng.choice(pieces.none))
        parts.append(text)
    if pieces.ends and rng.random() < 0.2:
        parts.append(fill(rng.choice(pieces.ends))[0])
    elif rng.random() < 0.05:
        parts.append("<think>" + fill(rng.choice(pieces.plain))[0])
        lenient = strict = UNREADABLE
    return "\n".join(parts), lenient, strict


def judge(game: Game, kind: str, text: str, strict: bool) -> Verdict:
    if game.key == "formula":
        return verify_formula(text, PUZZLE, strict=strict, answer_format=kind)
    return verify_action(text, PLACE, strict=strict, answer_format=kind)


def last_tagged(text: str, strict: bool) -> str:
    pattern = r"(</?answer>)" if strict else r"(?ai)(<\s*(?:\\?/\s*)?answer\s*>)"
    parts = re.split(pattern, text)
    for at in range(len(parts) - 2, 2, -2):
        before, content, mark = parts[at - 2], parts[at - 1], parts[at]
        if "/" in mark and "/" not in before and content.strip(" \t\n\r\f\v") not in ("", "...", "…"):
            return content
    return ""


def last_boxed(text: str, strict: bool) -> str:
    best = (-1, "")
    for box in re.finditer(r"\\boxed\{" if strict else r"(?a)\\(?:boxed|fbox)\s*\{", text):
        depth, at = 1, box.end()
        while at < len(text) and depth:
            if text[at] == "\\" and text[at + 1 : at + 2] in ("{", "}"):
                at += 1
            elif text[at] in "{}":
                depth += 1 if text[at] == "{" else -1
            at += 1
        content = text[box.end() : at - 1]
        if not depth and content.strip(" \t\n\r\f\v") not in ("", "...", "…"):
            best = max(best, (at, content))
    return best[1]


def last_line(text: str, strict: bool) -> str:
    lines = [line for line in text.split("\n") if line.strip()]
    while lines and not strict and re.fullmatch(r"\s*(?:[`~]{3,}[\w+-]*)?(?:</?s>|<\|\w+\|>|\s)*", lines[-1]):
        lines.pop()
    return lines[-1] if lines else ""


SEARCHES: dict[str, Callable[[str, bool], str]] = {"tags": last_tagged, "boxed": last_boxed, "line": last_line}
MARKS = (
    "<answer>",
    "</answer>",
    "\\boxed{",
    "}",
    "...",
    "\n",
    "```",
    "**",
    "\\_",
    "\\",
    "Answer: ",
    "</s>",
    "\xa0",
    "</think>",
)


def may_be_paid(game: Game, kind: str, text: str, strict: bool, verdict: Verdict) -> bool:
    """Whether a slow search finds what was read, a right answer, where the answer stands."""
    tags = [*re.finditer(r"<\s*(/?)\s*think\s*>", text, re.IGNORECASE)]
    if tags and not tags[-1][1]:
        return False
    value = verdict.answer.get(game.key)
    found = SEARCHES[kind](text[tags[-1].end() :] if tags else text, strict)
    return isinstance(value, str) and game.is_right(value) and bare(value) in bare(found)


def bare(text: str) -> str:
    return re.sub(r"[\s\\]", "", text)


each_game = pytest.mark.parametrize("game", GAMES, ids=lambda game: game.key)
each_kind = pytest.mark.parametrize("kind", PIECES)


@each_game
@each_kind
def test_no_response_is_misjudged(game: Game, kind: str, fuzz_size: Callable[[int], int], fuzz_seed: int) -> None:
    rng = random.Random(fuzz_seed)
    paid = paid_after_damage = 0
    for _ in range(fuzz_size(10_000)):
        text, lenient, strict = built(rng, game, kind)
        verdicts = [judge(game, kind, text, False), judge(game, kind, text, True)]
        assert [verdict.failure for verdict in verdicts] == [lenient, strict], ascii(text)
        paid += verdicts[0].is_correct
        text = damaged(rng, text)
        if rng.random() < 0.5:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(MARKS) + text[at:]
        for is_strict in (False, True):
            verdict = judge(game, kind, text, is_strict)
            json.dumps(verdict.model_dump(mode="json"), allow_nan=False).encode()
            paid_after_damage += verdict.is_correct
            assert not verdict.is_correct or may_be_paid(game, kind, text, is_strict, verdict), (is_strict, ascii(text))
    assert paid
    assert paid_after_damage or fuzz_size(10_000) < 100


BEFORE = ("", "<answer>", "\\boxed{", "\\boxed{\\text{", "```\n", "<think>", "Answer: ", "</think>", "**Answer: ")
AFTER = ("", "</answer>", "}" * 9, "\n```", "</s>", "\nx", "**", "<answer>x</answer>", "\\boxed{x}")


@each_game
@each_kind
def test_every_flood_takes_time_in_proportion_to_its_length(
    game: Game, kind: str, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    rng = random.Random(fuzz_seed)

    def spent(before: str, unit: str, after: str, length: int) -> float:
        text = before + unit * ((length - len(before) - len(after)) // len(unit)) + after
        times: list[Any] = []
        for _ in range(2):
            start = time.thread_time()
            verdict = judge(game, kind, text, False)
            times.append(time.thread_time() - start)
            assert not verdict.is_correct
        return float(min(times))

    for _ in range(fuzz_size(150)):
        pieces = rng.choice(BEFORE), rng.choice(UNITS) + rng.choice(("", *UNITS)), rng.choice(AFTER)
        longest = spent(*pieces, MAX_CHARACTERS)
        assert longest < 2.0, pieces
        if longest > 0.02:
            short, twice = spent(*pieces, MAX_CHARACTERS // 4), spent(*pieces, MAX_CHARACTERS // 2)
            assert longest < 3.0 * twice + 0.05, pieces
            assert longest < 6.5 * short + 0.05, pieces
