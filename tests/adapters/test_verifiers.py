"""The packages for verifiers, played with a stand-in of the library."""

import asyncio
import json
import runpy
import sys
import tomllib
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.adapters.rows import ID, ROUTES_ID
from tests.contract.libraries import verifiers as library
from tests.contract.playing import expert, mending, script, wrong

import verienv
from verienv.adapters.verifiers import environment
from verienv.virl import procedural_city, save_city

PACKAGES = Path(__file__).parents[2] / "examples" / "verifiers"
SIGHT = {"verienv/GeneralPoints-VL-v0": {}, "verienv/VIRL-VL-v0": {"view_size": 96, "turns": (1, 1)}}
WORDS = {ID: {"attempts": 3}, ROUTES_ID: {"turns": (1, 1)}}


@pytest.fixture(autouse=True)
def vf(monkeypatch):
    monkeypatch.setitem(sys.modules, "verifiers", SimpleNamespace(v1=library))
    monkeypatch.setitem(sys.modules, "verifiers.v1", library)


def tasks_of(env_id, **config):
    taskset, env = environment(env_id)
    config = taskset.__orig_bases__[0].__args__[1](**config)
    return list(taskset(config).load()), env(env.__orig_bases__[0].__args__[0](taskset=config))


def traced(env, task, model):
    """The trace of an episode, and the words that the model was asked."""
    asked = []

    def answer(messages):
        asked.append(messages)
        return model(messages)

    agents = library.Agents(answer)
    asyncio.run(env.run(task, agents))
    return agents.interactions[-1].trace, asked


def unreadable(episode):
    return "}{ \ud800" * episode.question.attempt


@pytest.mark.parametrize("player", [expert, mending, wrong, unreadable])
@pytest.mark.parametrize(("env_id", "settings"), [*WORDS.items(), *SIGHT.items()])
def test_an_episode_earns_what_the_environment_pays(env_id, settings, player):
    tasks, env = tasks_of(env_id, split="rule_ood", n=2, settings=settings)
    for task in tasks:
        said, paid = script(task.data.row, player)
        left = list(said)
        trace, asked = traced(env, task, lambda _, left=left: left.pop(0))
        assert not left
        assert trace.rewards == {"reward": sum(paid)}
        assert trace.metrics["success"] == (player in (expert, mending))
        assert trace.info == {"failure": trace.info["failure"]}
        pictures = [part for part in asked[0][-1]["content"] if isinstance(part, dict) and part["type"] == "image_url"]
        assert bool(pictures) == (env_id in SIGHT)


def test_a_system_prompt_is_the_tasks_and_no_words_of_the_user():
    for env_id in (ID, *SIGHT):
        (task,), env = tasks_of(env_id, n=1, settings={"system_prompt": "You solve puzzles."})
        assert task.data.system_prompt == "You solve puzzles."
        _, (asked,) = traced(env, task, lambda _: None)
        assert "You solve puzzles." not in json.dumps(asked)


def test_an_episode_cut_short_is_paid_for_the_answers_given():
    (task,), env = tasks_of(ID, n=1, settings={"attempts": 5})
    replies = iter(["I do not know.", None])
    trace, asked = traced(env, task, lambda _: next(replies))
    row = verienv.rows(ID, n=1, attempts=5)[0]
    assert trace.rewards == {"reward": verienv.judge(row, "I do not know.").reward}
    assert len(asked) == 2
    trace, _ = traced(env, task, lambda _: None)
    assert trace.rewards == {"reward": 0.0}


def test_a_waypoint_alone_is_a_setting():
    (task,), env = tasks_of(ROUTES_ID, n=1, settings={"episode": "waypoint"})
    trace, asked = traced(env, task, lambda _: verienv.Episode.of(task.data.row).expert())
    assert (len(asked), trace.metrics["success"]) == (1, 1.0)


def test_tasks_are_data_dealt_as_they_are_asked_for_and_known_by_what_they_ask():
    taskset, _ = environment(ID)
    config = taskset.__orig_bases__[0].__args__[1]
    first, second = islice(taskset(config(n=10**9)).load(), 2)
    assert first.key != second.key
    assert json.loads(json.dumps(first.data.row)) == first.data.row
    assert "prompt" not in first.data.row
    (other,) = taskset(config(n=1, settings={"attempts": 1})).load()
    assert other.data.id == first.data.id
    assert other.key != first.key
    assert asyncio.run(first.validate(None))
    with pytest.raises(ValueError, match="split"):
        taskset(config(split="sideways")).load()


def test_paths_of_the_machine_are_opened_only_if_trusted(tmp_path):
    save_city(procedural_city("grid", 0), tmp_path / "mine.json")
    settings = {"city": str(tmp_path / "mine.json")}
    (task,), env = tasks_of(ROUTES_ID, n=1, settings=settings)
    with pytest.raises(ValueError, match=r"open paths of this machine \(city\)"):
        traced(env, task, lambda _: None)
    (task,), env = tasks_of(ROUTES_ID, n=1, settings=settings, trusted=True)
    assert traced(env, task, lambda _: None)[0].rewards == {"reward": 0.0}


@pytest.mark.parametrize("folder", ["generalpoints", "virl"])
def test_a_package_exports_one_taskset_and_one_environment_with_a_harness_that_runs_no_code(folder):
    told = tomllib.loads((PACKAGES / folder / "pyproject.toml").read_text())
    module = told["project"]["name"].replace("-", "_")
    assert told["tool"]["hatch"]["build"]["targets"]["wheel"]["include"] == [f"{module}.py"]
    names = runpy.run_path(str(PACKAGES / folder / f"{module}.py"))
    exported = [names[name] for name in names["__all__"]]
    assert [sum(issubclass(each, base) for each in exported) for base in (library.Taskset, library.Env)] == [1, 1]
    env, taskset = sorted(exported, key=lambda each: issubclass(each, library.Taskset))
    agent = env.__orig_bases__[0].__args__[0]().agent
    assert (agent.harness, agent.runtime) == ({"id": "null"}, {"type": "subprocess"})
    assert taskset.__orig_bases__[0].__args__[1]().env_id.lower().startswith(f"verienv/{folder}-l-")


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "verifiers", None)
    monkeypatch.delitem(sys.modules, "verifiers.v1")
    with pytest.raises(ImportError, match=r'pip install "verifiers>=0.4"'):
        environment(ID)
