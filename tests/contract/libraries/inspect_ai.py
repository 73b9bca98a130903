"""Stand-in for ``inspect_ai`` (0.3.285): a task of samples, a solver, a scorer, and ``eval`` with any model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ContentText(_Model):
    type: Literal["text"] = "text"
    text: str


class ContentImage(_Model):
    type: Literal["image"] = "image"
    image: str


class ChatMessageUser(_Model):
    role: Literal["user"] = "user"
    content: str | list[ContentText | ContentImage]


class ChatMessageAssistant(_Model):
    role: Literal["assistant"] = "assistant"
    content: str


class Sample(_Model):
    input: str | list[ChatMessageUser | ChatMessageAssistant]
    target: str = ""
    id: str | None = None
    metadata: dict[str, Any] = {}


class Score(_Model):
    value: float | dict[str, float]
    answer: str | None = None
    explanation: str | None = None
    metadata: dict[str, Any] = {}


class MemoryDataset(list[Sample]):
    def __init__(self, samples: list[Sample]) -> None:
        super().__init__(samples)


@dataclass
class Store:
    held: dict[str, Any] = field(default_factory=dict)

    def set(self, key: str, value: Any) -> None:
        self.held[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        return self.held.get(key, default)


@dataclass
class Output:
    completion: str = ""


@dataclass
class TaskState:
    messages: list[Any]
    metadata: dict[str, Any]
    output: Output = field(default_factory=Output)
    store: Store = field(default_factory=Store)
    completed: bool = False


@dataclass
class Task:
    dataset: MemoryDataset
    solver: Any
    scorer: Any
    message_limit: int | None = None
    version: int = 0


def task(fn: Callable[..., Task]) -> Callable[..., Task]:
    return fn


def solver(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


def scorer(*, metrics: list[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    assert metrics
    return lambda fn: fn


def mean() -> str:
    return "mean"


def stderr(*, cluster: str | None = None) -> str:
    return f"stderr by {cluster}"


def eval(found: Task, model: Callable[[list[dict[str, Any]]], str]) -> list[tuple[TaskState, Score]]:
    """Solve and score every sample."""

    async def generate(state: TaskState, tool_calls: Literal["loop", "single", "none"] = "loop") -> TaskState:
        reply = model([message.model_dump(mode="json") for message in state.messages])
        state.messages.append(ChatMessageAssistant(content=reply))
        state.output = Output(reply)
        return state

    async def whole(sample: Sample) -> tuple[TaskState, Score]:
        opened = [ChatMessageUser(content=sample.input)] if isinstance(sample.input, str) else list(sample.input)
        state = await found.solver(TaskState(opened, dict(sample.metadata)), generate)
        return state, await found.scorer(state, sample.target)

    return [asyncio.run(whole(sample)) for sample in found.dataset]
