"""RLlib's own masking module on a numeric id with its masks: rllib_mask.py ID STEPS SETTINGS.

Prints how many sampled actions the mask allowed, and among how many.
"""

import json
import sys

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import ActionMaskingTorchRLModule

import verienv  # noqa: F401  registers the environments

env_id, steps, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
config = (
    PPOConfig()
    .environment(env_id, env_config={"mask": "rllib", **settings})
    .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
    .rl_module(
        rl_module_spec=RLModuleSpec(module_class=ActionMaskingTorchRLModule, model_config={"head_fcnet_hiddens": [32]})
    )
    .training(train_batch_size_per_learner=500, minibatch_size=250, num_epochs=2)
    .debugging(seed=0)
)
algorithm = config.build_algo()
algorithm.train()
allowed = taken = 0
for episode in algorithm.env_runner.sample(num_timesteps=steps, random_actions=False):
    masks, actions = episode.get_observations()["action_mask"], episode.get_actions()
    taken += len(actions)
    allowed += sum(int(mask[action]) for mask, action in zip(masks, actions, strict=False))
algorithm.stop()
ray.shutdown()
print(json.dumps({"allowed": allowed, "taken": taken}))
