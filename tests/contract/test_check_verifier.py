"""check_verifier lets each task's own verifier pass, and catches others by their kind of fault."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.playing import Case, each_task

from verienv import check_verifier
from verienv.testing import Kind, VerifierFaults

pytestmark = pytest.mark.usefixtures("texts_scanned_once")


def own_verifier(case: Case) -> Callable[[str, Any], Any]:
    """The verdict of the question about the facts that a verifier is called with."""
    kind: Any = case.task.question
    return lambda response, facts: (facts if isinstance(facts, kind) else kind.of(facts)).judge(response)


def broken(response: str, facts: Any) -> float:
    raise KeyError(response[:3])


def faults(case: Case, fn: Callable[[str, Any], Any]) -> VerifierFaults:
    with pytest.raises(VerifierFaults) as caught:
        check_verifier(fn, task=case.task_name, questions=3, time_limit=10.0)
    return caught.value


@each_task
def test_the_tasks_own_verifier_passes(case: Case) -> None:
    report = check_verifier(own_verifier(case), task=case.task_name, questions=3, time_limit=10.0)
    assert report.right > report.paid_above > report.wrong
    assert report.cases > 30


@each_task
@pytest.mark.parametrize("paid", [1.0, 0.0], ids=["everything", "nothing"])
def test_a_verifier_that_pays_everything_or_nothing_tells_nothing_apart(case: Case, paid: float) -> None:
    assert faults(case, lambda response, facts: paid).of(Kind.NO_DIFFERENCE)


@each_task
def test_a_verifier_that_raises_is_caught(case: Case) -> None:
    assert faults(case, broken).of(Kind.EXCEPTION)


@each_task
def test_a_reward_that_is_no_finite_number_is_caught(case: Case) -> None:
    assert faults(case, lambda response, facts: float("nan")).of(Kind.NOT_FINITE)


@each_task
def test_a_verifier_that_reads_the_first_answer_instead_of_the_last_is_caught_both_ways(case: Case) -> None:
    own = own_verifier(case)
    found = faults(case, lambda response, facts: own(response.partition("\nNo. ")[0], facts))
    assert found.of(Kind.FALSE_ACCEPT)
    assert found.of(Kind.FALSE_REJECT)
    assert "wrong answers that are paid" in str(found)


@each_task
def test_a_verifier_that_runs_the_policys_text_is_caught(case: Case) -> None:
    own = own_verifier(case)

    def running(response: str, facts: Any) -> Any:
        if response.startswith("__import__"):
            eval(response)  # noqa: S307 - as no verifier may; the text sets an environment variable, no more
        return own(response, facts)

    assert faults(case, running).of(Kind.CODE)
