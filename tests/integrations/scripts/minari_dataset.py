"""Minari records episodes with their infos and gives them back: minari_dataset.py ID [SETTINGS as JSON]."""

import json
import os
import sys
import tempfile

os.environ["MINARI_DATASETS_PATH"] = tempfile.mkdtemp()

import gymnasium as gym
import minari
import numpy as np

import verienv  # noqa: F401  registers the environments

env_id, settings = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
env = minari.DataCollector(gym.make(env_id, **settings), record_infos=True)
env.action_space.seed(0)
infos = []
for seed in range(3):
    _, info = env.reset(seed=seed)
    infos.append([info])
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        infos[-1].append(info)
        over = terminated or truncated
made = env.create_dataset(
    "verienv/recorded-v0", algorithm_name="random", author="-", author_email="-", code_permalink="-"
)
again = minari.load_dataset("verienv/recorded-v0")


def same(name: str, kept: object, given: list[object]) -> bool:
    read = [each.decode() if isinstance(each, bytes) else each for each in np.asarray(kept).tolist()]
    return read == np.asarray(given).tolist()


alike = [
    same(name, episode.infos[name], [info[name] for info in told])
    for episode, told in zip(again, infos, strict=True)
    for name in told[0]
]
fresh = again.recover_environment()
_, info = fresh.reset(seed=0)
json.dump({"alike": all(alike), "compared": len(alike), "recovered": sorted(info) == sorted(infos[0][0])}, sys.stdout)
