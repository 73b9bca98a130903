"""check_verifier(answer_format=...): the cases in tags, in a box, on the last line, in a format of one's own."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.generalpoints.test_formats import OWN
from tests.testing.broken import faults_of, kinds
from tests.testing.test_spelling import of_ones_own

from verienv import check_verifier
from verienv.core import tasks
from verienv.core.formats import parse_format
from verienv.generalpoints import Puzzle, formula_failure, parse_formula
from verienv.generalpoints import verify as verify_formula
from verienv.testing import Kind
from verienv.testing.format_cases import in_format
from verienv.virl import Waypoint
from verienv.virl import verify as verify_action

pytestmark = pytest.mark.usefixtures("texts_scanned_once")

BOX = r"\\boxed\{([^{}]*)\}"


def boxed_reward(response: str, puzzle: Puzzle) -> float:
    """A right reward, as people write one."""
    found = re.findall(BOX, response)
    return float(bool(found) and of_ones_own(found[-1], puzzle))


def verdict_of(verify: Callable[..., Any], **settings: Any) -> Callable[[str, Any], Any]:
    return lambda response, facts: verify(response, facts, **settings)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_right_reward_for_boxed_answers_passes_at_level_task():
    report = check_verifier(boxed_reward, answer_format="boxed", level="task")
    assert (report.right, report.wrong) == (1.0, 0.0)
    assert report.cases > 2500


@pytest.mark.parametrize("form", ["tags", "boxed+cards", "line", "tags+cards+number", OWN], ids=str)
def test_ours_passes_in_full_in_every_format(form):
    assert check_verifier(verdict_of(verify_formula, answer_format=form), answer_format=form, questions=5).cases > 1500


@pytest.mark.parametrize(("form", "vision", "strict"), [("tags+cards", True, False), ("boxed", False, True)])
def test_ours_passes_in_full_by_sight_and_strictly(form, vision, strict):
    fn = verdict_of(verify_formula, answer_format=form, vision=vision, strict=strict)
    assert check_verifier(fn, answer_format=form, vision=vision, strict=strict, questions=5)


@pytest.mark.parametrize("form", ["tags+observation", "boxed", "line"])
def test_ours_passes_in_full_in_the_streets(form):
    fn = verdict_of(verify_action, answer_format=form)
    assert check_verifier(fn, task="virl", answer_format=form, questions=5)


def any_box(response: str, puzzle: Puzzle) -> float:
    return float(any(not formula_failure(formula, puzzle) for formula in re.findall(BOX, response)))


def claim_ignored(response: str, puzzle: Puzzle) -> float:
    found = re.findall(BOX, response)
    return float(bool(found) and not formula_failure(found[-1].split("=")[0], puzzle))


def numbers_ignored(response: str, puzzle: Puzzle) -> float:
    try:
        equation = parse_formula(re.findall(BOX, response)[-1])
    except (ValueError, IndexError):
        return 0.0
    top, bottom = equation.expression.fraction() or (0, 1)
    return float(top == puzzle.target * bottom and equation.claimed in (None, puzzle.target))


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(
    ("fn", "told"),
    [
        (any_box, "paid, whichever comes last; expected one try for a list of guesses"),
        (claim_ignored, "'\\\\boxed{"),
        (numbers_ignored, "'\\\\boxed{"),
    ],
)
def test_a_flawed_reward_for_boxed_answers_is_found_and_shown_in_boxes(fn, told):
    faults = faults_of(fn, answer_format="boxed", level="task", questions=5)
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert told in str(faults)


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        (lambda text: text.replace("<think>", "").replace("</think>", ""), "reasoning is no answer"),
        (lambda text: text + "</answer>", "never closed"),
        (lambda text: text.replace("ANSWER", "x"), "tags in upper case"),
        (lambda text: text.replace("...", "").replace("<answer></answer>", "<answer>1</answer>"), "an empty one"),
        (lambda text: text if "<answer>" in text else f"<answer>{text}</answer>", "an answer outside its tags"),
    ],
)
def test_what_is_read_otherwise_than_in_the_format_is_found_in_full(flaw, why):
    fn = verdict_of(lambda response, facts: verify_formula(flaw(response), facts, answer_format="tags"))
    faults = faults_of(fn, answer_format="tags", questions=1)
    assert any(fault.case.why.startswith(why) for fault in faults.faults)


@pytest.mark.parametrize("form", ["tags", "boxed", "line"])
def test_drafts_piles_and_hedges_are_written_in_the_format(form):
    task = tasks.named("generalpoints")
    plain = task.cases(vision=False, strict=False, questions=2, seed=0)
    spelled = in_format(plain, parse_format(form), task.shape, strict=False)
    assert [len(pile) for pile in spelled.repeated_right] == [9, 9]
    assert len(spelled.hedges) == len(plain.hedges) > 0
    several = [case for pair in spelled.hedges for case in pair] + [
        case for pile in spelled.repeated_right for case in pile
    ]
    assert all('"formula"' not in case.response and case.level == "full" for case in several)


def test_a_case_that_the_format_cannot_hold_is_owed_no_verdict():
    task = tasks.named("generalpoints")
    plain = task.cases(vision=False, strict=False, questions=0, seed=0)
    spelled = in_format(plain, parse_format("line"), task.shape, strict=False)
    levels = {case.name: case.level for case in spelled.cases}
    assert levels["syntax 049"] == "total"  # a formula on each of two lines
    assert levels["spelling 001"] == "full"


def test_json_is_the_default():
    cases = [
        check_verifier(verify_formula, questions=1, ignore=["hostile", "flood", "piling", "again"], **settings).cases
        for settings in ({}, {"answer_format": "json"})
    ]
    assert cases[0] == cases[1]


class Reader:
    instruction = "Say it."

    def read(self, response: str) -> str:
        return response


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"answer_format": "tags", "render": str}, "both say how answers look; give one"),
        ({"answer_format": "xml"}, "answer_format='xml': expected json, tags, boxed, line"),
        ({"answer_format": "tags+observation"}, "tags may be followed by .cards, .number, each once"),
        ({"answer_format": Reader()}, "reads answers but writes none.*give it `write.fields.`"),
    ],
)  # fmt: skip
def test_a_wrong_format_is_an_error_that_says_what_is_expected(settings, told):
    with pytest.raises(ValueError, match=told):
        check_verifier(verify_formula, **settings)


def test_an_action_in_a_box_with_escapes_passes_at_level_task():
    def reward(response: str, waypoint: Waypoint) -> float:
        found = re.findall(r"\\boxed\{(?:\\text\{)?([^{}]*)\}", response)
        return float(bool(found) and found[-1].replace("\\_", "_") == waypoint.action)

    assert check_verifier(reward, task="virl", answer_format="boxed", level="task", questions=10).right == 1.0
