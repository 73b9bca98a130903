"""vf-eval and an environment server play the packages of both tasks, and pay what the environment pays."""

import pytest
from tests.integrations.scripts.forty_rows import SETTINGS

pytestmark = pytest.mark.integrations

CASES = ["cards", "cards by sight", "routes", "routes by sight", "resumed", "served"]


@pytest.fixture(scope="module")
def said(in_library, tmp_path_factory):
    told = in_library("verifiers", "verifiers_played.py", tmp_path_factory.mktemp("runs"))
    print(told["versions"])
    return told


@pytest.mark.parametrize("case", CASES)
def test_right_mended_wrong_and_unreadable_answers_earn_what_the_environment_pays(case, said):
    told = said[case]
    assert told["players"] == ["right", "mending", "wrong", "unreadable"]
    assert told["rewards"] == pytest.approx(told["earned"])
    assert told["success"] == [1.0, 1.0, 0.0, 0.0]
    assert told["failures"][:2] == ["", ""]
    assert told["failures"][3] == "unreadable"


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_told_what_the_episode_says_turn_by_turn_and_nothing_stays_behind(case, said):
    told = said[case]
    assert told["problems"] == []
    assert told["ok"] == [True] * 4
    assert told["turns"] >= 8
    assert told["begun again"] == (2 if case == "resumed" else 0)
    assert (told["pictures"] >= 4) == (case.endswith("sight") or case == "served")


def test_the_expert_validates_the_tasks(said):
    assert [each["valid"] for each in said["validated"]] == [True, True]


@pytest.mark.parametrize("env_id", SETTINGS)
def test_forty_rows_earn_what_the_environment_pays(env_id, said):
    told = said["forty"][env_id]
    assert len(told["paid"]) == 10
    assert told["earned"] == told["paid"]
