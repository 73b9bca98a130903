"""The server for OpenEnv with a stand-in of the library: which episodes it offers, and what it lets clients say."""

import asyncio
import json
import sys
from types import ModuleType

import pytest
from tests.adapters.rows import ID, ROUTES_ID
from tests.contract.libraries import openenv as library

import verienv
from verienv import Episode
from verienv.adapters.openenv_environment import environment_classes
from verienv.adapters.openenv_served import Bounded, Offer, RefusedError
from verienv.virl import procedural_city, save_city


@pytest.fixture
def client(monkeypatch):
    """Stand-ins for a session with a server of these settings."""
    for name in ("openenv", "openenv.core", "openenv.core.env_server"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name in ("interfaces", "types"):
        monkeypatch.setitem(sys.modules, f"openenv.core.env_server.{name}", library)
    environment_classes.cache_clear()
    answer, dialogue, environment = environment_classes()
    yield lambda env_id, **settings: library.Client(lambda: environment(Offer(env_id, **settings)), answer, dialogue)
    environment_classes.cache_clear()


def test_a_client_chooses_split_index_and_seed(client):
    there = client(ID, n=20, attempts=2)
    for split, seed in (("rule_ood", 0), ("train", 7)):
        row = verienv.rows(ID, split, 5, seed, attempts=2)[4]
        told = there.reset(split=split, index=4, seed=seed)
        assert told["messages"] == Episode.of(row).messages
        assert there.state() == {"episode_id": row["id"], "step_count": 0}
    assert there.reset()["messages"] == Episode.of(verienv.rows(ID, n=1, attempts=2)[0]).messages


def test_answers_are_judged_turn_by_turn_and_the_score_comes_last(client):
    there = client(ID, attempts=2)
    there.reset(index=1)
    row = verienv.rows(ID, n=2, attempts=2)[1]
    first = there.step(response={"not": "a text"})
    assert (first["reward"], first["done"], first["metadata"]) == (-3.0, False, {})
    assert first["messages"][-1]["content"].endswith("Attempt 2 of 2.")
    last = there.step(response=Episode.of(row).expert())
    assert (last["reward"], last["done"]) == (5.0, True)
    assert (last["metadata"]["reward"], last["metadata"]["success"]) == (2.0, 1.0)
    with pytest.raises(RefusedError, match="no episode is in play: reset this session"):
        there.step(response="more")


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"split": "sideways"}, "split='sideways': expected one of train, test, rule_ood"),
        ({"split": ["train"]}, "split="),
        ({"index": 20}, "index=20: expected an integer from 0 to 19"),
        ({"index": -1}, "index=-1"),
        ({"index": "0"}, "index='0'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**60}, "seed="),
        ({"attempts": 99}, "attempts: expected split, index and seed alone; settings are the server's"),
        ({"settings": {"city": "x"}}, "settings: expected split"),
    ],
)
def test_what_a_client_may_not_choose_is_refused_in_one_sentence(client, asked, fault):
    with pytest.raises(RefusedError, match=fault):
        client(ID, n=20).reset(**asked)


def test_task_discovery_tells_places_and_no_answers(client):
    there = client(ROUTES_ID, n=3)._env
    assert [split["name"] for split in there.list_splits()][:2] == ["train", "test"]
    assert there.num_tasks("test") == 3
    assert there.list_tasks("test")[1:] == there.get_task_range("test", 1, 9)
    assert there.get_task("test", 2) == {"id": "verienv/VIRL-L-v0/test/0/2", "split": "test", "index": 2}
    for wrong in (("test", 3), ("nowhere", 0)):
        with pytest.raises(RefusedError):
            there.get_task(*wrong)


def test_settings_of_the_server_may_open_paths_and_are_checked_at_once(client, tmp_path):
    save_city(procedural_city("grid", 0), tmp_path / "mine.json")
    assert "Attempt 1" in json.dumps(client(ROUTES_ID, city=str(tmp_path / "mine.json")).reset())
    for settings in ({"attempts": 0}, {"split": "test"}, {"n": 0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            Offer(ID, **settings)


def heard(scope, messages, **bounds):
    """What an application behind ``Bounded`` hears, and what is sent if it is not asked."""
    told, sent = [], []

    async def app(scope, receive, send):
        told.append(await receive())

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(Bounded(app, **{"longest": 10, "idle": 30.0, **bounds})({"type": scope}, receive, send))
    return told, sent


def test_long_bodies_are_refused_and_whole_ones_arrive():
    parts = [{"type": "http.request", "body": b"12345", "more_body": more} for more in (True, False)]
    assert heard("http", [*parts])[0] == [{"type": "http.request", "body": b"1234512345", "more_body": False}]
    told, sent = heard("http", [parts[0], *parts])
    assert told == []
    assert sent[0]["status"] == 413
    assert sent[1]["body"] == b"expected a body of at most 10 bytes, within 30 seconds"
    assert heard("http", [parts[0]], idle=0.01)[1][0]["status"] == 413


def test_a_client_that_says_too_much_or_nothing_is_gone():
    said = {"type": "websocket.receive", "text": "1234567890"}
    assert heard("websocket", [said])[0] == [said]
    assert heard("websocket", [{**said, "text": "12345678901"}])[0] == [{"type": "websocket.disconnect", "code": 1009}]
    assert heard("websocket", [], idle=0.01)[0] == [{"type": "websocket.disconnect", "code": 1001}]


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openenv", None)
    environment_classes.cache_clear()
    with pytest.raises(ImportError, match=r'pip install "verienv\[openenv\]"'):
        environment_classes()
