"""Stable-Baselines3 on a vector environment in arrays, and on single ones: sb3_vectors.py ID STEPS [SETTINGS]."""

import json
import sys
import warnings
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from verienv.numeric import make_vec
from verienv.numeric.vectors.base import NumericVector

warnings.simplefilter("error")
torch.set_num_threads(1)
COUNT = 8


class Vector(VecEnv):
    """A Gymnasium vector environment with autoreset in the same step, as Stable-Baselines3 takes one."""

    def __init__(self, envs: NumericVector) -> None:
        self.envs = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Any:
        observations, _ = self.envs.reset(seed=self._seeds)
        self._reset_seeds()
        return observations

    def step_async(self, actions: Any) -> None:
        self.actions = actions

    def step_wait(self) -> Any:
        observations, rewards, terminated, truncated, told = self.envs.step(self.actions)
        infos: list[dict[str, Any]] = [{"TimeLimit.truncated": False} for _ in range(self.num_envs)]
        for i in np.flatnonzero(terminated | truncated):
            infos[i]["terminal_observation"] = told["final_obs"][i]
            infos[i]["is_success"] = bool(told["final_info"]["is_success"][i])
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return observations, rewards.astype(np.float32), terminated | truncated, infos

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        return list(getattr(self.envs, method_name)(*args, **kwargs)[self._get_indices(indices)])

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"{attr_name}: the environments are arrays, and have no attributes of their own")

    def has_attr(self, attr_name: str) -> bool:
        return hasattr(self.envs, attr_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))

    def close(self) -> None:
        self.envs.close()


class Curve(BaseCallback):
    """The returns of the episodes of each rollout."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[list[float]] = []

    def _on_rollout_start(self) -> None:
        self.points.append([])

    def _on_step(self) -> bool:
        self.points[-1] += [round(float(info["episode"]["r"]), 4) for info in self.locals["infos"] if "episode" in info]
        return True


def learned(kind: Any, envs: VecEnv, steps: int) -> tuple[list[list[float]], list[Any]]:
    """The curve of a short run, and the weights after it."""
    model = kind("MlpPolicy", envs, n_steps=64, batch_size=128, learning_rate=1e-3, seed=0, device="cpu")
    curve = Curve()
    model.learn(steps, callback=curve)
    return curve.points, [weights.tolist() for weights in model.policy.parameters()]


if __name__ == "__main__":
    env_id, steps = sys.argv[1], int(sys.argv[2])
    settings = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    said: dict[str, Any] = {}
    for kind in (PPO, MaskablePPO):
        kept = {"autoreset_mode": AutoresetMode.SAME_STEP}
        arrays = VecMonitor(Vector(make_vec(env_id, COUNT, vector_kwargs=kept, **settings)))
        single = make_vec_env(env_id, n_envs=COUNT, seed=0, env_kwargs=settings)
        arrays.seed(0)
        runs = [learned(kind, envs, steps) for envs in (arrays, single)]
        points = runs[0][0]
        said[kind.__name__] = {
            "equal": runs[0] == runs[1],
            "episodes": sum(map(len, points)),
            "first": float(np.mean(points[0])),
            "last": float(np.mean(points[-1])),
        }
    print(json.dumps(said))
