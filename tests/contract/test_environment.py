"""Every environment keeps Gymnasium's contract, and its own, whatever the policy writes."""

import copy
import json
import math
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from hypothesis import HealthCheck, given, settings
from tests.contract.playing import Case, each_case, each_player, each_task, each_wording, expert, mending, played

from verienv.core.feedback import LONGEST_FEEDBACK
from verienv.core.spaces import PRINTABLE
from verienv.testing import odd_responses

NO_STRINGS: list[Any] = [None, 7, float("nan"), b"HOSTILE", ["HOSTILE"], {"text": "HOSTILE"}, object()]


def hostile(case: Case, good: str) -> list[Any]:
    """Responses that no one asked for, some of them around the fields of the task's answer or a good one."""
    key = next(iter(case.task.fields), "answer")
    values = (
        "null",
        "1e999",
        "NaN",
        "9" * 5000,
        '"HOSTILE"',
        '["HOSTILE"]',
        '{"a": {}}',
        '"\\ud800"',
        '"' + "(" * 9000,
    )
    floods = ("x", "\\", '"', "'", "{", "}", "[", '{"', "\ud800", "\0", "\N{LATIN SMALL LETTER E WITH ACUTE}", "((")
    return [
        *NO_STRINGS,
        "",
        "HOSTILE WORDS",
        "\x00\x1b[2J\x07\r\x7f",
        "\ud800\udfff",
        "\u202e" + good,
        good[: len(good) // 2],
        good.replace('"', "\u201c"),
        "\N{FULLWIDTH LEFT CURLY BRACKET}" + good[1:],
        *(f'{{"{key}": {value}}}' for value in values),
        *(unit * (100_000 // len(unit)) for unit in floods),
        f'{{"{key}": ' * 10_000,
    ]


@each_case
def test_gymnasiums_checker_is_content(case: Case) -> None:
    check_env(case.make())  # any warning is an error in these tests


@each_wording
@each_player
def test_observations_lie_in_their_space(case: Case, player: Any) -> None:
    env = case.make()
    observation, _ = env.reset(seed=1)
    assert observation in env.observation_space
    assert all(observation in env.observation_space for _, observation, *_ in played(env, player))


@each_case
def test_a_text_is_printable_ascii(case: Case) -> None:
    env = case.make()
    observation, _ = env.reset(seed=1)
    texts = [observation["text"], *(observation["text"] for _, observation, *_ in played(env, mending))]
    assert set().union(*texts) <= set(PRINTABLE)


@each_case
def test_hostile_responses_never_raise_and_are_paid_a_finite_reward(case: Case) -> None:
    env = case.begun(attempts=64)
    for response in hostile(case, env.expert_response()):
        observation, reward, over, truncated, info = env.step(response)
        assert type(reward) is float
        assert math.isfinite(reward)
        assert reward < env.best_reward or info["is_correct"]
        assert observation in env.observation_space
        assert not truncated
        json.dumps(info).encode()
        if over:
            env.reset()


@each_case
def test_no_word_of_the_policy_comes_back_in_what_it_is_told(case: Case) -> None:
    env = case.begun(attempts=64)
    for response in hostile(case, env.expert_response()):
        observation, _, over, _, info = env.step(response)
        assert "HOSTILE" not in observation["text"] + info["feedback"]
        if over:
            env.reset()


@each_case
def test_a_response_that_is_no_string_is_an_empty_one(case: Case) -> None:
    env = case.begun(attempts=64)
    empty = env.judge("")
    for response in NO_STRINGS:
        assert env.step(response)[1] == empty.reward
        assert env.messages[-2] == {"role": "assistant", "content": ""}


@each_task
def test_no_odd_response_raises(case: Case) -> None:
    question, odd = case.begun().question, odd_responses(case.task_name)

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(odd)
    def judged(response: str) -> None:
        assert question.judge(response) == question.judge(response)

    judged()


@each_case
@each_player
def test_info_has_the_same_keys_and_types_throughout(case: Case, player: Any) -> None:
    env = case.make()
    _, info = env.reset(seed=2)
    types = {key: type(value) for key, value in info.items()}
    assert type(None) not in types.values()
    for *_, info in played(env, player):
        assert {key: type(value) for key, value in info.items()} == types


@each_case
@each_player
def test_a_correct_response_alone_earns_the_best_reward(case: Case, player: Any) -> None:
    env = case.begun(seed=3)
    best = env.best_reward
    for *_, reward, _, info in played(env, player):
        assert (reward == best) == info["is_correct"] == (info["failure"] == "")


@each_case
def test_the_expert_succeeds_and_a_wrong_answer_to_each_attempt_does_not(case: Case) -> None:
    env = case.begun(seed=4)
    assert played(env, expert)[-1][4]["is_success"]
    env.reset()
    for _ in range(env.attempts):
        *_, over, _, info = env.step("")
    assert over
    assert not info["is_success"]


@each_case
def test_after_the_end_and_before_the_beginning_a_reset_is_needed(case: Case) -> None:
    env = case.make(attempts=1)
    with pytest.raises(ResetNeeded):
        env.step("")
    env.reset(seed=0)
    env.step("")
    with pytest.raises(ResetNeeded):
        env.step("")


@each_case
def test_feedback_is_one_short_line(case: Case) -> None:
    env = case.begun(seed=5)
    for *_, info in played(env, mending):
        assert info["feedback"]
        assert "\n" not in info["feedback"]
        assert len(info["feedback"]) <= LONGEST_FEEDBACK


@each_case
def test_the_longest_dialogue_fits_its_space(case: Case) -> None:
    env = case.begun(attempts=64)
    rng = np.random.default_rng(0)
    failures = [failure for failure in env.measures.failures if env.wrong_response(failure, rng) is not None]
    for attempt in range(64):
        observation, *_ = env.step(env.wrong_response(failures[attempt % len(failures)], rng))
    assert observation in env.observation_space


@each_case
def test_a_given_instance_is_dealt(case: Case) -> None:
    env = case.begun(seed=6)
    instance = env.instance
    observations = [case.make().reset(options={"instance": instance})[0] for _ in range(2)]
    assert env.reset(options={"instance": instance})[1]["instance"] == instance
    assert observations[0]["text"] == observations[1]["text"]


NO_INSTANCES = [
    "", "nothing", 7, ["a"], "a:b", "a:b:c", "task:1:2", "virl:a:b:c", "other:A-4-J-Q:24", "virl:\u0660:1",
    "countdown:1-2:x", "countdown:1-2-3-24:27:1", "task:10-20-3-4:30", "countdown:", "countdown:5:5",
]  # fmt: skip


@each_case
@pytest.mark.parametrize("instance", NO_INSTANCES, ids=repr)
def test_what_is_no_instance_is_refused_in_one_line(case: Case, instance: Any) -> None:
    env = case.begun()
    with pytest.raises(ValueError, match="instance=") as caught:
        env.reset(options={"instance": instance})
    assert "\n" not in str(caught.value)


@each_case
def test_a_refused_reset_leaves_the_episode_in_play(case: Case) -> None:
    env = case.begun()
    instance = env.instance
    for options in ({"instance": "nothing"}, {"instnace": instance}):
        with pytest.raises(ValueError, match="instance"):
            env.reset(options=options)
    assert env.step(env.expert_response())[4]["instance"] == instance


@each_case
def test_an_unknown_setting_is_named_with_the_one_that_was_meant(case: Case) -> None:
    with pytest.raises(ValueError, match=r"unknown setting 'atempts' \(did you mean 'attempts'\?"):
        gym.make(case.env_id, atempts=2)


@each_case
def test_a_split_deals_nothing_of_another(case: Case) -> None:
    met = {split: set[str]() for split in ("train", "test")}
    for split, instances in met.items():
        env = case.make(split=split)
        instances |= {env.deal(np.random.default_rng(seed)).instance for seed in range(40)}
    assert not met["train"] & met["test"]


@each_case
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301
def test_a_copy_goes_on_as_the_original_does(case: Case, copied: Any) -> None:
    env = case.begun()
    env.step("")
    twin = copied(env)
    for one, other in zip(played(env, expert), played(twin, expert), strict=True):
        assert one[1]["text"] == other[1]["text"]
        assert one[2:] == other[2:]
    assert twin.reset()[0]["text"] == env.reset()[0]["text"]


@each_case
def test_text_rendering_shows_the_dialogue(case: Case) -> None:
    env = gym.make(case.env_id, render_mode="ansi", **case.settings)
    env.reset(seed=0)
    env.step("I pass")
    assert "[policy]\nI pass\n\n[environment]\n" in str(env.render())


@each_case
def test_environments_in_a_vector_deal_what_they_deal_alone(case: Case) -> None:
    vector = SyncVectorEnv([case.make] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    assert_vector_deals_as_alone(case, vector)


@each_task
def test_environments_in_processes_of_their_own_deal_what_they_deal_alone(case: Case) -> None:
    # A fresh server process rather than a fork of this one, which may run threads.
    vector = AsyncVectorEnv([case.make] * 2, context="forkserver", autoreset_mode=AutoresetMode.SAME_STEP)
    assert_vector_deals_as_alone(case, vector)


def assert_vector_deals_as_alone(case: Case, vector: Any) -> None:
    seeds = [8, 9]
    alone = [case.make() for _ in seeds]
    first = [env.reset(seed=seed) for env, seed in zip(alone, seeds, strict=True)]
    try:
        observations, infos = vector.reset(seed=seeds)
        assert list(observations["text"]) == [observation["text"] for observation, _ in first]
        assert infos["instance"].tolist() == [info["instance"] for _, info in first]
        if vector.single_observation_space.spaces.keys() > {"text"}:
            assert np.array_equal(observations["image"], np.stack([observation["image"] for observation, _ in first]))
        for _ in range(alone[0].attempts):
            responses = [env.wrong_response(env.measures.failures[-1], np.random.default_rng(0)) or "" for env in alone]
            observations, rewards, terminated, truncated, infos = vector.step(tuple(responses))
            steps = [env.step(response) for env, response in zip(alone, responses, strict=True)]
            assert rewards.tolist() == [step[1] for step in steps]
            assert terminated.tolist() == [step[2] for step in steps]
        assert terminated.all()
        assert not truncated.any()
        assert list(observations["text"]) == [env.reset()[0]["text"] for env in alone]
    finally:
        vector.close()
