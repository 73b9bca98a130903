"""Vector environments: seeds and infos in all three autoreset modes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

import verienv  # noqa: F401 - registers the ids
from verienv.generalpoints import expert_answer
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.puzzle import read_instance

ENV_ID = "verienv/GeneralPoints-L-v0"
SEEDS = [11, 12, 11]
MODES = list(AutoresetMode)
# A fresh server process rather than a fork of this one, which may run threads.
KINDS: dict[str, Callable[..., VectorEnv[Any, Any, Any]]] = {
    "sync": SyncVectorEnv,
    "async": partial(AsyncVectorEnv, context="forkserver"),
}
DTYPES = {
    "instance": object, "attempt": int, "attempts_left": int, "is_correct": bool, "is_success": bool,
    "failure": object, "feedback": object, "messages": object, "cards_correct": bool, "numbers_correct": bool,
    "formula_valid": bool, "solutions": int, "difficulty": int,
}  # fmt: skip
"""The keys of info, each an array of this type with a mask ``_key`` beside it."""


def make() -> gym.Env[Any, Any]:
    return gym.make(ENV_ID, attempts=2)


def expert(instance: str) -> str:
    return expert_answer(read_instance(instance))


def assert_typed(infos: dict[str, Any]) -> None:
    assert set(infos) == set(DTYPES) | {f"_{key}" for key in DTYPES}
    assert {key: infos[key].dtype for key in DTYPES} == {key: np.dtype(kind) for key, kind in DTYPES.items()}


def episodes(count: int) -> list[list[str]]:
    """The texts that open the first episodes of each environment, met alone."""
    opened = []
    for seed in SEEDS:
        env = GeneralPointsEnv(attempts=2)
        opened.append([env.reset(seed=seed if k == 0 else None)[0]["text"] for k in range(count)])
    return opened


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[..., VectorEnv[Any, Any, Any]]:
    return KINDS[request.param]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_seeds_and_infos_are_kept(kind: Callable[..., VectorEnv[Any, Any, Any]], mode: AutoresetMode) -> None:
    vector = kind([make] * 3, autoreset_mode=mode)
    try:
        observations, infos = vector.reset(seed=SEEDS)
        alone = episodes(2)
        assert list(observations["text"]) == [opened[0] for opened in alone]
        assert_typed(infos)

        answers = (
            expert(infos["instance"][0]),
            "wrong",
            "wrong",
        )  # the first is done, the others have one attempt left
        observations, rewards, terminated, truncated, infos = vector.step(answers)
        assert rewards.tolist() == [5.0, -3.0, -3.0]
        assert terminated.tolist() == [True, False, False]
        assert not truncated.any()
        final = infos.pop("final_info", None)
        infos = {key: value for key, value in infos.items() if "final" not in key}
        assert_typed(infos)

        if mode == AutoresetMode.SAME_STEP:
            assert observations["text"][0] == alone[0][1]
            assert final["is_success"].tolist() == [True, False, False]
            assert final["_is_success"].tolist() == [True, False, False]
            assert infos["attempt"].tolist() == [0, 1, 1]
        elif mode == AutoresetMode.NEXT_STEP:
            assert infos["is_success"].tolist() == [True, False, False]
            observations, rewards, terminated, _, infos = vector.step(("thrown away", "wrong", "wrong"))
            assert observations["text"][0] == alone[0][1]
            assert rewards.tolist() == [0.0, -3.0, -3.0]
            assert terminated.tolist() == [False, True, True]
            assert_typed(infos)
        else:
            mask = np.array([True, False, False])
            observations, infos = vector.reset(options={"reset_mask": mask})
            assert observations["text"][0] == alone[0][1]
            assert infos["_instance"].tolist() == [True, False, False]
            assert "Attempt 2 of 2." in observations["text"][1]
            assert_typed(infos)
    finally:
        vector.close()


def test_a_group_is_one_instance_dealt_to_all_with_one_seed(kind: Callable[..., VectorEnv[Any, Any, Any]]) -> None:
    vector = kind([make] * 3, autoreset_mode=AutoresetMode.DISABLED)
    try:
        options = {"reset_mask": np.array([True, True, True])}
        observations, infos = vector.reset(seed=[5, 5, 5], options=options)
        assert len(set(infos["instance"])) == len(set(observations["text"])) == 1
        answers = (expert(infos["instance"][0]), '{"formula": "1"}', "")
        assert vector.step(answers)[1].tolist() == [5.0, -2.0, -3.0]
    finally:
        vector.close()


def test_copies_stay_and_views_follow() -> None:
    for copy in (True, False):
        vector = AsyncVectorEnv([make] * 2, context="forkserver", copy=copy)
        first, _ = vector.reset(seed=SEEDS[:2])
        before = tuple(first["text"])
        vector.step(("wrong", "wrong"))
        assert (tuple(first["text"]) == before) is copy
        assert "Attempt 2 of 2." in vector.observations["text"][1]
        vector.close()


def test_a_given_instance_is_dealt_to_all(kind: Callable[..., VectorEnv[Any, Any, Any]]) -> None:
    vector = kind([make] * 2)
    try:
        _, infos = vector.reset(options={"instance": "generalpoints:4-3-2-K:24"})
        assert infos["instance"].tolist() == ["generalpoints:4-3-2-K:24"] * 2
    finally:
        vector.close()


def test_make_vec_takes_the_settings() -> None:
    vector = gym.make_vec(ENV_ID, num_envs=2, vectorization_mode="sync", split="rule_ood", attempts=3)
    observations, _ = vector.reset(seed=0)
    assert all("K = 13" in text and text.endswith("Attempt 1 of 3.") for text in observations["text"])
    vector.close()


SEEN_ID = "verienv/GeneralPoints-VL-v0"


def make_seen() -> gym.Env[Any, Any]:
    return gym.make(SEEN_ID, attempts=2, image_size=[96, 128], visual="scattered")


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_pictures_are_those_of_each_environment_alone(
    kind: Callable[..., VectorEnv[Any, Any, Any]], mode: AutoresetMode
) -> None:
    vector = kind([make_seen] * 3, autoreset_mode=mode)
    try:
        observations, infos = vector.reset(seed=SEEDS)
        alone = [make_seen() for _ in SEEDS]
        first = [env.reset(seed=seed)[0]["image"] for env, seed in zip(alone, SEEDS, strict=True)]
        assert observations["image"].shape == (3, 96, 128, 3)
        assert observations["image"].dtype == np.uint8
        assert np.array_equal(observations["image"], np.stack(first))
        assert [infos[key].dtype for key in ("suits", "jitter", "cards_read")] == [object, int, int]
        observations, *_ = vector.step(("wrong",) * 3)
        assert np.array_equal(observations["image"], np.stack(first))
        observations, _, terminated, _, _ = vector.step(("wrong",) * 3)
        assert terminated.all()
        if mode == AutoresetMode.SAME_STEP:
            assert np.array_equal(observations["image"], np.stack([env.reset()[0]["image"] for env in alone]))
        else:
            assert np.array_equal(observations["image"], np.stack(first))
    finally:
        vector.close()


def test_a_group_with_pictures_is_shown_one_picture() -> None:
    vector = SyncVectorEnv([make_seen] * 4, autoreset_mode=AutoresetMode.DISABLED)
    observations, _ = vector.reset(seed=[9] * 4, options={"reset_mask": np.ones(4, bool)})
    assert all(np.array_equal(image, observations["image"][0]) for image in observations["image"])
    vector.close()
