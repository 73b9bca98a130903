"""In every answer format the expert is right, wrong responses fail as meant, and demonstrations are paid."""

from typing import Any

import numpy as np
import pytest
from tests.contract.playing import ONE_OF_EACH, Case
from tests.generalpoints.test_formats import OWN

import verienv
from verienv import Episode, Question
from verienv.core.spaces import PRINTABLE

EXTRA = {"generalpoints": ("tags+cards+number", "line+cards", OWN), "virl": ("boxed+observation+instruction",)}
WORDED = [case for case in ONE_OF_EACH if case.task_name in EXTRA]
EACH = [(case, form) for case in WORDED for form in ("tags", "boxed", "line", *EXTRA[case.task_name])]
each_format = pytest.mark.parametrize(
    ("case", "form"), [pytest.param(case, form, id=f"{case.task_name}-{form}") for case, form in EACH]
)


def questions(case: Case, form: Any, count: int = 12, **settings: Any) -> list[Question]:
    env, rng = case.make(answer_format=form, **settings), np.random.default_rng(0)
    return [Episode(env.deal(rng), case.task).question for _ in range(count)]


@each_format
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("steps", [False, True], ids=["plain", "with steps"])
def test_the_expert_is_right_and_its_answer_is_in_the_format(case, form, strict, steps):
    for question in questions(case, form, strict=strict):
        text = question.expert(steps=steps)
        verdict = question.judge(text)
        assert (verdict.is_correct, verdict.reward) == (True, question.best_reward)
        assert "{" not in text or str(form).startswith("boxed")
        assert question.judge(question.constant()).failure != "unreadable"


@each_format
def test_the_question_asks_for_the_format_and_for_no_json(case, form):
    for question in questions(case, form, 3, prompt="diverse"):
        assert question.wording.answer_format.instruction(case.task.shape) in question.prompt
        assert "JSON" not in question.prompt
        assert set(question.prompt) <= set(PRINTABLE)
        assert not question.judge(question.prompt).is_correct


@each_format
@pytest.mark.parametrize("strict", [False, True])
def test_wrong_responses_fail_as_meant_or_there_are_none(case, form, strict):
    rng, written = np.random.default_rng(0), set[str]()
    failures = case.make(answer_format=form, strict=strict).measures.failures
    for question in questions(case, form, 24, strict=strict):
        for failure in failures:
            text = question.wrong(failure, rng)
            if text is not None:
                assert question.judge(text).failure == failure
                written.add(failure)
    assert written == set(failures)


@each_format
@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
@pytest.mark.parametrize("steps", [False, True], ids=["plain", "with steps"])
def test_demonstrations_of_all_kinds_are_in_the_format(case, form, kind, steps):
    settings = {**case.settings, "answer_format": form}
    question = questions(case, form, 1)[0]
    for row in verienv.demonstrations(case.env_id, kind, n=4, steps=steps, **settings):
        text = row["chosen" if kind == "preference" else "completion"][0]["content"]
        assert row["reward"] == question.best_reward
        assert question.wording.answer_format.read(text, case.task.shape, strict=True) is not None


@pytest.mark.parametrize(
    ("env_id", "form", "is_misread"),
    [
        ("verienv/GeneralPoints-VL-v0", "tags", False),
        ("verienv/GeneralPoints-VL-v0", "boxed+cards", True),
        ("verienv/GeneralPoints-VL-v0", OWN, True),
    ],
    ids=str,
)
def test_by_sight_a_hand_can_be_misread_where_the_format_names_the_cards(env_id, form, is_misread):
    case = Case("generalpoints", env_id, {"image_size": 96})
    env = case.begun(answer_format=form)
    text = env.episode.question.wrong("misread", np.random.default_rng(0))
    assert (text is not None) == is_misread
    assert ("cards_correct" in env.measures.metrics) == is_misread
    *_, info = env.step(env.episode.expert())
    assert info["is_success"]
