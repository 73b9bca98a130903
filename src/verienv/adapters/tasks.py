"""The tasks that the adapters know, and how their rows are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from verienv.core.env import VerifiedEnv
from verienv.core.verdict import RewardTable, Verdict
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.question import PuzzleRow
from verienv.generalpoints.verifier import GeneralPointsRewards
from verienv.virl.env import VIRLEnv
from verienv.virl.question import WaypointRow
from verienv.virl.verifier import VIRLRewards

Rewards = str | Mapping[str, float] | RewardTable
"""A preset, a dict of prices, or a task's table."""


class Row(Protocol):
    """A question, and all that judging answers to it needs."""

    @property
    def attempts(self) -> int:
        """Answers allowed."""

    def columns(self) -> dict[str, Any]:
        """As plain lists, mappings, numbers and texts."""

    def judge(self, response: str, rewards: Any = None, strict: bool | None = None) -> Verdict:
        """The verdict on a response. ``rewards`` and ``strict`` overrule the row's own."""


@dataclass(frozen=True)
class Task:
    """A task, to adapters.

    Attributes:
        name: in messages.
        ability: what verl's rows call it.
        column: the column that all of its rows have, and no other task's.
        names: all columns that its rows are read from.
        read: from a mapping to the row. Raises ValueError.
        env: its environments.
        in_play: from one of them to the row of the question in play.
        rewards: its tables of rewards.
    """

    name: str
    ability: str
    column: str
    names: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Row]
    env: type[VerifiedEnv]
    in_play: Callable[[Any], Row]
    rewards: type[RewardTable]


def _puzzle(env: GeneralPointsEnv) -> Row:
    """By sight, its cards have suits."""
    return PuzzleRow.of(env.puzzle, env.config, vision=env.is_seen)


def _waypoint(env: VIRLEnv) -> Row:
    return WaypointRow.of(env.route, env.passed, env.config)


TASKS = (
    Task(
        name="GeneralPoints",
        ability="math",
        column="cards",
        names=tuple(PuzzleRow.model_fields),
        read=PuzzleRow.read,
        env=GeneralPointsEnv,
        in_play=_puzzle,
        rewards=GeneralPointsRewards,
    ),
    Task(
        name="V-IRL",
        ability="navigation",
        column="waypoint",
        names=tuple(WaypointRow.model_fields),
        read=WaypointRow.read,
        env=VIRLEnv,
        in_play=_waypoint,
        rewards=VIRLRewards,
    ),
)


def task_of(env: VerifiedEnv) -> Task | None:
    """The task that an environment is of, None if adapters do not know it."""
    return next((task for task in TASKS if isinstance(env, task.env)), None)


def task_in(columns: Mapping[str, Any]) -> Task | None:
    """The task that a row with these columns is of, None if adapters do not know it."""
    return next((task for task in TASKS if columns.get(task.column) is not None), None)


def read_row(columns: Mapping[str, Any]) -> Row | None:
    """The row in a mapping, None if it is of no known task.

    A table that holds rows of several tasks has None in each for the columns of the others, also within mappings.

    Raises:
        ValueError: names the column that is wrong.
    """
    known = {name: _without_nulls(value) for name, value in columns.items()}
    task = task_in(known)
    return task.read(known) if task else None


def _without_nulls(value: Any) -> Any:
    """A mapping without what is None in it, None if all is; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    return {name: part for name, part in value.items() if part is not None} or None


def checked_rewards(rewards: Rewards | None) -> Rewards | None:
    """The same, if it is a table of at least one task. Raises ValueError otherwise."""
    if rewards is None:
        return None
    faults = []
    for task in TASKS:
        try:
            task.rewards.of(rewards)
        except ValueError as error:
            faults.append(f"{task.name}: {error}")
    if len(faults) == len(TASKS):
        raise ValueError("; ".join(faults))
    return rewards
