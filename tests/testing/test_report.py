"""The report of faults: grouped, counted, short."""

import json
from collections import Counter

import pytest
from tests.testing.broken import by_formula, faults_of

from verienv.generalpoints import Puzzle, formula_failure, verify
from verienv.testing import Kind, VerifierFaults

pytestmark = pytest.mark.usefixtures("texts_scanned_once")


@pytest.fixture(scope="module")
def faults(texts_scanned_once: None) -> VerifierFaults:
    """Those of a verifier that passes over what an equation claims."""
    return faults_of(by_formula(lambda formula, puzzle: formula_failure(formula.split("=")[0], puzzle) == ""))


def test_the_report_groups_faults_with_counts_and_a_few_short_examples(faults):
    report = str(faults)
    assert report.isascii()
    assert report.startswith(f"{len(faults.faults)} faults in ")
    assert f"{len(faults.of(Kind.FALSE_ACCEPT))} false accepts" in report
    assert "4 3 2 K, rule ten, target 24: " in report
    assert "got 1; expected at most 0.5 (" in report
    assert len(report) < 4000


def test_each_reason_is_counted_with_its_shortest_example(faults):
    reasons = Counter(fault.reason for fault in faults.faults)
    (reason, most), *_ = reasons.most_common()
    assert f"\n  {most} x {reason}\n" in str(faults)
    assert len(reasons) < 10 < len(faults.faults)


def test_exceptions_are_grouped_by_their_class():
    def strict(response: str, puzzle: Puzzle) -> float:
        json.loads(response)
        return verify(response, puzzle).reward

    faults = faults_of(strict, questions=1)
    assert {fault.reason for fault in faults.faults} == {"JSONDecodeError", "RecursionError", "ValueError"}
    assert " x JSONDecodeError\n" in str(faults)


def test_one_fault_is_told_in_the_singular():
    def once(response: str, puzzle: Puzzle) -> float:
        return 5.0 if response == "null" else verify(response, puzzle).reward

    report = str(faults_of(once, questions=1))
    assert report.startswith("1 fault in ")
    assert "\n1 false accept: a wrong answer that is paid\n" in report


def test_a_check_that_stopped_at_its_first_case_is_told_in_the_singular():
    def endless(response: str, puzzle: Puzzle) -> float:
        while True:
            pass

    report = str(faults_of(endless, questions=1, time_limit=0.01))
    assert report.startswith("1 fault in 1 case; stopped early, because calls are slow\n\n1 slow input\n")


def test_a_verifier_that_reads_no_json_is_told_of_answer_format():
    faults = faults_of(lambda response, puzzle: float("<answer>" in response), questions=1)
    assert {fault.kind for fault in faults.faults} >= {Kind.NO_DIFFERENCE}
    assert "what it pays for could not be found out: answer_format=... says how answers look, if not so\n" in str(
        faults
    )


def test_long_responses_are_shortened_in_the_report():
    faults = faults_of(lambda response, puzzle: 5.0 if len(response) > 20_000 else verify(response, puzzle).reward)
    assert "(shortened)" in str(faults)
    assert len(str(faults)) < 4000
