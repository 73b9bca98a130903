"""Stand-in for ``openenv.core`` (0.10.0): an environment behind JSON, as server and client see it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Action(BaseModel):
    model_config = ConfigDict(extra="forbid")
    metadata: dict[str, Any] = Field(default_factory=dict)


class Observation(BaseModel):
    model_config = ConfigDict(extra="forbid")
    done: bool = False
    reward: bool | int | float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class State(BaseModel):
    model_config = ConfigDict(extra="allow")
    episode_id: str | None = None
    step_count: int = 0


class EnvironmentMetadata(BaseModel):
    name: str
    description: str
    version: str | None = None


ActT = TypeVar("ActT", bound=Action)
ObsT = TypeVar("ObsT", bound=Observation)
StateT = TypeVar("StateT", bound=State)


class Environment(ABC, Generic[ActT, ObsT, StateT]):
    SUPPORTS_CONCURRENT_SESSIONS = False

    def __init__(self, transform: Any = None, rubric: Any = None) -> None:
        self.transform, self.rubric = transform, rubric

    @abstractmethod
    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> ObsT: ...

    @abstractmethod
    def step(self, action: ActT, timeout_s: float | None = None, **kwargs: Any) -> ObsT: ...

    @property
    @abstractmethod
    def state(self) -> StateT: ...


class Client:
    """A session with a server: all that goes there and back is JSON."""

    def __init__(self, factory: Callable[[], Any], action: type[Action], observation: type[Observation]) -> None:
        self._env, self._action, self._observation = factory(), action, observation

    def reset(self, **asked: Any) -> dict[str, Any]:
        return self._read(self._env.reset(**json.loads(json.dumps(asked))))

    def step(self, **fields: Any) -> dict[str, Any]:
        return self._read(self._env.step(self._action.model_validate(json.loads(json.dumps(fields)))))

    def state(self) -> dict[str, Any]:
        return self._env.state.model_dump(mode="json")

    def _read(self, observation: Observation) -> dict[str, Any]:
        assert isinstance(observation, self._observation)
        read: dict[str, Any] = json.loads(observation.model_dump_json())
        return read
