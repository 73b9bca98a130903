"""The same seed gives the same episode in every process."""

import os
import subprocess
import sys
from hashlib import sha256

import gymnasium as gym
import numpy as np

import verienv
from verienv.generalpoints import SPLITS

ENV_ID = "verienv/GeneralPoints-L-v0"


def transcript() -> str:
    """A digest of episodes, spaces and demonstrations that touch everything random."""
    digest = sha256()
    for split in SPLITS:
        for settings in ({}, {"prompt": "diverse", "sampling": "iid", "face_cards": "force"}, {"cards": 3}):
            env = gym.make(ENV_ID, split=split, **settings).unwrapped
            for episode in range(5):
                told = [env.reset(seed=3 if episode == 0 else None)]
                told += [
                    env.step(env.wrong_response(failure, np.random.default_rng(1)))
                    for failure in env.measures.failures[:3]
                ]  # type: ignore[attr-defined]
                told.append(env.step(env.expert_response(steps=True)))  # type: ignore[attr-defined]
                digest.update(repr(told).encode())
        digest.update(repr(env.reset(options={"instance": "generalpoints:A-3-8:24"})).encode())
    for settings in ({"visual": "scattered"}, {"visual": "noisy", "deck": "drawn"}, {"split": "rule_visual_ood"}):
        env = gym.make("verienv/GeneralPoints-VL-v0", **settings).unwrapped
        for episode in range(3):
            observation, info = env.reset(seed=3 if episode == 0 else None)
            digest.update(repr((observation["text"], info)).encode())
            digest.update(observation["image"].tobytes())
    for settings in (
        {"prompt": "diverse"},
        {"split": "rule_visual_ood"},
        {"city": "organic-3", "directions": "relative"},
    ):
        env = gym.make("verienv/VIRL-L-v0", **settings).unwrapped
        for episode in range(3):
            told = [env.reset(seed=3 if episode == 0 else None)]
            told += [env.step(env.wrong_response("wrong_action", np.random.default_rng(1)))]  # type: ignore[attr-defined]
            told += [env.step(env.expert_response())]  # type: ignore[attr-defined]
            digest.update(repr(told).encode())
    for kind in ("sft", "revision", "preference"):
        digest.update(repr(list(verienv.demonstrations(ENV_ID, kind, n=20, seed=4))).encode())
    env.action_space.seed(5)
    digest.update(repr(env.action_space.sample()).encode())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_episodes_in_processes_with_other_hash_seeds() -> None:
    told = [
        subprocess.run(
            [sys.executable, __file__],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "31337")
    ]
    assert len(told[0]) == 64
    assert told[0] == told[1]


if __name__ == "__main__":
    print(transcript())
