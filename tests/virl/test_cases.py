"""The cases of V-IRL: check_verifier passes ours and finds the fault of each verifier that was broken on purpose."""

import json
import os
import unicodedata
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from tests.testing import broken
from tests.testing.broken import by_action, kinds

from verienv.core.cases import CANARY
from verienv.testing import Kind, check_verifier
from verienv.virl.actions import read_action
from verienv.virl.cases import RULES, load_vectors
from verienv.virl.routes.route import Waypoint
from verienv.virl.verifier import action_failure, verify
from verienv.virl.world.geometry import compass_word

pytestmark = pytest.mark.usefixtures("texts_scanned_once")

faults_of = partial(broken.faults_of, task="virl")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("rewards", ["paper", "binary", "binary_format"])
def test_ours_passes_in_every_mode_and_under_every_table(strict, rewards):
    def reward(response: str, waypoint: Waypoint) -> float:
        return verify(response, waypoint, strict=strict, rewards=rewards).reward

    report = check_verifier(reward, task="virl", strict=strict)
    assert report.cases > 3000
    assert report.wrong < report.paid_above < report.right


def test_a_verdict_is_read_by_its_reward():
    report = check_verifier(verify, task="virl", questions=5)
    assert (report.right, report.wrong, report.paid_above) == (1.0, -1.0, 0.0)


def test_the_example_by_action_passes():
    assert check_verifier(by_action(lambda action, place: not action_failure(action, place)), task="virl")


def test_turns_without_modulo_360_are_found():
    def no_modulo(action: str, place: Waypoint) -> bool:
        if place.actions == "absolute" or place.move != "turn":
            return not action_failure(action, place)
        angle = place.turn_to - place.heading
        word = f"{'slightly ' if abs(angle) <= 67.5 else ''}{'right' if angle > 0 else 'left'}"
        return read_action(action) == f"turn_direction({word})"

    faults = faults_of(by_action(no_modulo))
    assert kinds(faults) == {Kind.FALSE_ACCEPT, Kind.FALSE_REJECT}
    assert any("from 350 to 20 degrees is +30" in fault.case.why for fault in faults.faults)


def test_paying_a_word_of_the_other_rule_is_found():
    def any_rule(action: str, place: Waypoint) -> bool:
        for actions in RULES:
            with suppress(ValueError):  # a turn straight on has no word under the other rule
                if not action_failure(action, replace(place, actions=actions)):
                    return True
        return False

    faults = faults_of(by_action(any_rule))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert {fault.case.failure for fault in faults.faults} == {"outside_action_space"}


def test_searching_for_the_action_is_found():
    faults = faults_of(lambda response, waypoint: waypoint.action in response)
    assert {Kind.FALSE_ACCEPT, Kind.FALSE_REJECT} <= kinds(faults)
    assert any(fault.case.name.startswith("drafts") for fault in faults.of(Kind.FALSE_ACCEPT))


def test_taking_the_last_of_several_calls_is_found():
    def last_call(action: str, place: Waypoint) -> bool:
        return not action_failure(action.rpartition(";")[2], place)

    faults = faults_of(by_action(last_call))
    assert Kind.FALSE_ACCEPT in kinds(faults)
    assert any(fault.case.name.startswith("several") for fault in faults.faults)


def test_comparing_strings_as_they_are_is_found():
    faults = faults_of(by_action(lambda action, place: action == place.action))
    assert kinds(faults) == {Kind.FALSE_REJECT}
    assert any(fault.case.name.startswith("spelling") for fault in faults.faults)


def test_unicode_normalisation_is_found():
    def folded(action: str, place: Waypoint) -> bool:
        return not action_failure(unicodedata.normalize("NFKC", action), place)

    faults = faults_of(by_action(folded))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert all(fault.case.name.startswith("look-alike") for fault in faults.faults)


def test_paying_only_beside_a_true_observation_is_found():
    def strictly(response: str, waypoint: Waypoint) -> float:
        verdict = verify(response, waypoint)
        return float(verdict.is_correct and verdict.metrics["observation_correct"])

    assert kinds(faults_of(strictly)) == {Kind.FALSE_REJECT}


def test_python_eval_is_found():
    def evaluated(response: str, waypoint: Waypoint) -> float:
        calls = {
            "forward": lambda: "forward()",
            "stop": lambda: "stop()",
            "turn_direction": lambda word: f"turn_direction({word})",
        }
        try:
            said = eval(json.loads(response)["action"], calls, {compass_word(45 * i): "" for i in range(8)})  # noqa: S307
            return float(said == waypoint.action)
        except Exception:
            return 0.0

    assert Kind.CODE in kinds(faults_of(evaluated))
    assert CANARY not in os.environ


def test_a_sum_of_penalties_and_raising_are_found():
    def summed(response: str, waypoint: Waypoint) -> float:
        verdict = verify(response, waypoint)
        return 1.0 if verdict.is_correct else -1.0 - response.count("#")

    def raises(response: str, waypoint: Waypoint) -> float:
        json.loads(response)
        return verify(response, waypoint).reward

    assert kinds(faults_of(summed)) == {Kind.UNBOUNDED}
    assert kinds(faults_of(raises)) == {Kind.EXCEPTION}


def test_the_report_names_the_action_that_is_due():
    report = str(faults_of(by_action(lambda action, place: action == place.action)))
    assert report.isascii()
    assert "heading 350, absolute, turn_direction(east) is due: " in report
    assert len(report) < 4000


def test_damaged_vectors_are_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "broken.jsonl").write_text('{"name": "x"}\n')
    monkeypatch.setattr("verienv.core.cases.asset_path", lambda name: tmp_path / "broken.jsonl")
    with pytest.raises(ValueError, match=r"broken.jsonl is damaged .*build_virl_vectors"):
        load_vectors.__wrapped__()
