"""Episodes in TRL, each answer submitted with the task's tool. Import from ``verienv.adapters.trl``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from verienv.core import tasks
from verienv.core.dialogue import parts_of
from verienv.core.episode import Episode
from verienv.core.task import Task


class TaskEnvironment:
    """Several attempts with feedback between them. ``environment(name)`` makes the class for a task, with its tool.

    TRL resets one object for each rollout with the row of ``dataset``, offers the tool to the policy, and asks
    ``get_reward`` at the end. With pictures, TRL 1.16 needs a processor that makes one tensor of them, as those of the
    Qwen-VL models do: on a list of arrays, as PIL image processors make, it fails after the first answer.
    """

    _task: Task
    _trusted = False
    _writes_fields = False
    """Whether the tool writes the fields of an answer as JSON, and not a whole response."""

    def __init__(self) -> None:
        self._episode: Episode | None = None

    def reset(self, **row: Any) -> str:
        """Begin with the question of ``row``.

        Returns:
            A line for the prompt.

        Raises:
            ValueError: if a column is missing or wrong, the row names a path and is not trusted, or no answer can be
                written in its answer format.
        """
        self._episode = Episode.of(
            {name: value for name, value in row.items() if value is not None}, trusted=self._trusted
        )
        self._episode.question.wording.answer_format.check_writes()
        return f"\nSubmit each answer with the tool `{self._task.tool.__name__}`."

    def get_reward(self) -> float:
        """Return the reward of the last answer that counted; without any, that of an unreadable one."""
        episode = self._begun("get_reward()")
        return episode.verdicts[-1].reward if episode.verdicts else episode.question.judge("").reward

    def _submit(self, response: str) -> str:
        """Judge a response; return what is said to it."""
        episode = self._begun(f"{self._task.tool.__name__}()")
        if episode.is_over:
            return self._task.tool_over
        if self._writes_fields:
            response = self._task.respell(episode.question, response)
        episode.answer(response)
        return "".join(part.get("text", "") for part in parts_of(episode.messages[-1]))

    def _begun(self, call: str) -> Episode:
        if self._episode is None:
            raise RuntimeError(f"call reset(**row) before {call}")
        return self._episode


def environment(task: str, *, trusted: bool = False) -> type[TaskEnvironment]:
    """Return the class to give to ``GRPOTrainer(environment_factory=...)`` for rows of a task, by its name.

    Args:
        task: the name of the task, such as "generalpoints".
        trusted: whether settings of the rows may open paths of this machine.

    Raises:
        ValueError: lists the tasks there are.
    """
    found = tasks.named(task)
    tool = found.tool
    name = f"{type(found).__name__.removesuffix('Task')}Environment"
    whole = list(inspect.signature(tool).parameters) == ["response"]
    own = {"_task": found, "_trusted": trusted, "_writes_fields": not whole, tool.__name__: _method(tool)}
    return type(name, (TaskEnvironment,), own)


def _method(tool: Callable[..., str]) -> Callable[..., str]:
    """Return a tool as the method that TRL offers to the policy, its signature and docstring those of the tool."""

    @wraps(tool)
    def method(self: TaskEnvironment, *arguments: Any, **named: Any) -> str:
        return self._submit(tool(*arguments, **named))

    signature = inspect.signature(tool)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
    return method
