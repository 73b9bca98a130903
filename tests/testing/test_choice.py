"""ignore and level: what is left out, and what is refused."""

import re

import pytest
from tests.testing.broken import by_formula, faults_of, kinds

from verienv.generalpoints import Puzzle, formula_failure, verify
from verienv.testing import Kind, check_verifier


def ascii_only(response: str, puzzle: Puzzle) -> float:
    return verify(response, puzzle).reward if response.isascii() and not re.search(r"\\u[f]", response) else -3.0


def test_a_group_of_cases_is_left_out():
    faults = faults_of(ascii_only, questions=5)
    assert {fault.case.group for fault in faults.faults} > {"full-width"}
    groups = sorted({fault.case.group for fault in faults.faults})
    assert check_verifier(ascii_only, questions=5, ignore=groups)


def test_a_reason_is_left_out_as_the_report_words_it():
    claim_ignored = by_formula(lambda formula, puzzle: not formula_failure(formula.split("=")[0], puzzle))
    reasons = {fault.reason for fault in faults_of(claim_ignored, questions=5).faults}
    assert check_verifier(claim_ignored, questions=5, ignore=list(reasons))


@pytest.mark.parametrize("name", ["not_finite", "not finite", "NOT_FINITE", Kind.NOT_FINITE, str(Kind.NOT_FINITE)])
def test_a_kind_of_fault_is_left_out(name):
    def reward(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle).reward if "{" in response else float("nan")

    assert kinds(faults_of(reward, questions=5)) == {Kind.NOT_FINITE}
    assert check_verifier(reward, questions=5, ignore=[name])


def test_what_is_unknown_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"ignore=\['full width'\]: expected .*slow.*full-width.*reason"):
        check_verifier(verify, ignore=["full width"])
    with pytest.raises(ValueError, match=r"ignore='slow': expected a list, such as \['slow'\]"):
        check_verifier(verify, ignore="slow")
    with pytest.raises(ValueError, match="level='easy': expected full or task"):
        check_verifier(verify, level="easy")
