"""Episode: attempts and questions as a dialogue, without Gymnasium."""

from typing import Any

import gymnasium as gym
import pytest
from tests.core.next_number import TASK, NextNumber, NextNumberEnv

from verienv.core import tasks
from verienv.core.episode import Episode

ODD: list[Any] = ["", "?", None, 7, b"6", ["6"], {"text": "6"}, float("nan"), "\ud800", "x" * 200_000, "\0"]
IDS = [env_id for task in tasks.every() for env_id in task.environments]
SMALL: dict[str, dict[str, Any]] = {
    "verienv/GeneralPoints-VL-v0": {"image_size": 96},
    "verienv/VIRL-VL-v0": {"view_size": 64},
}


@pytest.fixture
def episode() -> Episode:
    return Episode(NextNumber(number=5, attempts=3), TASK)


def test_an_episode_begins_with_its_question(episode: Episode) -> None:
    assert episode.messages == [{"role": "user", "content": "What follows 5?\nAttempt 1 of 3."}]
    assert (episode.text, episode.prompt) == ("What follows 5?\nAttempt 1 of 3.", "What follows 5?")
    assert (episode.verdict, episode.verdicts, episode.feedback, episode.pictures) == (None, [], [], [])
    assert (episode.is_over, episode.is_success) == (False, False)


def test_a_wrong_answer_is_followed_by_feedback_in_the_same_dialogue(episode: Episode) -> None:
    verdict = episode.answer("?")
    assert (verdict.failure, episode.verdict) == ("wrong", verdict)
    assert episode.question.attempt == 2
    assert episode.messages[1:] == [
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "No.\nAttempt 2 of 3."},
    ]
    assert episode.text == "What follows 5?\nNo.\nAttempt 2 of 3."


def test_a_further_question_begins_a_dialogue_of_its_own(episode: Episode) -> None:
    episode.answer("?")
    assert episode.answer("6").is_correct
    assert episode.messages == [{"role": "user", "content": "What follows 6?\nAttempt 1 of 3."}]
    assert (episode.feedback, episode.is_over, len(episode.verdicts)) == ([], False, 2)


def test_the_last_answer_ends_the_dialogue_with_its_feedback_and_no_attempt(episode: Episode) -> None:
    for answer in ("6", "7"):
        episode.answer(answer)
    assert (episode.is_over, episode.is_success) == (True, True)
    assert episode.messages[-2:] == [{"role": "assistant", "content": "7"}, {"role": "user", "content": "Yes."}]
    assert episode.text == "What follows 6?\nYes."


@pytest.mark.parametrize("answers", [("6", "7"), ("?", "?", "?"), ("6", "?", "", "?")])
def test_an_answer_after_the_end_is_an_error_and_changes_nothing(episode: Episode, answers: tuple[str, ...]) -> None:
    for answer in answers:
        episode.answer(answer)
    before = episode.messages, episode.info, episode.score()
    assert episode.is_over
    with pytest.raises(RuntimeError, match="the episode is over"):
        episode.answer("6")
    assert (episode.messages, episode.info, episode.score()) == before


def test_a_question_alone_is_an_episode_of_one_question() -> None:
    episode = Episode(NextNumber(number=5, attempts=3), TASK, alone=True)
    episode.answer("7")
    assert not episode.is_over  # attempts are left
    episode.answer("6")
    assert (episode.is_over, episode.is_success) == (True, True)
    assert len(episode.messages) == 5


def test_the_expert_answers_the_question_in_play(episode: Episode) -> None:
    while not episode.is_over:
        assert episode.answer(episode.expert()).is_correct
    assert episode.is_success


@pytest.mark.parametrize("response", ODD, ids=lambda response: ascii(response)[:20])
def test_no_response_raises(response: Any, episode: Episode) -> None:
    assert episode.answer(response).failure in ("wrong", "silent")
    said = episode.messages[1]["content"]
    said.encode()  # raises for what cannot be written
    assert bool(said) == (isinstance(response, str) and response != "")


def test_changing_the_messages_changes_nothing_in_the_episode(episode: Episode) -> None:
    episode.messages[0]["content"] = "changed"
    episode.info["messages"].clear()
    assert episode.messages == [{"role": "user", "content": "What follows 5?\nAttempt 1 of 3."}]


def test_the_score_has_the_same_keys_and_types_from_the_beginning_to_the_end(episode: Episode) -> None:
    scores = [episode.score()]
    for answer in ("?", "6", "?", "7"):
        episode.answer(answer)
        scores.append(episode.score())
    assert scores[0] == {
        "reward": 0.0, "success": 0.0, "attempts": 0.0, "off_by": 0.0, "share": 0.0, "failure": "",
    }  # fmt: skip
    assert scores[-1] == {
        "reward": 2.0, "success": 1.0, "attempts": 4.0, "off_by": 0.0, "share": 1.0, "failure": "",
    }  # fmt: skip
    assert scores[1]["failure"] == "wrong"
    for score in scores:
        assert list(score) == list(scores[0])
        assert [type(value) for value in score.values()] == [float] * 5 + [str]


def test_outcomes_measure_the_whole_episode(episode: Episode) -> None:
    assert episode.outcomes == {"share": 0.0}
    episode.answer("6")
    assert episode.outcomes == {"share": 0.5}


@pytest.mark.usefixtures("registered")
def test_the_task_of_a_question_is_found() -> None:
    assert Episode(NextNumber(number=5)).task is TASK


def test_a_question_of_no_registered_task_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"NextNumber is the question of no registered task; see verienv.register_"):
        Episode(NextNumber(number=5))


def test_the_episode_of_an_environment_is_the_one_in_play() -> None:
    env = NextNumberEnv()
    env.reset(seed=0)
    assert Episode.of(env) is env.episode
    wrapped = gym.make("verienv/VIRL-L-v0")
    wrapped.reset(seed=0)
    assert Episode.of(wrapped) is wrapped.unwrapped.episode  # type: ignore[attr-defined]
    wrapped.step("?")
    assert len(Episode.of(wrapped).verdicts) == 1


@pytest.mark.parametrize("given", [None, 5, "verienv/VIRL-L-v0", [], gym.make("CartPole-v1")], ids=str)
def test_what_is_neither_a_row_nor_an_environment_is_an_error(given: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a row \(a mapping\) or a verienv environment"):
        Episode.of(given)
