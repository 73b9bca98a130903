"""check_verifier: it passes ours under every table, and is told what counts as paid."""

import threading

import pytest
from tests.testing.broken import faults_of, kinds

import verienv
from verienv.generalpoints import Puzzle, verify
from verienv.testing import Kind, check_verifier


@pytest.mark.parametrize(
    ("vision", "strict", "rewards"),
    [
        (False, False, "paper"),
        (False, True, "paper"),
        (True, False, "paper"),
        (True, True, "paper"),
        (False, False, "binary"),
        (True, False, "binary_format"),
    ],
)
def test_ours_passes_in_every_mode_and_under_every_table(vision, strict, rewards):
    def reward(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle, vision=vision, strict=strict, rewards=rewards).reward

    report = check_verifier(reward, vision=vision, strict=strict)
    assert report.cases > 1800
    assert report.wrong < report.paid_above < report.right


def test_a_verdict_is_read_by_its_reward():
    report = verienv.check_verifier(verify)
    assert (report.right, report.wrong, report.paid_above) == (5.0, -1.0, 2.0)


def test_signed_and_shaped_rewards_pass():
    def signed(response: str, puzzle: Puzzle) -> int:
        return 1 if verify(response, puzzle).is_correct else -1

    def shaped(response: str, puzzle: Puzzle) -> float:
        valid = verify(response, puzzle).metrics["formula_valid"]
        return verify(response, puzzle, rewards="binary").reward + 0.1 * valid - 1e-6 * len(response)

    assert check_verifier(signed).paid_above == 0
    assert check_verifier(shaped)


def test_reading_strictly_is_found_where_leniency_is_asked_and_the_reverse():
    strict = lambda response, puzzle: verify(response, puzzle, strict=True).reward  # noqa: E731
    assert kinds(faults_of(strict)) == {Kind.FALSE_REJECT}
    lenient = lambda response, puzzle: verify(response, puzzle).reward  # noqa: E731
    assert Kind.FALSE_ACCEPT in kinds(faults_of(lenient, strict=True))


def test_a_threshold_of_ones_own_decides_what_is_paid():
    assert check_verifier(verify, paid_above=4.9).paid_above == 4.9
    assert kinds(faults_of(verify, paid_above=5.0)) == {Kind.FALSE_REJECT}


def test_it_works_outside_the_main_thread():
    reports = []
    thread = threading.Thread(target=lambda: reports.append(check_verifier(verify, questions=2)))
    thread.start()
    thread.join()
    assert reports[0].right == 5.0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"fn": 7}, TypeError),
        ({"fn": verify, "time_limit": 0}, ValueError),
        ({"fn": verify, "task": "chess"}, ValueError),
        ({"fn": verify, "task": "virl", "vision": True}, ValueError),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_expected(arguments, error):
    with pytest.raises(error, match="expected"):
        check_verifier(**arguments)
