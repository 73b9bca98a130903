"""An environment for SkyRL-Gym, and its rows: ``import skyrl_gym`` in place of the stand-in."""

from typing import Any

from tests.contract.libraries import skyrl_gym

from verienv import Episode, rows
from verienv.adapters import openai


class EpisodeEnv(skyrl_gym.BaseTextEnv):
    def __init__(self, env_config: Any = None, extras: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.episode = Episode.of(extras or {})

    def init(self, prompt: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        return openai.messages(self.episode), {}

    def step(self, action: str) -> skyrl_gym.BaseTextEnvStepOutput:
        verdict = self.episode.answer(action)
        return skyrl_gym.BaseTextEnvStepOutput(
            observations=openai.messages(self.episode)[-1:],
            reward=verdict.reward,
            done=self.episode.is_over,
            metadata=self.episode.score(),
            postprocessed_action=None,
        )

    def get_metrics(self) -> dict[str, Any]:
        return {"success": float(self.episode.is_success)}


skyrl_gym.register("verienv", entry_point=EpisodeEnv)


def dataset(env_id: str, split: str = "train", n: int = 1000, **settings: Any) -> list[dict[str, Any]]:
    dealt = rows(env_id, split, n, **settings)
    return [{**row, "env_class": "verienv", "reward_spec": {"method": "rule"}} for row in dealt]
