"""TorchRL's PPO on a numeric id: prints the mean return of a random policy and of the last episodes trained on.

python torchrl_ppo.py ENV_ID STEPS SETTINGS, the last a JSON object.
"""

import json
import sys
import warnings
from importlib.metadata import version

import gymnasium as gym
import torch
from tensordict.nn import ProbabilisticTensorDictModule, ProbabilisticTensorDictSequential, TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.data import Binary
from torchrl.envs import ActionMask, Compose, DTypeCastTransform, GymWrapper, RewardSum, TransformedEnv, check_env_specs
from torchrl.envs.gym_like import default_info_dict_reader
from torchrl.modules import MLP, MaskedCategorical, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import verienv  # noqa: F401  registers the environments

env_id, steps, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
warnings.simplefilter("error")
torch.manual_seed(0)
torch.set_num_threads(1)

wrapped = GymWrapper(gym.make(env_id, **settings), categorical_action_encoding=True)
count = wrapped.action_spec.space.n
wrapped.set_info_dict_reader(default_info_dict_reader(["action_mask"], spec=[Binary(count, dtype=torch.int8)]))
as_bool = DTypeCastTransform(torch.int8, torch.bool, in_keys=["action_mask"])
env = TransformedEnv(wrapped, Compose(as_bool, ActionMask(), RewardSum()))
env.set_seed(0)
check_env_specs(env)


def mean_return(batches: list) -> float:
    """Of the episodes that ended within these batches."""
    ended = [batch["next", "episode_reward"][batch["next", "done"]] for batch in batches]
    return float(torch.cat(ended).mean())


random = [env.rollout(3000, break_when_any_done=False)]

width = env.observation_spec["observation"].shape[-1]
actor = TensorDictModule(MLP(width, count, num_cells=[128, 128]), ["observation"], ["logits"])
choice = ProbabilisticTensorDictModule(
    in_keys={"logits": "logits", "mask": "action_mask"},
    out_keys=["action"],
    distribution_class=MaskedCategorical,
    return_log_prob=True,
)
policy = ProbabilisticTensorDictSequential(actor, choice)
critic = ValueOperator(MLP(width, 1, num_cells=[128, 128]), ["observation"])
advantage = GAE(gamma=0.9, lmbda=0.95, value_network=critic)
loss_of = ClipPPOLoss(policy, critic, entropy_coeff=0.01, normalize_advantage=True)
optimiser = torch.optim.Adam(loss_of.parameters(), lr=1e-3)
batches = []
collector = Collector(env, policy, frames_per_batch=2000, total_frames=steps, auto_register_policy_transforms=True)
for batch in collector:
    batches.append(batch.select(("next", "episode_reward"), ("next", "done")))
    for _ in range(8):
        with torch.no_grad():
            advantage(batch)
        for part in batch[torch.randperm(len(batch))].split(250):
            losses = loss_of(part)
            loss = losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(loss_of.parameters(), 0.5)
            optimiser.step()
print(
    json.dumps(
        {
            "random": mean_return(random),
            "trained": mean_return(batches[-1:]),
            "steps": 2000 * len(batches),
            "versions": {name: version(name) for name in ("torchrl", "tensordict", "torch", "gymnasium", "numpy")},
        }
    )
)
