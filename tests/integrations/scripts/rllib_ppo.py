"""RLlib's PPO on a numeric id: prints the mean return of a random policy and of the last episodes trained on.

python rllib_ppo.py ENV_ID STEPS SETTINGS, the last a JSON object.
"""

import json
import sys
import warnings
from importlib.metadata import version

import gymnasium as gym
import numpy as np
import ray
from ray.rllib.algorithms.ppo import PPOConfig

import verienv  # noqa: F401  registers the environments

env_id, steps, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
warnings.simplefilter("error")
for library in ("ray", "torch"):  # what these say of themselves
    warnings.filterwarnings("ignore", module=rf"{library}(\..*)?$")
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", category=ResourceWarning)
warnings.filterwarnings("error", message=".*WARN: ")  # what Gymnasium says of an environment, whoever called it

env = gym.make(env_id, **settings)
env.action_space.seed(0)
returns = []
for episode in range(200):
    _, info = env.reset(seed=0 if episode == 0 else None)
    total, over = 0.0, False
    while not over:
        _, reward, over, _, info = env.step(env.action_space.sample(info["action_mask"]))
        total += float(reward)
    returns.append(total)

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
config = (
    PPOConfig()
    .environment(env_id, env_config=settings)
    .env_runners(num_env_runners=0, num_envs_per_env_runner=8)
    .training(
        lr=1e-3, gamma=0.9, train_batch_size_per_learner=2000, minibatch_size=250, num_epochs=8, entropy_coeff=0.01
    )
    .debugging(seed=0)
)
algorithm = config.build_algo()
trained, last = 0, {}
while trained < steps:
    last = algorithm.train()["env_runners"]
    trained += int(last["num_env_steps_sampled"])
algorithm.stop()
ray.shutdown()
print(
    json.dumps(
        {
            "random": float(np.mean(returns)),
            "trained": float(last["episode_return_mean"]),
            "steps": trained,
            "versions": {name: version(name) for name in ("ray", "torch", "gymnasium", "numpy")},
        }
    )
)
