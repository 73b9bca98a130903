"""Inspect's tasks, solver and scorer: what a model is asked and earns there is what verienv.evaluate asks and pays."""

from typing import Any

import pytest
from tests.integrations.conftest import InLibrary
from tests.integrations.scripts.forty_rows import SETTINGS

pytestmark = pytest.mark.integrations

CASES = ["cards in words", "cards by sight", "routes in words", "routes by sight"]
KINDS = 2 * [1.0, 1.0, 0.0, 0.0]
"""Success of episodes that are answered rightly, wrongly and then rightly, wrongly, and unreadably."""


@pytest.fixture(scope="module")
def told(in_library: InLibrary, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    said = in_library("inspect_ai", "inspect_ai_episodes.py", tmp_path_factory.mktemp("logs"))
    print(said["versions"])
    return said


@pytest.mark.parametrize("case", CASES)
def test_an_episode_asks_and_earns_what_it_does_by_evaluate(told: dict[str, Any], case: str) -> None:
    found = told[case]
    assert found["asked"]
    assert found["scores"]
    assert found["means"]
    assert found["success"] == KINDS
    assert found["pictures"] == ("sight" in case)


@pytest.mark.parametrize("case", CASES)
def test_recognition_is_measured_by_sight_and_progress_on_routes(told: dict[str, Any], case: str) -> None:
    metrics = told[case]["metrics"]
    assert ("recognition" in metrics, "progress" in metrics) == ("sight" in case, "routes" in case)
    assert {"success", "reward", "attempts"} <= {*metrics}


def test_hostile_answers_are_failures_and_no_errors(told: dict[str, Any]) -> None:
    for case in CASES:
        assert all(told[case]["failures"][3])


def test_standard_errors_are_clustered_in_a_task_of_ones_own_too(told: dict[str, Any]) -> None:
    assert told["clustered"]


def test_an_episode_that_a_limit_cuts_short_is_scored_and_not_solved(told: dict[str, Any]) -> None:
    cut = told["cut short"]
    assert cut["limit"] == "message"
    assert cut["scores"]["success"] == 0
    assert 1 <= cut["scores"]["attempts"] < 5


def test_a_task_of_a_module_of_ones_own_is_played_by_its_id(told: dict[str, Any]) -> None:
    assert told["own"] == [1, 1]


def test_the_answers_of_another_solver_are_scored_too(told: dict[str, Any]) -> None:
    assert told["another solver"] == [1, 1]


def test_the_commands_find_the_tasks_and_score_a_log_again(told: dict[str, Any]) -> None:
    by_command = told["command"]
    assert by_command["status"] == "success"
    assert by_command["asked"] == 4
    assert by_command["picture"]
    assert by_command["scored again"]
    assert not by_command["trusted"]
    assert by_command["refused"]


def test_an_evaluation_that_broke_off_is_taken_up_where_it_was(told: dict[str, Any]) -> None:
    found = told["broken off"]
    assert found["status"] == ["error", "success"]
    assert found["success"] == [1, 1, 1, 1]
    assert found["kept"] == [True, True, False, False]


@pytest.mark.parametrize("env_id", SETTINGS)
def test_forty_rows_earn_what_the_environment_pays(told: dict[str, Any], env_id: str) -> None:
    found = told["forty"][env_id]
    assert len(found["paid"]) == 10
    assert found["earned"] == found["paid"]
