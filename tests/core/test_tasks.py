"""The list of tasks: the shipped ones, those registered, those of installed packages."""

from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import registry
from tests.core.next_number import ENV_ID, TASK, NextNumber, NextNumberTask

import verienv
from verienv.core import tasks
from verienv.core.task import Task

SHIPPED = ("generalpoints", "virl")


class Other(NextNumberTask):
    """Another task, of another name and id."""

    name, title = "other", "Other"
    environments = {"tests/Other-v0": "tests.core.next_number:NextNumberEnv"}  # noqa: RUF012


def install(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Make the entry points of installed packages these, and none read yet."""
    found = [EntryPoint(name, value, tasks.GROUP) for name, value in values.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == "verienv.tasks" else [])
    monkeypatch.setattr(tasks, "_packages_were_asked", False)


def test_the_shipped_tasks_are_on_the_list() -> None:
    assert verienv.tasks()[:2] == SHIPPED
    assert all(env_id in registry for task in tasks.every() for env_id in (*task.environments, *task.numeric))


def test_an_id_that_gymnasium_has_for_something_else_is_refused(listed: dict[str, Task]) -> None:
    class Usurper(Other):
        environments = {"CartPole-v1": "tests.core.next_number:NextNumberEnv"}  # noqa: RUF012

    before = registry["CartPole-v1"]
    with pytest.raises(ValueError, match=r"CartPole-v1: registered with Gymnasium already, by no task"):
        verienv.register_task(Usurper())
    assert registry["CartPole-v1"] is before
    assert "other" not in listed


@pytest.mark.usefixtures("listed")
def test_a_registered_task_is_on_the_list_and_gymnasium_makes_its_environments() -> None:
    assert verienv.register_task(TASK) is TASK
    assert verienv.tasks() == (*SHIPPED, "next")
    assert tasks.named("next") is tasks.of_env_id(ENV_ID) is tasks.of_question(NextNumber(number=1)) is TASK
    env = gym.make(ENV_ID)
    assert env.reset(options={"instance": "next:5"})[0]["text"].startswith("What follows 5?")


def test_registering_again_changes_nothing(listed: dict[str, Task]) -> None:
    verienv.register_task(TASK)
    before, spec = dict(listed), registry[ENV_ID]
    verienv.register_task(TASK)  # Gymnasium would warn of an id that is overridden, and warnings are errors here
    assert listed == before
    assert registry[ENV_ID] is spec
    newer = NextNumberTask()
    assert verienv.register_task(newer) is tasks.named("next") is newer


def test_a_name_that_another_task_has_is_an_error_and_nothing_is_registered(listed: dict[str, Task]) -> None:
    class Namesake(Other):
        name = "virl"

    before = dict(listed)
    with pytest.raises(ValueError, match="name='virl': another task is registered under this name; choose another"):
        verienv.register_task(Namesake())
    assert listed == before
    assert "tests/Other-v0" not in registry


@pytest.mark.parametrize("place", ["environments", "numeric"])
@pytest.mark.parametrize("env_id", ["verienv/VIRL-VL-v0", "verienv/VIRL-Discrete-v0"])
def test_an_id_that_another_task_has_is_an_error_and_nothing_is_registered(
    env_id: str, place: str, listed: dict[str, Task]
) -> None:
    task, before, spec = Other(), dict(listed), registry[env_id]
    setattr(task, place, {**getattr(task, place), env_id: "tests.core.next_number:NextNumberEnv"})
    with pytest.raises(ValueError, match=f"{env_id}: V-IRL has this id already; choose another one"):
        verienv.register_task(task)
    assert listed == before
    assert registry[env_id] is spec
    assert "tests/Other-v0" not in registry


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("made", ["TASK", "NextNumberTask"])
def test_a_task_of_an_installed_package_is_on_the_list(made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, mine=f"tests.core.next_number:{made}")
    assert verienv.tasks() == (*SHIPPED, "next")
    assert ENV_ID in registry
    assert [row["instance"][:5] for row in verienv.rows(ENV_ID, n=2)] == ["next:", "next:"]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("no.such.module:TASK", "ModuleNotFoundError"),
        ("tests.core.next_number:NO_TASK", "AttributeError"),
        ("tests.core.next_number:FAILURES", "ValueError"),
        ("tests.core.test_tasks:fails", "ZeroDivisionError"),
        ("tests.core.test_tasks:clashes", "ValueError"),
    ],
)
def test_an_entry_point_that_fails_is_named_in_a_warning_and_left_out(
    value: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, broken=value, mine="tests.core.next_number:TASK")
    with pytest.warns(UserWarning, match=rf"the task 'broken' \({value}\) is left out: {error}") as caught:
        assert verienv.tasks() == (*SHIPPED, "next")
    assert len(caught) == 1
    assert verienv.tasks() == (*SHIPPED, "next")  # asked once: no further warning


def fails() -> Task:
    raise ZeroDivisionError


def clashes() -> Task:
    task = Other()
    task.name = "virl"
    return task


@pytest.mark.usefixtures("listed")
def test_entry_points_are_read_at_the_first_question_and_never_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(metadata, "entry_points", lambda group: asked.append(group) or [])
    monkeypatch.setattr(tasks, "_packages_were_asked", False)
    verienv.register_task(TASK)
    gym.make("verienv/GeneralPoints-L-v0").reset(seed=0)
    assert asked == []
    verienv.tasks()
    verienv.tasks()
    assert asked == ["verienv.tasks"]


@pytest.mark.parametrize("name", ["chess", "", None, 5, ["virl"]])
def test_an_unknown_name_is_an_error_that_lists_the_tasks(name: Any) -> None:
    with pytest.raises(ValueError, match=r"task=.*: expected generalpoints or virl"):
        tasks.named(name)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "verienv/VIRL-Discrete-v0", "os:verienv/VIRL-L-v0", None, 5, ["x"]])
def test_an_unknown_id_is_an_error_that_lists_the_ids(env_id: Any) -> None:
    with pytest.raises(ValueError, match=r"env_id=.*: expected one of verienv/GeneralPoints-L-v0, .*imported first"):
        tasks.of_env_id(env_id)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"cards": ["4", "3", "2", "K"], "waypoint": None}, "generalpoints"),
        ({"waypoint": {"move": "stop"}, "cards": None}, "virl"),
        ({"env_id": "verienv/VIRL-VL-v0", "cards": ["4"]}, "virl"),
        ({"instance": "generalpoints:4-3-2-K:24"}, "generalpoints"),
        ({"instance": "virl:helsinki:3"}, "virl"),
    ],
)
def test_a_row_is_told_by_its_id_its_columns_or_its_instance(row: dict[str, Any], name: str) -> None:
    assert tasks.of_row(row).name == name


def test_rewards_are_of_some_task_or_the_error_tells_why_of_none() -> None:
    tasks.check_rewards("binary_format")
    tasks.check_rewards({"base": "paper", "wrong_value": -1.0})
    tasks.check_rewards({"base": "paper", "wrong_action": -1.0})
    with pytest.raises(ValueError, match=r"GeneralPoints: rewards='papre' is not a preset.*; V-IRL: rewards='papre'"):
        tasks.check_rewards("papre")
