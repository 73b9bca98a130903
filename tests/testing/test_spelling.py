"""render: answers as a user's own verifier reads them, in tags, in a box, or bare; level: which verdicts it owes."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from tests.testing.broken import faults_of, kinds

from verienv.generalpoints import Puzzle, formula_failure, verify
from verienv.testing import Kind, check_verifier
from verienv.virl.routes.route import Waypoint

pytestmark = pytest.mark.usefixtures("texts_scanned_once")

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
TAGS, BOX, BARE = r"(?s)<answer>(.*?)</answer>", r"\\boxed\{([^{}]*)\}", r"(?s)(.*)"


def in_tags(answer: dict[str, Any]) -> str:
    return f"<answer>{answer['formula']}</answer>"


def in_a_box(answer: dict[str, Any]) -> str:
    return f"\\boxed{{{answer['formula']}}}"


def bare(answer: dict[str, Any]) -> str:
    return str(answer["formula"])


def of_ones_own(formula: str, puzzle: Puzzle) -> bool:
    """Whether a formula is right, by a grammar that knows digits, four operations, parentheses and spaces only."""
    numbers: list[int] = []

    def walk(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](walk(node.left), walk(node.right))
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            raise ValueError
        numbers.append(node.value)
        return Fraction(node.value)

    if not re.fullmatch(r"[0-9+*/() -]{1,300}", formula.strip()):
        return False
    try:
        value = walk(ast.parse(formula.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return False
    return value == puzzle.target and sorted(numbers) == sorted(puzzle.values)


def reading(pattern: str, judge: Callable[[str, Puzzle], bool], which: int = -1) -> Callable[[str, Puzzle], float]:
    """A verifier that judges the last match of a pattern, or the first."""

    def reward(response: str, puzzle: Puzzle) -> float:
        found = re.findall(pattern, response)
        return float(bool(found) and judge(found[which], puzzle))

    return reward


def as_verienv(formula: str, puzzle: Puzzle) -> bool:
    return not formula_failure(formula, puzzle)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(
    ("pattern", "render", "which"),
    [(TAGS, in_tags, -1), (TAGS, in_tags, 0), (BOX, in_a_box, -1), (BARE, bare, 0)],
    ids=["the last tags", "the first tags", "the last box", "bare"],
)
def test_a_right_verifier_of_another_format_passes_at_level_task(pattern, render, which):
    report = check_verifier(reading(pattern, of_ones_own, which), render=render, level="task", questions=10)
    assert (report.right, report.wrong) == (1.0, 0.0)
    assert report.cases > 1500


def test_tags_around_formulas_as_verienv_reads_them_pass_in_full():
    assert check_verifier(reading(TAGS, as_verienv), render=in_tags, questions=10)


@pytest.mark.parametrize("which", [-1, 0], ids=["last", "first"])
def test_what_is_wrong_in_tags_is_found_at_level_task(which):
    def claim_ignored(formula: str, puzzle: Puzzle) -> bool:
        return not formula_failure(formula.split("=")[0], puzzle)

    faults = faults_of(reading(TAGS, claim_ignored, which), render=in_tags, level="task", questions=10)
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert "<answer>4*3+2+10=0</answer>" in str(faults)


def test_paying_any_of_a_list_of_guesses_is_found_at_level_task():
    def any_of_them(response: str, puzzle: Puzzle) -> float:
        return float(any(as_verienv(formula, puzzle) for formula in re.findall(TAGS, response)))

    faults = faults_of(any_of_them, render=in_tags, level="task", questions=10)
    assert {fault.got for fault in faults.faults} == {"paid, whichever comes last"}


def test_a_right_reward_for_plain_json_is_red_in_full_and_green_at_level_task():
    def strict(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle, strict=True).reward

    assert kinds(faults_of(strict, questions=10)) == {Kind.FALSE_REJECT}
    assert check_verifier(strict, level="task", questions=10)


def test_actions_in_tags_pass_at_level_task():
    def reward(response: str, waypoint: Waypoint) -> float:
        found = re.findall(r"(?s)<action>(.*?)</action>", response)
        return float(bool(found) and found[-1] == waypoint.action)

    def render(answer: dict[str, Any]) -> str:
        return f"<action>{answer['action']}</action>"

    assert check_verifier(reward, task="virl", render=render, level="task", questions=10).right == 1.0
    assert kinds(faults_of(reward, task="virl", render=render, questions=10)) == {Kind.FALSE_REJECT}


def test_misreading_is_owed_only_where_the_spelling_names_the_cards():
    blind = reading(TAGS, as_verienv)
    assert check_verifier(blind, render=in_tags, vision=True, questions=10)

    def with_cards(answer: dict[str, Any]) -> str:
        return f"<cards>{answer['cards']}</cards>{in_tags(answer)}"

    assert kinds(faults_of(blind, render=with_cards, vision=True, questions=10)) == {Kind.FALSE_ACCEPT}


@pytest.mark.parametrize(
    ("render", "told"),
    [
        (
            lambda answer: answer["solution"],
            "render.* raised KeyError: 'solution'; expected .* an answer's fields .cards",
        ),
        (lambda answer: None, "render.* returned None; expected a function from an answer's fields"),
    ],
)
def test_what_spells_no_plain_answer_is_refused(render, told):
    with pytest.raises(TypeError, match=told):
        check_verifier(verify, render=render)
