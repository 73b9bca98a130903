"""ignore and level: what is left out, and what is refused."""

import re

import pytest
from tests.testing.broken import faults_of

from verienv.core.cases import Material
from verienv.generalpoints import Puzzle, verify
from verienv.generalpoints.cases import near_cases, repeated_fault_cases
from verienv.testing import Kind, check_verifier
from verienv.testing.choice import Choice

pytestmark = pytest.mark.usefixtures("texts_scanned_once")

NEAR = list(near_cases())
MATERIAL = Material(NEAR[:1], NEAR[:1], [*NEAR], [[*pile] for pile in repeated_fault_cases()])


def test_groups_of_cases_are_left_out():
    def ascii_only(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle).reward if response.isascii() and not re.search(r"\\u[f]", response) else -3.0

    faults = faults_of(ascii_only, questions=1)
    groups = sorted({fault.case.group for fault in faults.faults})
    assert "full-width" in groups
    assert check_verifier(ascii_only, questions=1, ignore=groups)


def test_a_reason_is_left_out_as_the_report_words_it():
    choice = Choice.of(MATERIAL, "full", ["near the target is not on it", "2 parentheses never closed"])
    left = choice.of_material(MATERIAL)
    assert {case.group for case in left.cases} == {"near numbers"}
    assert len(left.repeated_faults) == len(MATERIAL.repeated_faults) - 1


@pytest.mark.parametrize("name", ["not_finite", "not finite", "NOT_FINITE", Kind.NOT_FINITE, str(Kind.NOT_FINITE)])
def test_a_kind_of_fault_is_left_out_under_each_of_its_names(name):
    assert Choice.of(MATERIAL, "task", [name]).kinds == {Kind.NOT_FINITE}


def test_faults_of_a_kind_that_is_left_out_are_not_reported():
    def reward(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle).reward if "{" in response else float("nan")

    assert check_verifier(reward, questions=1, ignore=["not_finite"])


def test_what_is_unknown_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"ignore=\['full width'\]: expected .*slow.*near value.*reason"):
        Choice.of(MATERIAL, "full", ["full width"])
    with pytest.raises(ValueError, match=r"ignore='slow': expected a list, such as \['slow'\]"):
        check_verifier(verify, ignore="slow")
    with pytest.raises(ValueError, match="level='easy': expected full or task"):
        check_verifier(verify, level="easy")
