"""Stable-Baselines3's PPO on an environment by its id: sb3_ppo.py ID POLICY STEPS [SETTINGS as JSON]."""

import json
import sys
import warnings

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

import verienv  # noqa: F401  registers the environments

warnings.simplefilter("error")
torch.set_num_threads(1)
EPISODES = 200


def random_return(env: gym.Env) -> float:
    """The mean return of a policy that draws among all actions."""
    env.action_space.seed(0)
    total = 0.0
    for episode in range(EPISODES):
        env.reset(seed=0 if episode == 0 else None)
        over = False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, over = total + float(reward), terminated or truncated
    return total / EPISODES


if __name__ == "__main__":
    env_id, policy, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    settings = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
    check_env(gym.make(env_id, **settings))
    vector = make_vec_env(env_id, n_envs=8, seed=0, env_kwargs=settings)
    rollout = min(128, steps // 8)
    model = PPO(policy, vector, n_steps=rollout, batch_size=256, learning_rate=1e-3, seed=0, device="cpu")
    model.learn(steps)
    vector.seed(1)
    trained, _ = evaluate_policy(model, vector, EPISODES, deterministic=False)
    print(json.dumps({"trained": float(trained), "random": random_return(Monitor(gym.make(env_id, **settings)))}))
