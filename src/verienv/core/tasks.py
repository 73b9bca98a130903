"""The list of tasks: the shipped ones, those registered, and those that installed packages bring."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

from gymnasium.envs import registration

from verienv.core.shown import shown

if TYPE_CHECKING:
    from verienv.core.task import Task

GROUP = "verienv.tasks"
"""The entry point group of packages that bring tasks; an entry is a Task, or a class or function that makes one."""

_listed: dict[str, Task] = {}
_packages_were_asked: bool | None = False
"""None while they are being asked."""
_lock = RLock()


def register_task(task: Task) -> Task:
    """Put a task on the list, and its environments into Gymnasium's registry. Registering it again changes nothing.

    Returns:
        The task.

    Raises:
        TypeError: for a class in place of a task, or attributes of wrong types.
        ValueError: if another task has its name, its column or one of its ids, or Gymnasium has one for something else.
    """
    if isinstance(task, type):
        raise TypeError(
            f"register_task({task.__name__}): expected a task, not its class: register_task({task.__name__}())"
        )
    _check(task)
    ids = {**task.environments, **task.numeric}
    with _lock:
        before = _listed.get(task.name)
        if before is not None and (_class(before), _ids(before)) != (_class(task), set(ids)):
            raise ValueError(f"name={task.name!r}: another task is registered under this name; choose another one")
        for other in _listed.values():
            shared = set(ids) & _ids(other)
            if other.name != task.name and shared:
                raise ValueError(f"{', '.join(sorted(shared))}: {other.title} has this id already; choose another one")
            if other.name != task.name and task.column and task.column == other.column:
                raise ValueError(f"column={task.column!r}: {other.title} has this column already; choose another field")
        taken = {env_id: registration.registry[env_id].entry_point for env_id in ids if env_id in registration.registry}
        foreign = [env_id for env_id in taken if taken[env_id] != ids[env_id] and before is None]
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: registered with Gymnasium already, by no task; choose another id")
        for env_id, entry_point in ids.items():
            if taken.get(env_id) != entry_point:
                registration.registry.pop(env_id, None)
                registration.register(id=env_id, entry_point=entry_point)
        _listed[task.name] = task
    return task


def _check(task: Any) -> None:
    """Raise TypeError or ValueError for attributes that no task can have."""
    name = type(task).__name__
    if not getattr(task, "name", "") or not getattr(task, "title", "") or not getattr(task, "environments", {}):
        raise ValueError(f"{name}: a task needs a name, a title and environments")
    if not all(isinstance(text, str) for text in (task.name, task.title, task.column)) or ":" in task.name:
        raise TypeError(f"{name}: name, title and column must be strings, the name without a colon")
    for ids in (task.environments, task.numeric):
        if not isinstance(ids, Mapping):
            raise TypeError(
                f"{name}: expected ids with their entry points, such as {{'mine/Task-v0': 'my_module:MyEnv'}}"
            )
        for env_id, entry_point in ids.items():
            try:
                registration.parse_env_id(env_id)
            except Exception as error:  # Gymnasium's own, or a TypeError
                raise ValueError(f"{shown(env_id)} is no id of Gymnasium's: {error}") from None
            if not isinstance(entry_point, str) or entry_point.count(":") != 1:
                raise TypeError(f"{env_id}: {entry_point!r} is no entry point; expected text such as 'my_module:MyEnv'")
    if task.column in RESERVED:
        raise ValueError(f"column={task.column!r}: every task's rows have it; choose a field of the question")
    if isinstance(task.fields, str):
        raise TypeError(f"fields={task.fields!r}: expected a tuple of names, such as ({task.fields!r},)")


RESERVED = ("id", "env_id", "split", "seed", "step", "unit", "settings", "prompt", "instance", "vision", "attempts")


def _class(task: Task) -> str:
    return type(task).__qualname__


def _ids(task: Task) -> set[str]:
    return {*task.environments, *task.numeric}


def every() -> tuple[Task, ...]:
    """Return all tasks. The first call reads the entry points; one that fails is warned of and left out."""
    global _packages_were_asked
    if not _packages_were_asked:
        failed = list[str]()
        with _lock:  # other threads wait; an entry that asks for the list gets what is there
            if _packages_were_asked is False:
                _packages_were_asked = None
                from importlib.metadata import entry_points  # as slow to import as all of verienv

                for entry in entry_points(group=GROUP):
                    try:
                        found = entry.load()
                        register_task(found() if callable(found) else found)
                    except Exception as error:  # a package of others may raise anything
                        failed.append(f"the task {entry.name!r} ({entry.value}) is left out: {error!r}")
                _packages_were_asked = True
        for text in failed:
            warnings.warn(text, stacklevel=3)
    return tuple(_listed.values())


def tasks() -> tuple[str, ...]:
    """Return the names of all tasks that are known."""
    return tuple(task.name for task in every())


def named(name: str) -> Task:
    """Return the task of a name. Raises ValueError that lists the names there are."""
    for task in every():
        if task.name == name:
            return task
    raise ValueError(f"task={shown(name)}: expected {' or '.join(tasks())}")


def imported_id(env_id: str) -> str:
    """Import the module of "module:id", if one is named, and return the id. For ids of the caller's own, never a row's.

    Raises:
        ValueError: if there is no such module.
    """
    module, colon, plain = env_id.rpartition(":") if isinstance(env_id, str) else ("", "", env_id)
    if colon:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            raise ValueError(f"env_id={shown(env_id)}: {error}") from None
    return plain


def of_env_id(env_id: Any) -> Task:
    """Return the task that an environment id belongs to. Raises ValueError that lists the ids there are."""
    for task in every():
        if isinstance(env_id, str) and env_id in task.environments:
            return task
    known = ", ".join(each for task in every() for each in task.environments)
    raise ValueError(
        f"env_id={shown(env_id)}: expected one of {known}; the module of a task of your own must be imported first"
    )


def of_question(question: Any) -> Task:
    """Return the task whose class of questions this one is of. Raises ValueError if there is none."""
    for task in every():
        if isinstance(question, task.question):
            return task
    raise ValueError(f"{type(question).__name__} is the question of no registered task; see verienv.register_task")


def of_row(row: Mapping[str, Any]) -> Task:
    """Return the task that a row belongs to: by its ``env_id``, the column that only one task has, or its ``instance``.

    Raises:
        ValueError: if it is the row of no known task.
    """
    if row.get("env_id") is not None:
        return of_env_id(row["env_id"])
    for task in every():
        if task.column and row.get(task.column) is not None:
            return task
    instance = row.get("instance")
    for task in every():
        if isinstance(instance, str) and instance.startswith(f"{task.name}:"):
            return task
    needed = " or ".join(f"{task.column} ({task.title})" for task in every() if task.column)
    raise ValueError(f"the row has no env_id, and no column of a known task: {needed}")


def check_rewards(rewards: Any) -> None:
    """Raise ValueError unless ``rewards`` means a table of prices of at least one task."""
    faults = []
    for task in every():
        try:
            task.reward_table(rewards)
        except ValueError as error:
            faults.append(f"{task.title}: {error}")
        else:
            return
    raise ValueError("; ".join(faults))
