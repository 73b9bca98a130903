"""VerifiedEnv, on a task of two questions: say the number that follows."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from tests.core.next_number import ENV_ID, FAILURES, NextNumber, NextNumberEnv

from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode


@pytest.fixture
def env() -> NextNumberEnv:
    env = NextNumberEnv()
    env.reset(seed=1)
    return env


def test_the_text_is_the_question_and_the_attempt_line(env: NextNumberEnv) -> None:
    observation, _ = env.reset(options={"instance": "next:5"})
    assert observation == {"text": "What follows 5?\nAttempt 1 of 3."}


def test_the_text_gathers_the_feedback_lines(env: NextNumberEnv) -> None:
    env.reset(options={"instance": "next:5"})
    env.step("my words")
    observation, *_ = env.step("my words")
    assert observation["text"] == "What follows 5?\nNo.\nNo.\nAttempt 3 of 3."


def test_the_dialogue_holds_the_policys_words_and_the_same_feedback(env: NextNumberEnv) -> None:
    env.reset(options={"instance": "next:5"})
    info = env.step("my words")[4]
    assert info["messages"] == [
        {"role": "user", "content": "What follows 5?\nAttempt 1 of 3."},
        {"role": "assistant", "content": "my words"},
        {"role": "user", "content": "No.\nAttempt 2 of 3."},
    ]


def test_a_correct_response_leads_to_a_further_question_in_a_new_dialogue(env: NextNumberEnv) -> None:
    env.reset(options={"instance": "next:5"})
    env.step("?")
    observation, reward, terminated, truncated, info = env.step("6")
    assert (reward, terminated, truncated) == (1.0, False, False)
    assert observation["text"] == "What follows 6?\nAttempt 1 of 3."
    assert (info["attempt"], info["attempts_left"], info["is_correct"], info["is_success"]) == (0, 3, True, False)
    assert len(info["messages"]) == 1


def test_the_last_correct_response_is_the_success(env: NextNumberEnv) -> None:
    env.reset(options={"instance": "next:5"})
    env.step("6")
    _, reward, terminated, truncated, info = env.step("7")
    assert (reward, terminated, truncated, info["is_success"]) == (1.0, True, False, True)


def test_the_last_attempt_is_graded_and_terminates(env: NextNumberEnv) -> None:
    env.reset(options={"instance": "next:5"})
    results = [env.step(answer)[:4] for answer in ("?", "?", "6")]
    assert [result[1:] for result in results] == [(0.0, False, False), (0.0, False, False), (1.0, False, False)]
    results = [env.step("?")[1:4] for _ in range(3)]
    assert results == [(0.0, False, False), (0.0, False, False), (0.0, True, False)]


def test_after_the_end_a_reset_is_needed(env: NextNumberEnv) -> None:
    for _ in range(3):
        env.step("?")
    with pytest.raises(ResetNeeded, match="reset"):
        env.step("?")


def test_before_the_first_reset_a_reset_is_needed() -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        NextNumberEnv().step("6")


def test_info_has_the_same_keys_and_types_from_the_first_reset_to_the_end(env: NextNumberEnv) -> None:
    _, info = env.reset(options={"instance": "next:5"})
    types = {key: type(value) for key, value in info.items()}
    assert type(None) not in types.values()
    for answer in ("?", "6", "7"):
        assert {key: type(value) for key, value in env.step(answer)[4].items()} == types


def test_changing_the_messages_in_info_changes_nothing_in_the_environment(env: NextNumberEnv) -> None:
    _, info = env.reset(options={"instance": "next:5"})
    info["messages"][0]["content"] = "changed"
    info["messages"].clear()
    assert env.messages == [{"role": "user", "content": "What follows 5?\nAttempt 1 of 3."}]


@pytest.mark.parametrize("action", [None, 7, b"6", ["6"], {"text": "6"}, float("nan")])
def test_an_action_that_is_no_string_is_an_empty_response(env: NextNumber, action: Any) -> None:
    env.reset(options={"instance": "next:5"})
    info = env.step(action)[4]
    assert info["failure"] == "silent"
    assert info["messages"][1] == {"role": "assistant", "content": ""}


def test_a_lone_surrogate_in_a_response_can_be_encoded_in_the_dialogue(env: NextNumberEnv) -> None:
    info = env.step("\ud800")[4]
    assert info["messages"][1]["content"].encode() == "\ufffd".encode()


def test_step_draws_nothing(env: NextNumberEnv) -> None:
    before = env.np_random.bit_generator.state
    env.step("?")
    env.step(env.expert_response())
    assert env.np_random.bit_generator.state == before


def test_a_given_instance_without_a_seed_draws_from_its_id_alone(env: NextNumberEnv) -> None:
    before = env.np_random.bit_generator.state
    env.reset(options={"instance": "next:5"})
    first = env.question.drawn
    other = NextNumberEnv()
    other.reset(options={"instance": "next:5"})
    assert other.question.drawn == first
    assert env.np_random.bit_generator.state == before
    env.reset(options={"instance": "next:6"})
    assert env.question.drawn != first


def test_a_given_instance_with_a_seed_draws_from_the_seed(env: NextNumberEnv) -> None:
    env.reset(seed=3, options={"instance": "next:5"})
    first = env.question.drawn
    env.reset(seed=4, options={"instance": "next:5"})
    assert env.question.drawn != first
    env.reset(seed=3, options={"instance": "next:5"})
    assert env.question.drawn == first


def test_unknown_reset_options_are_named(env: NextNumberEnv) -> None:
    with pytest.raises(ValueError, match=r"reset options \['instnace'\] are unknown; accepted: 'instance'"):
        env.reset(options={"instnace": "next:5"})


def test_an_unknown_render_mode_is_named() -> None:
    with pytest.raises(ValueError, match=r"render_mode='rgb': expected None or one of \['ansi', 'rgb_array'\]"):
        NextNumberEnv(render_mode="rgb")


def test_ansi_rendering_shows_the_dialogue() -> None:
    env = NextNumberEnv(render_mode="ansi")
    env.reset(options={"instance": "next:5"})
    env.step("four")
    assert env.render() == (
        "[environment]\nWhat follows 5?\nAttempt 1 of 3.\n\n[policy]\nfour\n\n[environment]\nNo.\nAttempt 2 of 3."
    )


def test_without_a_render_mode_nothing_is_rendered(env: NextNumberEnv) -> None:
    assert env.render() is None


@pytest.mark.usefixtures("registered")
def test_gymnasiums_checker_is_content() -> None:
    check_env(gym.make(ENV_ID).unwrapped)  # any warning is an error in these tests


def test_a_task_says_how_to_deal_and_nothing_else_is_needed() -> None:
    class Bare(VerifiedEnv):
        pass

    with pytest.raises(TypeError, match=r"Bare: set `task`, and define `deal\(rng, instance\)`"):
        Bare()
    own = {name for name in vars(NextNumberEnv) if not name.startswith("_")}
    assert own == {"task", "settings", "longest_question", "deal"}


def test_dealing_changes_nothing(env: NextNumberEnv) -> None:
    episode, before = env.episode, env.np_random.bit_generator.state
    dealt = env.deal(np.random.default_rng(0))
    assert isinstance(dealt, NextNumber)
    assert dealt == env.deal(np.random.default_rng(0))
    assert env.episode is episode
    assert env.np_random.bit_generator.state == before


def test_the_environment_shows_its_episode(env: NextNumberEnv) -> None:
    env.step("?")
    episode = env.episode
    assert isinstance(episode, Episode)
    assert env.question is episode.question
    assert env.verdict is episode.verdict
    assert (env.messages, env.pictures, env.instance) == (episode.messages, [], episode.question.instance)
    env.reset()
    assert env.episode is not episode


def test_before_the_first_reset_there_is_no_episode_to_show() -> None:
    for name in ("episode", "question", "instance", "messages", "verdict"):
        with pytest.raises(ResetNeeded, match="reset"):
            getattr(NextNumberEnv(), name)


def test_judging_changes_nothing(env: NextNumberEnv) -> None:
    info = env.episode.info
    assert env.judge("?").failure == "wrong"
    assert env.judge(env.expert_response()).is_correct
    assert env.episode.info == info


def test_measures_and_wrong_responses_are_the_tasks(env: NextNumberEnv) -> None:
    assert env.measures.failures == FAILURES
    assert {failure: env.wrong_response(failure, env.np_random) for failure in (*FAILURES, "other")} == {
        "wrong": "?", "silent": "", "other": None,
    }  # fmt: skip


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ValueError, match="attempts=0: expected an integer from 1 to 64"):
        NextNumberEnv(attempts=0)
    with pytest.raises(TypeError, match=r"unknown setting 'atempts' \(did you mean 'attempts'"):
        NextNumberEnv(atempts=2)


def test_a_split_stands_for_settings() -> None:
    env = NextNumberEnv(split="test")
    assert env.splits == {"train": {"most": 100}, "test": {"most": 10}}
    assert all(int(env.reset(seed=seed)[1]["instance"][5:]) < 10 for seed in range(30))


def test_only_the_environment_with_pictures_has_an_image_in_its_space() -> None:
    env = NextNumberEnv()
    assert (set(env.observation_space.spaces), env.vision) == ({"text"}, False)  # type: ignore[attr-defined]
    env.show_pictures((8, 6), writable=False)
    assert env.observation_space["image"].shape == (8, 6, 3)  # type: ignore[index]
    assert env.vision
