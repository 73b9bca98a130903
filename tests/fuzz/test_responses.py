"""Responses made of pieces whose meaning is known, and the same with random damage: none is misjudged, none is slow.

Two oracles that know nothing of the reader. A response that is built piece by piece (drafts, reasoning, prose, echoes,
tool calls, objects in many spellings) has a verdict that follows from its pieces. A damaged one may be anything; if it
is paid, the last place that names the key, outside of reasoning, must spell a right answer by Python's own arithmetic.
"""

# ruff: noqa: E501  (tables)

import ast
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from verienv.core.response import MAX_CHARACTERS
from verienv.core.verdict import Verdict
from verienv.generalpoints import Puzzle
from verienv.generalpoints import verify as verify_formula
from verienv.virl import Waypoint
from verienv.virl import verify as verify_action

pytestmark = pytest.mark.slow

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Game:
    """One task: its key, values with the failure of each, the question's template, and what may be right."""

    key: str
    values: dict[str, str]
    template: str
    judge: Callable[[str, bool], Verdict]
    is_right: Callable[[str], bool]


PUZZLE = Puzzle(("4", "3", "2", "K"))
PLACE = Waypoint((40.7, -74.0), 350.0, "turn", 80.0, "Turn right to face east.")


def makes_24(formula: str) -> bool:
    """Whether a formula uses 4, 3, 2, 10 once each and makes 24, by Python's parser and Fraction."""
    signs = {0xFF10 + digit: str(digit) for digit in range(10)} | {ord("×"): "*"}
    left, _, right = " ".join(formula.split()).translate(signs).replace("\\times", "*").rstrip("., ").partition("=")
    if right.strip() not in ("", "24"):
        left, right = right, left
    try:
        tree = ast.parse(left.strip(), mode="eval").body
        numbers = sorted(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        return numbers == [2, 3, 4, 10] and value_of(tree) == 24 and right.strip() in ("", "24")
    except (SyntaxError, ValueError, TypeError, KeyError, ZeroDivisionError):
        return False


def value_of(node: ast.AST) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp):
        return -value_of(node.operand) if isinstance(node.op, ast.USub) else value_of(node.operand)
    assert isinstance(node, ast.BinOp)
    left, right = value_of(node.left), value_of(node.right)
    if isinstance(node.op, ast.Div):
        return left / right
    return {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}[type(node.op)]  # type: ignore[index]


def is_due(action: str) -> bool:
    return re.sub(r"[\s\"']", "", action).lower() == "turn_direction(east)"


GAMES = (
    Game(
        "formula",
        {"4*3+2+10": "", "(4*3)+2+10=24": "", "10*4-3-2": "wrong_value", "4*6*1*1": "wrong_numbers", "4*3+2+10=25": "false_equation"},
        '{"cards": [...], "number": [...], "formula": "..."}',
        lambda text, strict: verify_formula(text, PUZZLE, strict=strict),
        makes_24,
    ),
    Game(
        "action",
        {"turn_direction(east)": "", "forward()": "wrong_action", "turn_direction(left)": "outside_action_space", "stop()": "wrong_action"},
        '{"current observation": "...", "current instruction": "...", "action": "..."}',
        lambda text, strict: verify_action(text, PLACE, strict=strict),
        is_due,
    ),
)  # fmt: skip

PLAIN = (
    '{"KEY": "VALUE"}', '{"note": "} { it\'s", "KEY": "VALUE", "n": [1, 2]}', '{"answer": {"KEY": "VALUE"}}', '```json\n{\n  "KEY": "VALUE"\n}\n```',
    '{"KEY": "old", "KEY": "VALUE"}', '<answer>{"KEY": "VALUE"}</answer>', '\\boxed{{"KEY": "VALUE"}}', '[{"KEY": "VALUE"}]', '{"note": "// # /*", "KEY": "VALUE"}',
)  # fmt: skip
"""Spellings that are plain JSON."""
LOOSE = (
    "{'KEY': 'VALUE'}", '{"KEY": "VALUE",}', '{KEY: "VALUE"}', '{"KEY": VALUE}', "{KEY: VALUE}", '{"KEY": VALUE, "n": 1}', '{"KEY": "VALUE" // done }\n}',
    '{"KEY": "VALUE", # it\'s }\n}', '{/* { " */ "KEY": "VALUE" /* } */}', "{“KEY”: “VALUE”}", "{‘KEY’: ‘VALUE’}", "{«KEY»: «VALUE»}", r'\{"KEY": "VALUE"\}',
    r'\boxed{\{"KEY": "VALUE"\}}', r'\left\{"KEY": "VALUE"\right\}', r'{\"KEY\": \"VALUE\"}', '{"n": 1 "KEY": "VALUE"}', '{"KEY": "VALUE"\n"n": [3]}',
    '{"KEY"：“VALUE”，"n"：1}', "{'KEY': 'VALUE', 'n': (1, True, None)}", '{"n": [...], "KEY": "VALUE"}', '{"KEY": VALUE // done\n}', "{`KEY`: `VALUE`}",
)  # fmt: skip
UNREAD = (
    '{"KEY": @}',
    '{"KEY" "VALUE"}',
    '{"KEY" = "VALUE"}',
    '{"KEY": "VALUE}',
    '{"KEY": "VALUE" + ""}',
    '{"KEY": VALUE; "n": 1}',
)
PROSE = (
    "Let me see. ", "It's 5'10\" and so on. ", "No, again.\n", "The {KEY} is clear. ", "\\frac{1}{2} ", '{"n": 1} ', "{} ", "} ", "é😀 ", "\0", "\ud800", "\u202e", "```\n",
    '"', "'", "“", "/* ", "// ", "# ", "<b>", "\\ ", "KEY: VALUE ", '"KEY": "VALUE" ', '{"fields": ["KEY"]} ', '{"name": "search", "arguments": "24"} ', "\\{1, 2\\} ",
)  # fmt: skip
ENDS = ('{"KEY": "VALUE"', '{"KEY": "VAL', '{"n": [1, {"KEY"', "{", '{"KEY": "VALUE", "n": [')


def built(rng: random.Random, game: Game) -> tuple[str, str, str]:
    """A response, and the failures that are due in lenient and in strict reading."""
    parts, lenient, strict = list[str](), UNREADABLE, UNREADABLE

    def fill(text: str) -> tuple[str, str]:
        value = rng.choice(list(game.values))
        return text.replace("KEY", game.key).replace("VALUE", value), game.values[value]

    for _ in range(rng.randint(1, 6)):
        kind = rng.randrange(9)
        if kind <= 2:
            text, failure = fill(rng.choice(PLAIN))
            if rng.random() < 0.2:
                name, rest = rng.choice(
                    (("arguments", ""), ("parameters", '"name": "a", '), ("input", '"name": "a", '))
                )
                bare = re.sub(r"^[^{]*|[^}]*$", "", text) if text[0] != "\\" else text[7:-1]
                text = f'{{{rest}"{name}": {json.dumps(bare)}}}'
            lenient = strict = failure
        elif kind <= 4:
            text, lenient = fill(rng.choice(LOOSE))
            strict = UNREADABLE
        elif kind == 5:
            text, _ = fill(rng.choice(UNREAD))
            lenient = strict = UNREADABLE
        elif kind == 6:
            inner = "".join(fill(rng.choice(PLAIN + LOOSE + PROSE + ENDS))[0] for _ in range(rng.randint(0, 3)))
            text = f"{rng.choice(('<think>', '', '<think> <THINK>'))}{inner}{rng.choice(('</think>', '</Think>', '</ think >'))}"
            lenient = strict = UNREADABLE
        elif kind == 7:
            text = game.template
        else:
            text, _ = fill(rng.choice(PROSE))
        parts.append(text)
    if rng.random() < 0.2:
        parts.append(fill(rng.choice(ENDS))[0])
    elif rng.random() < 0.05:
        parts.append("<think>" + fill(rng.choice(PLAIN))[0])
        lenient = strict = UNREADABLE
    return "\n".join(parts), lenient, strict


def damaged(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 3)):
        at, to = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        to = min(to, at + rng.choice((1, 1, 1, 3, 40)))
        sign = rng.choice(
            [
                *list("{}[]()\"'\\:,/#*“”‘’«` \n\t=+-0123456789"),
                "\\{",
                "\\}",
                "//",
                "/*",
                "*/",
                "�",
                "１",
                "×",
                "<think>",
                "</think>",
                "null",
            ]
        )
        text = rng.choice(
            (
                text[:at] + text[to:],
                text[:at] + sign + text[at:],
                text[:at] + sign + text[to:],
                text[:to] + text[at:],
                text[:at],
                text[at:],
            )
        )
    return text


def closed_spans(text: str) -> list[tuple[int, int]]:
    """Where pairs of braces begin and end, with no regard to strings and comments."""
    spans, opened = list[tuple[int, int]](), list[int]()
    for at, sign in enumerate(text):
        if sign == "{":
            opened.append(at)
        elif sign == "}" and opened:
            spans.append((opened.pop(), at))
    return spans


def may_be_paid(game: Game, text: str, verdict: Verdict) -> bool:
    """Whether the last place that names the key, in braces and outside of reasoning, spells what was read: a right answer.

    Places in echoes of the template are passed over. Those behind a backslash, which may be in a string, or behind two
    quotes, which make another key, may be; so may those before a comment, whatever it hides.
    """
    tags = [*re.finditer(r"<\s*(/?)\s*think\s*>", text, re.IGNORECASE)]
    if tags and not tags[-1][1]:
        return False
    seen = (text[tags[-1].end() :] if tags else text).replace(game.template, "")
    value = verdict.answer.get(game.key)
    if not isinstance(value, str) or not game.is_right(value):
        return False
    seen = re.sub(
        r'"(?:[^"\\]|\\.)*\\"(?:[^"\\]|\\.)*"', lambda text: text.group().replace("{", " ").replace("}", " "), seen
    )
    wanted, spans = re.sub(r"[\s\\]", "", value), closed_spans(seen)
    for place in reversed([*re.finditer(rf"(?<![^\s{{,\"'`“„‘‚«\\*/]){game.key}[\"'`”’»\\]*\s*[:：]", seen)]):
        rest = re.sub(r"[\s\\]", "", seen[place.end() :])
        if rest.lstrip("\"'`“‘«").startswith(wanted):
            return True
        is_held = any(start < place.start() < end for start, end in spans)
        before = seen[max(0, place.start() - 2) : place.start()]
        if (
            is_held
            and not re.search(r"\\|[\"'`“„‘‚«*/]{2}$", before)
            and not re.search(r"//|/\*|#", seen[place.end() :])
        ):
            return False
    return False


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.key)
def test_no_response_is_misjudged(game: Game, fuzz_size: Callable[[int], int], fuzz_seed: int) -> None:
    rng = random.Random(fuzz_seed)
    paid = 0
    for _ in range(fuzz_size(25_000)):
        text, lenient, strict = built(rng, game)
        verdicts = [game.judge(text, False), game.judge(text, True)]
        assert [verdict.failure for verdict in verdicts] == [lenient, strict], ascii(text)
        paid += verdicts[0].is_correct
        text = damaged(rng, text)
        for is_strict in (False, True):
            verdict = game.judge(text, is_strict)
            assert verdict == game.judge(text, is_strict), ascii(text)
            json.dumps(verdict.model_dump(mode="json"), allow_nan=False).encode()
            assert not verdict.is_correct or may_be_paid(game, text, verdict), (is_strict, ascii(text))
    assert paid


UNITS = [
    '"', "“", "“a", "‘", "«", "`", "'", "\\", '\\"', "{", "}", "{}", '{"', '{"KEY":', '{"KEY" ', '"KEY"', '"KEY"/*', '"KEY" /*x*/', '"KEY"#\n', '# "KEY"\n',
    "/*", "//", "#", "*/", "//\n", "{//", "{/*", "{#\n", "\\{", "\\}", '{\\"', "{KEY:", "{KEY:1 ", "{KEY: 4*3", "4*3 ", "(4*", "((", "KEY", "KEY ", '"\\u006b',
    '{"\\u0066":', '"arguments":"', '{"arguments":"{\\"', '{"arguments": "{', "<think>", "</think>", "<", "< ", "< think >", "\\left", "\\right\\}", '"KEY": "', '": "',
    '", "KEY": ', " x: ", ' "a" :', '{"KEY": 1 /*', '{"KEY": 1 //}', '{"KEY":{"KEY":', "\ud800", "é", "，", " ", "\n", "_", "1", '{"a":1,/*', "{/*a:1,", "[", '["',
    "{KEY: (1,", "{KEY: f(", "f(a ", '{"KEY":"a"b', "K of s", "...", '{"KEY": "a" ', '{"a": "b" c: ',
]  # fmt: skip
BEFORE = [
    "",
    "{",
    '{"KEY": ',
    '{"KEY": "a" ',
    '{"KEY": [',
    '{"arguments": "',
    '{"KEY": 1 /* ',
    "<think>",
    '{"KEY": (',
    "{“KEY”: “",
    '{"KEY": 4*3 ',
]
AFTER = ["", "}", '"}', "}" * 8, "*/}", "\n}", '</think>{"KEY":1}', "// }\n}"]


def floods(game: Game, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    every = [(before, unit, after) for before in BEFORE for unit in UNITS for after in AFTER]
    rng.shuffle(every)
    for pieces in every:
        yield tuple(piece.replace("KEY", game.key) for piece in pieces)  # type: ignore[misc]


def spent(game: Game, pieces: tuple[str, str, str], length: int) -> float:
    """Thread CPU time of the fastest of two readings, in seconds."""
    before, unit, after = pieces
    text = before + unit * ((length - len(before) - len(after)) // len(unit)) + after
    times: list[Any] = []
    for _ in range(2):
        start = time.thread_time()
        verdict = game.judge(text, False)
        times.append(time.thread_time() - start)
        assert not verdict.is_correct
    return float(min(times))


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.key)
def test_every_flood_takes_time_in_proportion_to_its_length(
    game: Game, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    for pieces, _ in zip(floods(game, random.Random(fuzz_seed)), range(fuzz_size(200)), strict=False):
        longest = spent(game, pieces, MAX_CHARACTERS)
        assert longest < 2.0, pieces
        if longest > 0.02:
            short, twice = spent(game, pieces, MAX_CHARACTERS // 4), spent(game, pieces, MAX_CHARACTERS // 2)
            assert longest < 3.0 * twice + 0.05, pieces
            assert longest < 6.5 * short + 0.05, pieces
