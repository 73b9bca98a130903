"""skrl's PPO on a numeric id with its masks: skrl_ppo.py ID STEPS SETTINGS, the last a JSON object.

Prints the mean return of the first episodes and of the last, and how many actions the mask allowed, among how many.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

import gymnasium as gym
import torch
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from skrl import config
from skrl.agents.torch.ppo import PPO
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
from skrl.trainers.torch import SequentialTrainer
from skrl.utils.spaces.torch import unflatten_tensorized_space
from torch import nn

import verienv  # noqa: F401  registers the environments

env_id, steps, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
ENVS = 8
torch.manual_seed(0)
torch.set_num_threads(1)
config.torch.key = 0


def layers(given: int, out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(given, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, out))


class Policy(CategoricalMixin, Model):
    """Chooses among the actions that the mask allows."""

    allowed = taken = 0

    def __init__(self, env: Any) -> None:
        spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
        Model.__init__(self, **spaces, device="cpu")
        CategoricalMixin.__init__(self)
        self.net = layers(env.observation_space["observation"].shape[0], env.action_space.n)

    def compute(self, inputs: dict[str, Any], role: str = "") -> tuple[torch.Tensor, dict[str, Any]]:
        told = unflatten_tensorized_space(self.observation_space, inputs["observations"])
        scores = self.net(told["observation"]).masked_fill(told["action_mask"] == 0, -1e9)
        if "taken_actions" in inputs:
            allowed = told["action_mask"].gather(1, inputs["taken_actions"].long().view(-1, 1))
            Policy.allowed, Policy.taken = Policy.allowed + int(allowed.sum()), Policy.taken + len(allowed)
        return scores, {}


class Value(DeterministicMixin, Model):
    def __init__(self, env: Any) -> None:
        spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
        Model.__init__(self, **spaces, device="cpu")
        DeterministicMixin.__init__(self)
        self.net = layers(env.observation_space["observation"].shape[0], 1)

    def compute(self, inputs: dict[str, Any], role: str = "") -> tuple[torch.Tensor, dict[str, Any]]:
        return self.net(unflatten_tensorized_space(self.observation_space, inputs["observations"])["observation"]), {}


made = gym.make_vec(env_id, num_envs=ENVS, vectorization_mode="sync", mask="observation", **settings)
counted = RecordEpisodeStatistics(made, buffer_length=100_000)
env = wrap_env(counted, wrapper="gymnasium")
agent = PPO(
    models={"policy": Policy(env), "value": Value(env)},
    memory=RandomMemory(memory_size=128, num_envs=ENVS, device="cpu"),
    observation_space=env.observation_space,
    action_space=env.action_space,
    device="cpu",
    cfg={
        "rollouts": 128, "learning_epochs": 8, "mini_batches": 4, "learning_rate": 1e-3, "discount_factor": 0.9,
        "entropy_loss_scale": 0.01, "experiment": {"write_interval": 0, "checkpoint_interval": 0},
    },
)  # fmt: skip
trainer = {
    "timesteps": steps // ENVS,
    "headless": True,
    "disable_progressbar": True,
    "close_environment_at_exit": False,
}
SequentialTrainer(env=env, agents=agent, cfg=trainer).train()
returns = list(counted.return_queue)
print(
    json.dumps(
        {
            "first": float(sum(returns[:100]) / 100),
            "trained": float(sum(returns[-100:]) / 100),
            "allowed": Policy.allowed,
            "taken": Policy.taken,
            "versions": {name: version(name) for name in ("skrl", "torch", "gymnasium", "numpy")},
        }
    )
)
