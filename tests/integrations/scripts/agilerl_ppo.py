"""AgileRL's PPO on a numeric id with its masks: agilerl_ppo.py ID STEPS SETTINGS, the last a JSON object.

Prints the mean return of the first episodes and of the last, and how many actions the mask allowed, among how many.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from agilerl.algorithms.ppo import PPO
from agilerl.training.train_on_policy import train_on_policy
from agilerl.utils.utils import make_vect_envs
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import verienv  # noqa: F401  registers the environments

env_id, steps, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
ENVS = 8
np.random.seed(0)
torch.manual_seed(0)
torch.set_num_threads(1)


class Counted(gym.vector.VectorWrapper):
    """Counts the actions that the mask of the state before allowed."""

    allowed = taken = 0

    def reset(self, **given: Any) -> Any:
        observation, info = self.env.reset(**given)
        self.mask = info["action_mask"]
        return observation, info

    def step(self, actions: Any) -> Any:
        self.allowed += int(self.mask[np.arange(ENVS), actions].sum())
        self.taken += ENVS
        *told, info = self.env.step(actions)
        self.mask = info["action_mask"]
        return *told, info


made = make_vect_envs(env_id, num_envs=ENVS, should_async_vector=False, **settings)
recorded = RecordEpisodeStatistics(made, buffer_length=100_000)
env = Counted(recorded)
agent = PPO(
    env.single_observation_space,
    env.single_action_space,
    num_envs=ENVS,
    learn_step=1024,
    batch_size=256,
    lr=1e-3,
    gamma=0.9,
    update_epochs=8,
    net_config={"encoder_config": {"hidden_size": [128, 128]}},
)
train_on_policy(env, env_id, "PPO", [agent], max_steps=steps, evo_steps=2048, eval_steps=8, verbose=False)
returns = list(recorded.return_queue)
print(
    json.dumps(
        {
            "first": float(np.mean(returns[:100])),
            "trained": float(np.mean(returns[-100:])),
            "allowed": env.allowed,
            "taken": env.taken,
            "versions": {name: version(name) for name in ("agilerl", "torch", "gymnasium", "numpy")},
        }
    )
)
