"""The report of faults: grouped, counted, short."""

from tests.testing.broken import by_formula, faults_of

from verienv.generalpoints import formula_failure, verify
from verienv.testing import Kind


def test_the_report_groups_faults_with_counts_and_a_few_short_examples():
    faults = faults_of(by_formula(lambda formula, puzzle: formula_failure(formula.split("=")[0], puzzle) == ""))
    report = str(faults)
    assert report.isascii()
    assert report.startswith(f"{len(faults.faults)} faults in ")
    assert f"{len(faults.of(Kind.FALSE_ACCEPT))} false accepts" in report
    assert "4 3 2 K, rule ten, target 24: " in report
    assert "got 1; expected at most 0.5 (" in report
    assert len(report) < 4000


def test_long_responses_are_shortened_in_the_report():
    faults = faults_of(lambda response, puzzle: 5.0 if len(response) > 20_000 else verify(response, puzzle).reward)
    assert "(shortened)" in str(faults)
    assert len(str(faults)) < 4000
