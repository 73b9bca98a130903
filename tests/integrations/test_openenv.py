"""OpenEnv's client and the server of ``examples/openenv``: forty rows in two sessions, and clients who ask too much."""

from typing import Any

import pytest
from tests.integrations.conftest import InLibrary
from tests.integrations.scripts.forty_rows import SETTINGS

pytestmark = pytest.mark.integrations


@pytest.fixture(scope="module")
def told(in_library: InLibrary) -> dict[str, Any]:
    said = in_library("openenv", "openenv_played.py")
    print(said["versions"])
    return said


@pytest.mark.parametrize("env_id", SETTINGS)
def test_each_answer_earns_what_the_environment_pays(told: dict[str, Any], env_id: str) -> None:
    found = told[env_id]
    assert len(found["earned"]) == 10
    assert found["earned"] == found["paid"]
    assert (found["pictures"] >= 10) == ("-VL-" in env_id)


@pytest.mark.parametrize("env_id", SETTINGS)
def test_the_splits_are_ours_and_nothing_stays_behind(told: dict[str, Any], env_id: str) -> None:
    found = told[env_id]
    assert found["splits"][:3] == ["train", "test", "rule_ood"]
    assert found["task"] == {"id": f"{env_id}/rule_ood/0/1", "split": "rule_ood", "index": 1}
    assert found["left"] == []


def test_clients_who_ask_for_too_much_are_told_so(told: dict[str, Any]) -> None:
    bounds = told["bounds"]
    for name in ("setting", "index", "step"):
        assert bounds[name][0] == 400, name
    assert "settings are the server's" in bounds["setting"][1]
    assert bounds["body"] == 413
    assert "settings are the server's" in bounds["settings"]
    assert bounds["surrogate"] == "done: False"
    assert "capacity" in bounds["third"]
    assert "done" not in bounds["long"]


def test_the_client_by_hand_ends_in_one_line(told: dict[str, Any]) -> None:
    nowhere, no_index, nothing_typed, no_server = told["bounds"]["by hand"]
    assert (nowhere[0], no_index[0], no_server[0]) == (2, 2, 2)
    assert nowhere[1].endswith("SPLIT 'nowhere', INDEX '3': expected one of these splits, and a number from 0")
    assert no_index[1].endswith("a number from 0")
    assert nothing_typed == [0, ">"]
    assert no_server[1].endswith("is a server of examples/openenv running there?")


def test_silent_sessions_make_room_and_nothing_stays_behind(told: dict[str, Any]) -> None:
    assert told["bounds"]["after silence"] == ["done: False"] * 2
    assert told["bounds"]["left"] == []
