"""What the expert and the makers of wrong answers write is judged as it is meant."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.contract.playing import Case, each_case, each_wording

from verienv import Episode, Question
from verienv.core.spaces import PRINTABLE


def questions(case: Case, episodes: int = 3) -> Iterator[Question]:
    """The questions that the expert meets in some episodes."""
    env = case.make()
    for seed in range(episodes):
        episode = Episode(env.deal(np.random.default_rng(seed)), case.task)
        while not episode.is_over:
            yield episode.question
            episode.answer(episode.expert())


@each_wording
@pytest.mark.parametrize("steps", [False, True], ids=["plain", "with steps"])
def test_the_experts_response_is_correct_and_earns_the_best_reward(case: Case, steps: bool) -> None:
    for question in questions(case, episodes=8):
        verdict = question.judge(question.expert(steps=steps))
        assert (verdict.is_correct, verdict.failure, verdict.reward) == (True, "", question.best_reward)


@each_wording
def test_every_kind_of_failure_can_be_written_and_fails_as_meant(case: Case) -> None:
    rng, written = np.random.default_rng(0), set[str]()
    failures = case.make().measures.failures
    assert failures
    for question in questions(case, episodes=8):
        for failure in failures:
            response = question.wrong(failure, rng)
            if response is not None:
                assert question.judge(response).failure == failure
                written.add(failure)
    assert written == set(failures)


@each_case
def test_a_wrong_response_earns_less_than_the_best_reward(case: Case) -> None:
    rng = np.random.default_rng(1)
    failures = case.make().measures.failures
    for question in questions(case):
        texts = [question.wrong(failure, rng) for failure in failures]
        assert all(question.judge(text).reward < question.best_reward for text in texts if text is not None)


@each_case
def test_a_wrong_response_depends_on_the_generator_alone(case: Case) -> None:
    failures = case.make().measures.failures
    for question in questions(case, episodes=1):
        for failure in failures:
            assert question.wrong(failure, np.random.default_rng(3)) == question.wrong(
                failure, np.random.default_rng(3)
            )


@each_wording
def test_every_verdict_has_the_metrics_that_the_task_names(case: Case) -> None:
    measures = case.make().measures
    types = {name: type(value) for name, value in measures.metrics.items()}
    for question in questions(case, episodes=1):
        for response in (question.expert(), "", question.constant()):
            verdict = question.judge(response)
            assert {name: type(value) for name, value in verdict.metrics.items()} == types


@each_case
def test_every_kind_of_failure_has_feedback_of_its_own_in_printable_ascii(case: Case) -> None:
    rng = np.random.default_rng(2)
    failures = case.make().measures.failures
    for question in questions(case, episodes=1):
        for text in filter(None, (question.wrong(failure, rng) for failure in failures)):
            feedback = question.judge(text).feedback
            assert feedback
            assert set(feedback) <= set(PRINTABLE) - {"\n"}


@each_case
def test_the_constant_baseline_says_a_string(case: Case) -> None:
    assert all(isinstance(question.constant(), str) for question in questions(case, episodes=1))


@each_case
def test_every_measure_that_is_shown_or_counted_exists(case: Case) -> None:
    env = case.begun()
    measures, info = env.measures, env.episode.info
    counted = {name for pair in measures.ratios.values() for name in pair}
    assert counted <= {*measures.metrics, "is_correct", "attempt"}
    assert set(measures.outcomes) <= set(info)
    assert measures.headline in {"success", *measures.ratios, *measures.metrics, *measures.outcomes}
    per_episode = {f"{name}_per_episode" for name in measures.ratios}
    assert set(measures.headings) <= {
        *measures.metrics, *measures.ratios, *measures.outcomes, *measures.extras, *per_episode
    }  # fmt: skip
