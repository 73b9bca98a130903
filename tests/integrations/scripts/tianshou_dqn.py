"""Tianshou's DQN on a numeric id with its masks: tianshou_dqn.py ID STEPS [SETTINGS as JSON].

Prints how many actions of the trained policy, half of them drawn at random, the mask allowed, and among how many.
"""

import json
import sys

import gymnasium as gym
import numpy as np
import torch
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.utils.net.common import Net
from tianshou.utils.torch_utils import policy_within_training_step

import verienv  # noqa: F401  registers the environments

env_id, steps = sys.argv[1], int(sys.argv[2])
settings = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
np.random.seed(0)
torch.manual_seed(0)
torch.set_num_threads(1)
env = gym.make(env_id, mask="tianshou", **settings)
net = Net(state_shape=env.observation_space["obs"].shape, action_shape=env.action_space.n, hidden_sizes=[64])
policy = DiscreteQLearningPolicy(model=net, action_space=env.action_space, eps_training=0.5, eps_inference=0.5)
algorithm = DQN(policy=policy, optim=AdamOptimizerFactory(lr=1e-3), gamma=1.0, target_update_freq=100)
envs = DummyVectorEnv([lambda: gym.make(env_id, mask="tianshou", **settings) for _ in range(4)])
buffer = VectorReplayBuffer(20_000, 4)
collector = Collector(algorithm, envs, buffer)
collector.reset()
losses = []
while len(buffer) < steps:
    with policy_within_training_step(algorithm.policy):
        collector.collect(n_step=200)
        losses += [float(algorithm.update(buffer, 64).loss) for _ in range(10)]
batch, _ = buffer.sample(0)
allowed = batch.obs.mask[np.arange(len(batch.act)), batch.act]
json.dump({"allowed": int(allowed.sum()), "taken": len(allowed), "finite": bool(np.isfinite(losses).all())}, sys.stdout)
