"""Stand-in for ``skyrl_gym`` (0.4.0): the base class of text environments, and its registry."""

from typing import Any, TypedDict

_registered: dict[str, Any] = {}


class BaseTextEnvStepOutput(TypedDict):
    observations: list[dict[str, Any]]
    reward: float
    done: bool
    metadata: dict[str, Any]
    postprocessed_action: str | None


class BaseTextEnv:
    def __init__(self) -> None:
        self.turns = 0

    def init(self, prompt: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        raise NotImplementedError

    def get_metrics(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def aggregate_metrics(metrics: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: sum(each[name] for each in metrics) / len(metrics) for name in metrics[0]}


def register(id: str, entry_point: Any) -> None:
    _registered[id] = entry_point


def make(id: str, env_config: Any, extras: dict[str, Any]) -> BaseTextEnv:
    made: BaseTextEnv = _registered[id](env_config=env_config, extras=extras)
    return made


def rollout(row: dict[str, Any], model: Any) -> tuple[list[float], dict[str, Any]]:
    """Play a row as SkyRL's generator does: the rewards, and the metrics at the end."""
    extras = {name: value for name, value in row.items() if name not in ("prompt", "env_class")}
    env = make(row["env_class"], None, extras)
    messages, _ = env.init(row["prompt"])
    rewards, done = list[float](), False
    while not done:
        reply = model(messages)
        output = env.step(reply)
        messages = [*messages, {"role": "assistant", "content": reply}, *output["observations"]]
        rewards.append(output["reward"])
        done = output["done"]
    return rewards, env.aggregate_metrics([env.get_metrics()])
