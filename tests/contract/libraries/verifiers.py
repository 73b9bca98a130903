"""Stand-in for ``verifiers.v1`` (0.4.0): the classes with the signatures that an environment meets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from hashlib import sha256
from types import SimpleNamespace, TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict


class TaskData(BaseModel):
    model_config = ConfigDict(frozen=True)
    idx: int = 0
    id: str = ""
    name: str | None = None
    prompt: str | list[Any] | None = None
    system_prompt: str | None = None

    @property
    def key(self) -> str:
        return sha256(self.model_dump_json().encode()).hexdigest()


class TasksetConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    task: Any = None


class AgentConfig(BaseModel):
    harness: dict[str, Any] = {"id": "bash"}
    runtime: dict[str, Any] = {"type": "prime"}


class EnvConfig(BaseModel):
    agent: AgentConfig = AgentConfig()
    taskset: Any = None


DataT = TypeVar("DataT", bound=TaskData)
TaskT = TypeVar("TaskT")
ConfigT = TypeVar("ConfigT")


class Task(Generic[DataT]):
    def __init__(self, data: DataT, config: Any = None) -> None:
        self.data, self.config = data, config

    async def validate(self, runtime: Any) -> bool | None:
        return None


class Taskset(ABC, Generic[TaskT, ConfigT]):
    def __init__(self, config: ConfigT) -> None:
        self.config = config

    @abstractmethod
    def load(self) -> Iterable[TaskT]: ...


class Env(ABC, Generic[ConfigT]):
    def __init__(self, config: ConfigT) -> None:
        self.config = config

    @abstractmethod
    async def run(self, task: Any, agents: Any) -> None: ...


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImageUrlSource(_Part):
    url: str


class ImageUrlContentPart(_Part):
    type: Literal["image_url"] = "image_url"
    image_url: ImageUrlSource


class TextContentPart(_Part):
    type: Literal["text"] = "text"
    text: str


class UserMessage(_Part):
    role: Literal["user"] = "user"
    content: str | list[ImageUrlContentPart | TextContentPart]


class Trace:
    def __init__(self) -> None:
        self.rewards: dict[str, float] = {}
        self.metrics: dict[str, float] = {}
        self.info: dict[str, Any] = {}

    def record_reward(self, name: str, value: float, weight: float = 1.0) -> None:
        self.rewards[name] = weight * value

    def record_metric(self, name: str, value: float) -> None:
        self.metrics[name] = float(value)


class Interaction:
    def __init__(self, model: Callable[[list[dict[str, Any]]], str | None]) -> None:
        self.trace, self._model = Trace(), model
        self._said: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    async def turn(self, messages: str | list[UserMessage]) -> Any:
        told = [UserMessage(content=messages)] if isinstance(messages, str) else messages
        self._said += [message.model_dump(mode="json") for message in told]
        reply = self._model(list(self._said))
        if reply is None:  # a limit of the run's
            return SimpleNamespace(last_reply="", terminated=True)
        self._said.append({"role": "assistant", "content": reply})
        return SimpleNamespace(last_reply=reply, terminated=False)


class Agents:
    """The agents of a run: here one, a model."""

    def __init__(self, model: Callable[[list[dict[str, Any]]], str | None]) -> None:
        self._model, self.interactions = model, list[Interaction]()
        self.agent = self

    def interaction(self, task: Task[Any]) -> Interaction:
        assert task.data.key
        self.interactions.append(Interaction(self._model))
        return self.interactions[-1]
