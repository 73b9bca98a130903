"""sb3-contrib's MaskablePPO on the token builder, by its id: sb3_maskable_ppo.py ID STEPS [SETTINGS as JSON]."""

import json
import sys
import warnings

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from sb3_contrib.common.maskable.utils import is_masking_supported
from stable_baselines3.common.env_util import make_vec_env

import verienv  # noqa: F401  registers the environments

warnings.simplefilter("error")
torch.set_num_threads(1)
EPISODES = 400


def masked_random_return(env: gym.Env) -> float:
    """The mean return of a policy that draws among the allowed actions."""
    rng, total = np.random.default_rng(0), 0.0
    for episode in range(EPISODES):
        _, info = env.reset(seed=0 if episode == 0 else None)
        over = False
        while not over:
            action = rng.choice(np.flatnonzero(info["action_mask"]))
            _, reward, terminated, truncated, info = env.step(action)
            total, over = total + float(reward), terminated or truncated
    return total / EPISODES


if __name__ == "__main__":
    env_id, steps = sys.argv[1], int(sys.argv[2])
    settings = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    vector = make_vec_env(env_id, n_envs=8, seed=0, env_kwargs=settings)
    assert is_masking_supported(vector)
    model = MaskablePPO(
        "MlpPolicy", vector, n_steps=128, batch_size=256, learning_rate=1e-3, gamma=1.0, seed=0, device="cpu"
    )  # fmt: skip
    model.learn(steps)
    vector.seed(1)
    trained, _ = evaluate_policy(model, vector, EPISODES, deterministic=False)
    print(json.dumps({"trained": float(trained), "random": masked_random_return(gym.make(env_id, **settings))}))
