"""What a verifier does to the facts it is handed: found, and never kept."""

from dataclasses import replace
from typing import Any

import pytest
from tests.testing.broken import faults_of, kinds

from verienv.generalpoints import PRESETS, Puzzle, load_vectors, verify
from verienv.testing import Kind, check_verifier
from verienv.testing.facts import is_unchanged
from verienv.virl.cases import CORNER
from verienv.virl.routes.route import Waypoint
from verienv.virl.verifier import verify as verify_action

pytestmark = pytest.mark.usefixtures("texts_scanned_once")


def test_after_a_verifier_that_changes_puzzle_and_rule_the_right_one_passes():
    def changing(response: str, puzzle: Puzzle) -> float:
        reward = verify(response, puzzle).reward
        puzzle.__dict__.update(target=25, cards=("A", "A", "A", "A"), numbers=(1, 1, 1, 1), ranks=())
        puzzle.rule.values.update(J=1, Q=1, K=1)
        return reward

    faults = faults_of(changing, questions=1)
    assert kinds(faults) == {Kind.CHANGED}
    assert "got a changed Puzzle; expected one left as it was" in str(faults)
    assert PRESETS["ten"].values["K"] == 10
    assert load_vectors()[0].puzzle == Puzzle(("4", "3", "2", "K"))
    assert check_verifier(verify, questions=1)


def test_after_a_verifier_that_changes_waypoints_the_right_one_passes():
    def changing(response: str, waypoint: Waypoint) -> float:
        reward = verify_action(response, waypoint).reward
        waypoint.__dict__.update(actions="relative", action="stop()")
        return reward

    assert kinds(faults_of(changing, task="virl", questions=1)) == {Kind.CHANGED}
    assert check_verifier(verify_action, task="virl", questions=1)


@pytest.mark.parametrize("facts", [Puzzle(("4S", "J", "2", "K"), "rank"), CORNER], ids=["puzzle", "waypoint"])
def test_looking_changes_nothing(facts: Any) -> None:
    handed = replace(facts) if facts is CORNER else Puzzle(facts.cards, facts.rule.model_copy())
    for name in dir(handed):
        getattr(handed, name)
    assert is_unchanged(handed, facts)


def test_a_change_deep_inside_is_seen():
    handed, facts = (Puzzle(("4", "3", "2", "K"), {"J": 1, "Q": 2, "K": 3}) for _ in range(2))
    assert is_unchanged(handed, facts)
    handed.rule.values["K"] = 10
    assert not is_unchanged(handed, facts)
