"""Gymnasium's own wrappers that need further packages, on every id: prints what each came to."""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import gymnasium as gym
import imageio.v3 as images
import numpy as np
import torch
from gymnasium.wrappers import RecordVideo
from gymnasium.wrappers.vector import NumpyToTorch

import verienv
from verienv.core import tasks

warnings.filterwarnings("error", message=".*WARN: ")
found: dict[str, dict[str, object]] = {"frames": {}, "tensors": {}}
known = [tasks.named(name) for name in verienv.tasks()]
small = {"verienv/VIRL-VL-v0": {"view_size": 64}}

for env_id in [
    *(each for task in known for each in task.environments),
    *(each for task in known for each in task.numeric),
]:
    with tempfile.TemporaryDirectory() as folder:
        env = RecordVideo(gym.make(env_id, render_mode="rgb_array", **small.get(env_id, {})), f"{folder}/video")
        env.action_space.seed(0)
        env.reset(seed=0)
        over, steps = False, 0
        while not over:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            over, steps = terminated or truncated, steps + 1
        env.close()
        (film,) = Path(f"{folder}/video").glob("*.mp4")
        found["frames"][env_id] = [steps + 1, len(images.imread(film))]

for env_id in (each for task in known for each in task.numeric):
    envs = NumpyToTorch(gym.make_vec(env_id, 2, "sync", attempts=1))
    told = [envs.reset(seed=0)]
    for _ in range(5):
        actions = torch.as_tensor(np.array(envs.action_space.sample()))
        observation, rewards, _, _, info = envs.step(actions)
        told += [(observation, info), (rewards, info)]
    parts = [
        part for seen, info in told for part in (*(seen.values() if isinstance(seen, dict) else [seen]), *info.values())
    ]
    found["tensors"][env_id] = all(isinstance(part, torch.Tensor) for part in parts)

json.dump(found, sys.stdout)
