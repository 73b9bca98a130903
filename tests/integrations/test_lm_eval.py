"""The harness's tasks: one answer to each question, judged there as verienv judges it."""

from typing import Any

import pytest
from tests.integrations.conftest import InLibrary
from tests.integrations.scripts.forty_rows import SETTINGS

pytestmark = pytest.mark.integrations

WORDS, SIGHT = ["verienv_generalpoints", "verienv_virl"], ["verienv_generalpoints_vl", "verienv_virl_vl"]


@pytest.fixture(scope="module")
def told(in_library: InLibrary, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    said = in_library("lm_eval", "lm_eval_tasks.py", tmp_path_factory.mktemp("results"))
    print(said["versions"])
    return said


@pytest.mark.parametrize("task", [*WORDS, *SIGHT])
def test_each_answer_is_judged_as_by_verienv(told: dict[str, Any], task: str) -> None:
    found = told[task]
    assert found["correct"]
    assert found["rewards"]
    assert found["mean"]
    assert 0.3 < found["share"] < 0.7
    assert 0 < found["error"] < 0.5


@pytest.mark.parametrize("task", WORDS)
def test_the_share_of_correct_answers_is_the_success_of_one_attempt(told: dict[str, Any], task: str) -> None:
    assert told[task]["as by evaluate"]


@pytest.mark.parametrize("task", [*WORDS, *SIGHT])
def test_recognition_is_measured_by_sight(told: dict[str, Any], task: str) -> None:
    recognition = told[task]["recognition"]
    assert (recognition is not None) == (task in SIGHT)
    assert recognition is None or 0 < recognition < 1


def test_exported_rows_are_asked_by_the_command(told: dict[str, Any]) -> None:
    command = told["command"]
    assert command["correct"] == command["expected"] == 0.5


def test_no_torch_is_needed(told: dict[str, Any]) -> None:
    assert told["torch"] is False


@pytest.mark.parametrize("env_id", SETTINGS)
def test_each_answer_to_the_forty_rows_earns_what_the_environment_pays(told: dict[str, Any], env_id: str) -> None:
    found = told["forty"][env_id]
    assert len(found["paid"]) > 20
    assert found["earned"] == found["paid"]
