"""A server's environment for OpenEnv: ``from openenv.core.env_server import ...`` in place of the stand-in."""

from typing import Any

from tests.contract.libraries.openenv import Action, Environment, Observation, State

from verienv import Episode, rows
from verienv.adapters import openai


class Answer(Action):
    response: str


class Dialogue(Observation):
    messages: list[dict[str, Any]]


class EpisodeEnvironment(Environment[Answer, Dialogue, State]):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, env_id: str, **settings: Any) -> None:
        super().__init__()
        self.env_id, self.settings = env_id, settings

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        return rows(self.env_id, split, index + 1, **self.settings)[index]

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, split: str = "train", index: int = 0, **_: Any
    ) -> Dialogue:
        self.episode = Episode.of(self.get_task(split, index))
        return Dialogue(messages=openai.messages(self.episode))

    def step(self, action: Answer, timeout_s: float | None = None, **_: Any) -> Dialogue:
        reward = self.episode.answer(action.response).reward
        told = openai.messages(self.episode)
        return Dialogue(messages=told, reward=reward, done=self.episode.is_over, metadata=self.episode.score())

    @property
    def state(self) -> State:
        return State(episode_id=self.episode.question.instance, step_count=len(self.episode.verdicts))
