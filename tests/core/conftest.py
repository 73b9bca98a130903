"""The list of tasks as a test leaves it is the list as it was before."""

from collections.abc import Iterator

import pytest
from gymnasium.envs.registration import registry
from tests.core.next_number import TASK

from verienv.core import tasks
from verienv.core.task import Task


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Task]]:
    """The list, which may be changed; Gymnasium's registry too."""
    tasks.every()
    known, ids = dict(tasks._listed), dict(registry)
    monkeypatch.setattr(tasks, "_listed", known)
    yield known
    for env_id in registry.keys() - ids.keys():
        del registry[env_id]
    registry.update(ids)


@pytest.fixture
def registered(listed: dict[str, Task]) -> Task:
    """The task of two questions an episode, registered."""
    return tasks.register_task(TASK)
