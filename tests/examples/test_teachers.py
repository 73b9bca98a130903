"""SFT on right answers that a teacher has sampled: the start, or the policy as it is now."""

from dataclasses import replace

import pytest
import torch
from tests.examples.conftest import learning
from tests.examples.test_studies import interrupted, lines, same, weights

import sft
from verienv.generalpoints import verify
from verienv.generalpoints.puzzle import read_instance
from verienv.policies.hugging_face.policy import HuggingFacePolicy

TAUGHT = sft.Arguments(
    probes=0, teacher="self", batch=6, micro_batch=4, updates=3, checkpoints=1, learning_rate=1e-4, warm_up=1,
    device="cpu", log_with=(), settings=("attempts=1",),
)  # fmt: skip
MAKE = {"split": "train", "attempts": 1}


@pytest.fixture
def asked(monkeypatch):
    """The dialogues and answers of each call of a teacher, and the model that gave them."""
    found, answer = [], HuggingFacePolicy.__call__

    def noted(self, dialogues):
        responses = answer(self, dialogues)
        found.append((self, dialogues, responses))
        return responses

    monkeypatch.setattr(HuggingFacePolicy, "__call__", noted)
    return found


def test_demonstrations_are_the_answers_of_the_teacher_that_are_right(asked):
    learner = learning(replace(TAUGHT, temperature=1.2))
    shown, right, tokens = sft.right_answers(learner, 0, MAKE)
    said = [
        (one[-1]["content"], answer) for _, some, answers in asked for one, answer in zip(some, answers, strict=True)
    ]
    assert 6 == len(shown) < len(said) <= 6 * TAUGHT.tries
    for row in shown:
        question = row["prompt"][-1]["content"]
        answer = row["completion"][0]["content"]
        assert (question, answer) in said
        assert "Attempt 1 of 1." in question
        assert verify(answer, read_instance(row["instance"])).is_correct
    assert 0.2 < right < 1
    assert tokens > sum(len(learner.policy.opening(one)) for _, some, _ in asked for one in some)


@pytest.mark.parametrize("options", [{}, {"lora": 4}])
@pytest.mark.parametrize("teacher", ["start", "self"])
def test_the_start_teaches_as_it_began_and_the_policy_as_it_has_become(teacher, options):
    learner = learning(replace(TAUGHT, teacher=teacher, tries=2, **options), rate=0.1)
    answers = [sft.right_answers(learner, 0, MAKE)[0]]
    for parameter in learner.policy.model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=1.0)
    if teacher == "start":
        assert sft.right_answers(learner, 0, MAKE)[0] == answers[0]
    else:
        with pytest.raises(ValueError, match="--teacher self was right 0 times"):
            sft.right_answers(learner, 0, MAKE)


def test_sampling_is_counted_among_the_operations_of_an_update(tmp_path, asked):
    run = sft.train(replace(TAUGHT, updates=1, out=tmp_path / "run"))
    (line,) = run.lines()
    tokens = sum(policy.generated_tokens for policy in {id(policy): policy for policy, _, _ in asked}.values())
    policy = asked[0][0]
    size = sum(weight.numel() for weight in policy.model.parameters())
    trained = (line["flops"] / size - 2 * tokens) / 6
    assert trained == pytest.approx(round(trained))
    assert 6 * 60 < trained < 6 * 200  # six dialogues
    assert line["demonstrations"] == 6
    assert 0 < line["success"] <= 1


def test_an_update_holds_fewer_demonstrations_where_tries_are_over(tmp_path):
    run = sft.train(replace(TAUGHT, temperature=1.2, tries=1, updates=2, out=tmp_path / "run"))
    for line in run.lines():
        assert line["demonstrations"] == round(6 * line["success"]) <= 6
    assert min(line["demonstrations"] for line in run.lines()) < 6


def test_a_teacher_that_is_never_right_ends_the_run_in_one_line(tmp_path, stopped):
    said = stopped(lambda: sft.train(replace(TAUGHT, max_new_tokens=2, tries=2, out=tmp_path / "run")))
    assert "--teacher self was right 0 times in update 1 (12 unreadable)" in said
    assert "more often" in said


@pytest.mark.parametrize("teacher", [pytest.param("start", marks=pytest.mark.slow), "self"])
def test_a_taught_run_that_is_killed_goes_on_with_the_same_numbers(teacher, tmp_path):
    arguments = replace(TAUGHT, teacher=teacher, updates=2, save_every=1)
    whole = sft.train(replace(arguments, out=tmp_path / "whole"))
    resumed = interrupted(sft, replace(arguments, out=tmp_path / "cut"), 1)
    assert lines(resumed) == lines(whole)
    assert same(weights(resumed), weights(whole))


@pytest.mark.parametrize("option", [{"rows": 8}, {"steps": True}])
def test_a_teacher_writes_fresh_answers_in_its_own_way(option, tmp_path, stopped):
    said = stopped(lambda: sft.train(replace(TAUGHT, **option, out=tmp_path / "run")))
    assert "--teacher self answers fresh questions" in said
    assert "verienv demos" in said
    assert not (tmp_path / "run").exists()
