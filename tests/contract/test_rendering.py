"""Every id can be filmed, and tells as much in info as it is asked to, under Gymnasium's own wrappers."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import AddRenderObservation, RenderCollection
from tests.contract.playing import Case, each_case

from verienv.core import tasks

NUMERIC = [env_id for task in tasks.every() for env_id in task.numeric]
each_numeric = pytest.mark.parametrize("env_id", NUMERIC)


def played(env: gym.Env[Any, Any], seed: int = 0) -> list[dict[str, Any]]:
    """The infos of an episode of random actions."""
    env.action_space.seed(seed)
    _, info = env.reset(seed=seed)
    infos, over = [info], False
    while not over:
        *_, terminated, truncated, info = env.step(env.action_space.sample())
        infos.append(info)
        over = terminated or truncated
    return infos


@each_case
def test_every_id_is_drawn_in_frames_of_one_size(case: Case) -> None:
    env = RenderCollection(gym.make(case.env_id, render_mode="rgb_array", **case.settings))
    played(env)
    frames = env.render()
    assert len(frames) > 1
    assert len({frame.shape for frame in frames}) == 1
    assert all(frame.dtype == np.uint8 and frame.shape[2] == 3 and frame.std() > 1 for frame in frames)
    if not env.unwrapped.vision:  # type: ignore[attr-defined]
        assert not np.array_equal(frames[0], frames[-1])


@each_numeric
def test_every_numeric_id_is_drawn_in_frames_of_one_size(env_id: str) -> None:
    env = RenderCollection(gym.make(env_id, render_mode="rgb_array"))
    played(env)
    assert len({frame.shape for frame in env.render()}) == 1


@pytest.mark.parametrize("env_id", [*NUMERIC, *(env_id for task in tasks.every() for env_id in task.environments)])
def test_gymnasium_collects_the_frames_of_every_id_where_the_render_mode_asks_for_a_list(env_id: str) -> None:
    env = gym.make(env_id, render_mode="rgb_array_list")
    env.reset(seed=0)
    assert [frame.dtype for frame in env.render()] == [np.uint8]  # type: ignore[union-attr]


@each_case
def test_a_picture_of_the_dialogue_can_be_an_observation(case: Case) -> None:
    env = AddRenderObservation(gym.make(case.env_id, render_mode="rgb_array", **case.settings))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)


@each_case
def test_gymnasiums_checker_is_content_with_what_is_drawn(case: Case) -> None:
    check_env(gym.make(case.env_id, render_mode="rgb_array", **case.settings).unwrapped)


@each_case
def test_info_tells_as_much_as_it_is_asked_to(case: Case) -> None:
    def infos(told: str) -> list[dict[str, Any]]:
        return played(gym.make(case.env_id, info=told, **case.settings))

    for full, text, numbers in zip(infos("full"), infos("text"), infos("numbers"), strict=True):
        assert text == {name: value for name, value in full.items() if name != "messages"}
        assert numbers == {name: value for name, value in text.items() if not isinstance(value, str)}
        assert {"attempt", "is_correct", "is_success"} <= set(numbers)
    with pytest.raises(ValueError, match="info='all': expected one of full, text, numbers"):
        gym.make(case.env_id, info="all", **case.settings)


@each_numeric
def test_the_info_of_a_numeric_id_holds_numbers_and_its_texts_on_demand(env_id: str) -> None:
    for told in ("numbers", "text"):
        for info in played(gym.make(env_id, info=told)):
            assert all(isinstance(value, bool | int | float | np.ndarray | str) for value in info.values())
            assert any(isinstance(value, str) for value in info.values()) == (told == "text")


@each_case
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_the_info_of_an_ended_episode_is_to_be_had_after_the_next_has_begun(case: Case, mode: AutoresetMode) -> None:
    envs = gym.make_vec(case.env_id, 2, "sync", vector_kwargs={"autoreset_mode": mode}, **case.settings)
    envs.reset(seed=[0, 1])
    assert envs.get_attr("final_info") == ({}, {})
    ended = np.zeros(2, bool)
    while not ended.all():
        *_, terminated, _, infos = envs.step(envs.action_space.sample())
        ended |= terminated
        told = infos.get("final_info", infos)
        for index in np.flatnonzero(terminated):
            final = envs.get_attr("final_info")[index]
            assert (final["attempts_left"], final["messages"][-1]["role"]) == (0, "user")
            assert all(told[name][index] == value for name, value in final.items())
    kept = [dict(info) for info in envs.get_attr("final_info")]
    envs.reset(seed=[0, 1])
    assert list(envs.get_attr("final_info")) == kept
    assert [info["attempt"] for info in envs.get_attr("info")] == [0, 0]


@each_numeric
def test_the_info_of_an_ended_numeric_episode_is_to_be_had(env_id: str) -> None:
    env: Any = gym.make(env_id)
    assert env.unwrapped.final_info == {}
    last = played(env)[-1]
    env.reset()
    final = env.unwrapped.final_info
    assert {name: final[name] for name in last if name in final} == {name: last[name] for name in last if name in final}
    assert final["instance"] != env.unwrapped.info["instance"]
    assert env.unwrapped.cluster


@each_numeric
@pytest.mark.parametrize(
    ("place", "whole", "mask"),
    [
        ("observation", "observation", "action_mask"),
        ("rllib", "observations", "action_mask"),
        ("tianshou", "obs", "mask"),
    ],
)
def test_the_mask_is_in_the_observation_where_it_is_asked_for(env_id: str, place: str, whole: str, mask: str) -> None:
    plain, env = gym.make(env_id), gym.make(env_id, mask=place)
    for each in (plain, env):
        each.action_space.seed(3)
    (seen, told), (observation, info) = plain.reset(seed=2), env.reset(seed=2)
    for _ in range(12):
        assert env.observation_space.contains(observation)
        assert np.array_equal(observation[mask], info["action_mask"])
        assert env.observation_space[whole] == plain.observation_space  # type: ignore[index]
        assert all(
            np.array_equal(one, other) for one, other in zip(leaves(observation[whole]), leaves(seen), strict=True)
        )
        assert info.keys() == told.keys()
        action = env.action_space.sample()
        (seen, _, over, _, told), (observation, _, _, _, info) = plain.step(action), env.step(action)
        if over:
            break
    check_env(env.unwrapped, skip_render_check=True)
    with pytest.raises(ValueError, match="mask='everywhere'"):
        gym.make(env_id, mask="everywhere")


def leaves(observation: Any) -> list[Any]:
    return list(observation.values()) if isinstance(observation, dict) else [observation]


@each_numeric
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_the_infos_of_a_vector_of_a_numeric_id_are_arrays_of_numbers(env_id: str, mode: AutoresetMode) -> None:
    envs = gym.make_vec(env_id, 2, "sync", vector_kwargs={"autoreset_mode": mode}, attempts=1)
    told = [envs.reset(seed=0)[1], *(envs.step(envs.action_space.sample())[4] for _ in range(3))]
    told += [info["final_info"] for info in told if "final_info" in info]
    for info in told:
        for name, value in info.items():
            assert name in ("final_obs", "final_info") or value.dtype.kind in "biuf", name
