"""V-IRL as an environment: its contracts, for every split and every notable setting."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import verienv  # noqa: F401 - registers the ids
from verienv.core.spaces import PRINTABLE
from verienv.virl import COMPASS, SPLITS, TURNS, verify, write_answer
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.sampler import CITIES, shipped_plans

ENV_ID = "verienv/VIRL-L-v0"
SETTINGS: list[dict[str, Any]] = [
    *({"split": split} for split in SPLITS),
    {"split": "rule_ood", "side": "train", "directions": "relative"},
    {"side": "all", "directions": "landmarks", "prompt": "diverse"},
    {"city": "grid-7", "turns": (2, 3), "directions": "absolute"},
    {"city": "organic-1", "side": "test", "spacing": 15.0},
    {"city": ("grid-7", "organic-1"), "turns": 1, "spacing": 150.0, "episode": "waypoint"},
    {"city": "radial-0", "side": "all", "attempts": 1, "rewards": "binary_format"},
    {"attempts": 64, "strict": True, "rewards": {"base": "paper", "correct": 2.5}, "turns": (6, 6), "spacing": 200.0},
]
HOSTILE = [
    "", "}", '{"action": ', '{"action": null}', '{"action": 1}', '{"action": "HOSTILE()"}', '{"action": ["forward()"]}',
    "\x00\x1b[2J", '\ud800{"action": "\ud800"}', "\u202eforward()", '{"action": "' + "(" * 5000 + '"}',
    "HOSTILE WORDS " * 1000, '{"action": "ｆorward()"}', '{"current observation": {"HOSTILE": 1}, "action": "turn()"}',
]  # fmt: skip


def played(env: VIRLEnv, instance: str) -> dict[str, Any]:
    """The info at the end of an episode of the expert's."""
    env.reset(options={"instance": instance})
    over = False
    while not over:
        *_, over, _, info = env.step(env.expert_response())
        assert info["is_correct"], instance
        assert info["observation_correct"], instance
        assert info["instruction_correct"], instance
    return info


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(gym.make(ENV_ID, **settings).unwrapped)  # any warning is an error in these tests


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_episodes_of_experts_and_of_hostile_policies_keep_every_contract(settings: dict[str, Any]) -> None:
    env = VIRLEnv(**settings)
    for episode in range(6):
        observation, info = env.reset(seed=episode)
        types = {key: type(value) for key, value in info.items()}
        assert type(None) not in types.values()
        asked, over, progress, steps = env.instance, False, 0.0, 0
        while not over:
            assert env.observation_space.contains(observation)
            assert set(observation["text"]) <= set(PRINTABLE)
            hostile = episode % 2 and steps % 3 == 0 and info["attempts_left"] > 1
            answer = HOSTILE[steps % len(HOSTILE)] if hostile else env.expert_response(steps=episode % 3 == 0)
            if episode == 5:
                answer = HOSTILE[steps % len(HOSTILE)]
            observation, reward, over, truncated, info = env.step(answer)
            assert type(reward) is float
            assert truncated is False
            assert {key: type(value) for key, value in info.items()} == types
            assert info["instance"] == asked
            assert "HOSTILE" not in observation["text"]
            assert info["progress"] >= progress
            progress = info["progress"]
            assert (reward == env.best_reward) == info["is_correct"]
            steps += 1
        assert info["is_success"] == (episode != 5)
        assert (info["progress"] == 1.0) == info["is_success"]
        with pytest.raises(ResetNeeded):
            env.step("")


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("city", CITIES)
def test_the_expert_succeeds_on_every_shipped_route(city: str, actions: str) -> None:
    env = VIRLEnv(city=city, side="all" if city == "montevideo" else "test", actions=actions)
    for part in CITIES[city].values():
        for index in range(len(shipped_plans(part))):
            assert played(env, f"virl:{part}:{index}")["is_success"]


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("city", CITIES)
def test_neither_always_forward_nor_the_other_rules_word_walks_any_shipped_route(city: str, actions: str) -> None:
    env = VIRLEnv(city=city, side="all" if city == "montevideo" else "test", actions=actions, attempts=1)
    other = "relative" if actions == "absolute" else "absolute"
    for part in CITIES[city].values():
        for index in range(0, len(shipped_plans(part)), 5):
            route = env._sampler.route(f"virl:{part}:{index}")
            turns = [waypoint for waypoint in route.waypoints if waypoint.move == "turn"]
            assert turns
            for waypoint in turns:
                assert not verify('{"action": "forward()"}', waypoint).is_correct
                copied = verify(write_answer(replace(waypoint, actions=other)), waypoint)
                assert copied.failure == "outside_action_space"
                assert "outside the action space" in copied.feedback


@pytest.mark.parametrize("split", SPLITS)
def test_every_word_of_the_rule_is_an_experts_action(split: str) -> None:
    env = VIRLEnv(split=split)
    words = COMPASS if env.config.actions == "absolute" else TURNS
    seen: Counter[str] = Counter()
    for part in [part for city in env.config.city for side, part in CITIES[city].items() if side == env.config.side]:
        for index in range(len(shipped_plans(part))):
            seen.update(waypoint.action for waypoint in env._sampler.route(f"virl:{part}:{index}").waypoints)
    assert {f"turn_direction({word})" for word in words} | {"forward()", "stop()"} == set(seen)


def test_a_wrong_action_is_not_executed_and_a_correct_one_starts_a_fresh_dialogue() -> None:
    env = VIRLEnv()
    first, _ = env.reset(seed=4)
    wrong, reward, over, _, info = env.step('{"action": "stop()"}')
    assert (reward, over, info["progress"]) == (-1.5, False, 0.0)
    assert wrong["text"].startswith(first["text"].partition("\nAttempt")[0])
    assert len(info["messages"]) == 3
    right, reward, _, _, info = env.step(env.expert_response())
    assert reward == 1.0
    assert len(info["messages"]) == 1
    assert info["progress"] > 0
    assert "Attempt 1 of 2." in right["text"]
    assert "Steps so far:\nnone" not in right["text"]


def test_two_wrong_attempts_at_one_waypoint_end_the_episode_and_the_last_pays_its_category() -> None:
    env = VIRLEnv()
    env.reset(seed=4)
    env.step(env.expert_response())
    true = json.dumps({"current observation": env.waypoint.observation, "action": "stop()"})
    assert env.step(true)[1:3] == (-1.0, False)
    assert env.step("nothing")[1:3] == (-1.5, True)


def test_the_history_is_one_step_longer_after_each_correct_action() -> None:
    env = VIRLEnv(turns=(3, 3))
    observation, _ = env.reset(seed=0)
    for step in range(8):
        history = observation["text"].partition("Steps so far:\n")[2].partition("\nNow: ")[0]
        assert (history == "none") if step == 0 else len(history.split("\n")) == step
        observation, *_ = env.step(env.expert_response())


def test_the_same_instance_under_the_other_rule_differs_in_the_words_of_actions_alone() -> None:
    _, info = VIRLEnv().reset(seed=3)
    one, other = (
        VIRLEnv(actions=actions).reset(options={"instance": info["instance"]})[0]["text"]
        for actions in ("absolute", "relative")
    )
    assert one != other
    assert one.replace(", ".join(COMPASS), "WORDS") == other.replace(", ".join(TURNS), "WORDS")


def test_a_route_of_another_city_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'virl:helsinki:3' is no route here; there are routes of montevideo-centre"):
        VIRLEnv().reset(options={"instance": "virl:helsinki:3"})


@pytest.mark.parametrize(
    "instance", ["", "virl", "virl:a:b:c", "generalpoints:A-4-J-Q:24", "virl:\u0660:1", 7, None.__class__]
)
def test_what_is_no_instance_is_an_error_that_shows_one(instance: Any) -> None:
    with pytest.raises(ValueError, match="instance="):
        VIRLEnv().reset(options={"instance": instance})


@pytest.mark.parametrize("number", ["-1", "1200", "1.0", "9" * 30, "\u00b2", "0x1"])
def test_a_number_that_no_route_has_is_an_error(number: str) -> None:
    with pytest.raises(ValueError, match="instance="):
        VIRLEnv().reset(options={"instance": f"virl:montevideo-centre:{number}"})
