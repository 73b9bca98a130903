"""The environment of a session with OpenEnv's server; used by ``verienv.adapters.openenv``."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from verienv.adapters import openai
from verienv.adapters.openenv_served import Offer, RefusedError
from verienv.core.episode import Episode
from verienv.core.version import __version__

NAME = "verienv"
"""The name of the environment in the paths of task discovery."""


@cache
def environment_classes() -> tuple[type[Any], type[Any], type[Any]]:
    """Return the classes of actions, of observations and of environments, whose argument is an ``Offer``.

    Raises:
        ImportError: if OpenEnv is not installed.
    """
    try:
        from openenv.core.env_server.interfaces import Environment
        from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
    except ImportError:
        raise ImportError('verienv.adapters.openenv needs OpenEnv: pip install "verienv[openenv]"') from None

    class Answer(Action):
        response: Annotated[Any, WithJsonSchema({"type": "string"})] = Field(description="The policy's response.")

    class Dialogue(Observation):
        messages: list[dict[str, Any]] = Field(description="The dialogue to answer, as OpenAI's chat messages.")

    class EpisodeEnvironment(Environment[Answer, Dialogue, State]):
        SUPPORTS_CONCURRENT_SESSIONS = True
        lock = Lock()
        """Held while an episode is dealt, judged or drawn: sessions are threads, and share caches."""

        def __init__(self, offer: Offer) -> None:
            super().__init__()
            self.offer = offer
            self.episode: Episode | None = None
            self.id = ""

        def reset(
            self, seed: Any = None, episode_id: Any = None, split: Any = None, index: Any = 0, **more: Any
        ) -> Any:
            """Begin an episode."""
            if more:
                raise RefusedError(
                    f"{', '.join(more)}: expected split, index and seed alone; settings are the server's"
                )
            row = self.offer.row(split, index, seed)
            with self.lock:
                self.episode = self.offer.episode(row)
                self.id = episode_id or row["id"]
                return Dialogue(messages=openai.messages(self.episode))

        def step(self, action: Any, timeout_s: Any = None, **_: Any) -> Any:
            """Judge one response; the score of the episode is in the last one's metadata."""
            if self.episode is None or self.episode.is_over:
                raise RefusedError("no episode is in play: reset this session; only /ws keeps one between requests")
            with self.lock:
                reward, is_over = self.episode.answer(action.response).reward, self.episode.is_over
                score: dict[str, Any] = dict(self.episode.score()) if is_over else {}
                return Dialogue(messages=openai.messages(self.episode), reward=reward, done=is_over, metadata=score)

        @property
        def state(self) -> Any:
            """The episode's id, and the number of answers so far."""
            return State(episode_id=self.id, step_count=len(self.episode.verdicts) if self.episode else 0)

        def get_metadata(self) -> Any:
            """Name what is served."""
            return EnvironmentMetadata(name=NAME, description=self.offer.env_id, version=__version__)

        def list_splits(self) -> list[dict[str, str]]:
            """Return the splits, those besides "train" as tests."""
            return [{"name": name, "type": "train" if name == "train" else "test"} for name in self.offer.splits]

        def num_tasks(self, split: Any) -> int:
            """Return the number of episodes of a split."""
            self.offer.task(split, 0)
            return self.offer.n

        def get_task(self, split: Any, index: Any) -> dict[str, Any]:
            """Return one episode's id and place."""
            return self.offer.task(split, index)

        def get_task_range(self, split: Any, start: Any = None, stop: Any = None) -> list[dict[str, Any]]:
            """Return those of a slice."""
            return [self.offer.task(split, index) for index in range(self.offer.n)[start:stop]]

        def list_tasks(self, split: Any) -> list[dict[str, Any]]:
            """Return all of a split."""
            return self.get_task_range(split)

    return Answer, Dialogue, EpisodeEnvironment
