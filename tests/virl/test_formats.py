"""V-IRL in tags, boxes and last lines: every verdict is JSON's."""

import os

import pytest

from verienv.core.answer_format import JSON
from verienv.core.cases import CANARY
from verienv.core.formats import parse_format
from verienv.virl import verify
from verienv.virl.answers import write_answer
from verienv.virl.cases import CORNER, VIRLCase, hostile_cases, load_vectors
from verienv.virl.observations import LONGEST
from verienv.virl.prompts import ACTION, SHAPE

COUNTS = {
    "tags": 1931,
    "boxed": 1931,
    "line": 1922,
    "tags+observation+instruction": 1907,
    "boxed+observation+instruction": 1907,
    "line+observation": 1898,
}
"""Vectors, each in the modes that it holds for; most of the others are no single answer in JSON."""
each_format = pytest.mark.parametrize("form", COUNTS)


def spelled(case: VIRLCase, form: str, strict: bool) -> str:
    """The answer of a case in a format; "" where it cannot be spelled there."""
    fields = JSON.read(case.response, SHAPE, strict=strict)
    action = (fields or {}).get(ACTION)
    if fields is None or not isinstance(action, str):
        return ""
    fields = {name.replace("_", " "): value for name, value in fields.items()}
    bare, parsed = action.strip(" \t\n\r\f\v"), parse_format(form)
    if bare in ("", "...") or (form.startswith("line") and "\n" in bare) or len(action) - len(bare) > 200:
        return ""
    for part in parsed.parts(SHAPE):
        text = fields.get(part.field, "nothing")
        if not isinstance(text, str) or text.strip() in ("", "...") or len(text) > LONGEST:
            return ""
    return parsed.write(fields, SHAPE)


@each_format
def test_every_vector_that_can_be_spelled_gets_the_verdict_it_gets_in_json(form):
    count, judges = 0, parse_format(form).has("current observation", SHAPE)
    for case in load_vectors():
        for strict in (False, True):
            if not case.holds(strict) or not (text := spelled(case, form, strict)):
                continue
            asked = verify(case.response, case.waypoint, strict=strict)
            found = verify(text, case.waypoint, strict=strict, answer_format=form)
            assert (found.failure, found.is_correct) == (asked.failure, asked.is_correct), case.name
            assert found.metrics == {name: asked.metrics[name] for name in found.metrics}, case.name
            assert found.reward == asked.reward or (not judges and (found.reward, asked.reward) == (-1.0, -1.5))
            count += 1
    assert count == COUNTS[form]


@pytest.mark.parametrize("form", ["tags+observation", "boxed", "line"])
@pytest.mark.parametrize("strict", [False, True])
def test_hostile_text_gets_nothing_and_no_code_is_run(form, strict):
    parsed = parse_format(form)
    texts = [case.response for case in hostile_cases(seed=1)]
    texts += [parsed.write({ACTION: text[:9000], "current observation": text[:9000]}, SHAPE) for text in texts]
    for text in texts:
        verdict = verify(text, CORNER, strict=strict, answer_format=form)
        assert not verdict.is_correct
        assert verdict.reward < 0
        verdict.model_dump_json()
    assert CANARY not in os.environ


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{turn\_direction(east)}",
        r"\boxed{\text{turn\_direction(east)}}",
        r"\boxed{\texttt{turn\_direction(east)}}",
        r"\(\boxed{turn_direction(east)}\)",
        r"\\boxed{turn\\_direction(east)}",
    ],
)
def test_an_action_in_a_box_is_read_as_tex_writes_it(text):
    assert verify(text, CORNER, answer_format="boxed").is_correct
    strict = verify(text, CORNER, answer_format="boxed", strict=True)
    assert strict.is_correct == ("{turn_direction(east)}" in text)


def test_observation_and_instruction_stand_in_tags_of_their_own():
    text = f"<instruction>1. {CORNER.sentence}</instruction>\n<Observation>{CORNER.observation}</Observation>\n"
    verdict = verify(
        f"{text}<answer>turn_direction(east)</answer>", CORNER, answer_format="tags+observation+instruction"
    )
    assert (verdict.is_correct, verdict.reward) == (True, 1.0)
    assert verdict.metrics["observation_correct"]
    assert verdict.metrics["instruction_correct"]


def test_an_observation_that_is_asked_for_and_not_told_is_not_true():
    verdict = verify("<answer>forward()</answer>", CORNER, answer_format="tags+observation")
    assert (verdict.reward, verdict.metrics["observation_correct"]) == (-1.5, False)


def test_an_observation_that_is_not_asked_for_is_not_measured():
    verdict = verify(write_answer(CORNER, action="forward()", answer_format="tags"), CORNER, answer_format="tags")
    assert (verdict.reward, set(verdict.metrics)) == (-1.0, {"is_turn", "is_forward"})
