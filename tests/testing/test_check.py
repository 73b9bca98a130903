"""check_verifier: it passes ours under every table, and is told what counts as paid."""

import threading

import pytest
from tests.testing.broken import faults_of, kinds

import verienv
from verienv.generalpoints import Puzzle, verify
from verienv.testing import Kind, check_verifier
from verienv.virl.routes.route import Waypoint

pytestmark = pytest.mark.usefixtures("texts_scanned_once")


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

    report = check_verifier(reward, vision=vision, strict=strict, questions=10)
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

    assert check_verifier(signed, questions=5).paid_above == 0
    assert check_verifier(shaped, questions=5)


def test_reading_strictly_is_found_where_leniency_is_asked_and_the_reverse():
    strict = lambda response, puzzle: verify(response, puzzle, strict=True).reward  # noqa: E731
    assert kinds(faults_of(strict, questions=5)) == {Kind.FALSE_REJECT}
    lenient = lambda response, puzzle: verify(response, puzzle).reward  # noqa: E731
    assert Kind.FALSE_ACCEPT in kinds(faults_of(lenient, strict=True, questions=5))


def test_a_threshold_of_ones_own_decides_what_is_paid():
    assert check_verifier(verify, paid_above=4.9, questions=5).paid_above == 4.9
    assert kinds(faults_of(verify, paid_above=5.0, questions=5)) == {Kind.FALSE_REJECT}


def test_calls_may_take_without_end():
    assert check_verifier(verify, time_limit=float("inf"), questions=1).right == 5.0


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
        *(({"fn": verify, "time_limit": seconds}, ValueError) for seconds in (0, float("nan"), "1", None)),
        *(({"fn": verify, "paid_above": reward}, ValueError) for reward in (float("nan"), float("inf"), "1", 10**400)),
        *(({"fn": verify, "questions": count}, ValueError) for count in (-1, 1.5, None, "9")),
        *(({"fn": verify, "seed": number}, ValueError) for number in (-1, 1.5, "9")),
        *(({"fn": verify, "ignore": none}, ValueError) for none in (None, 7, "")),
        ({"fn": verify, "task": "chess"}, ValueError),
        ({"fn": verify, "task": "virl", "vision": True}, ValueError),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_expected(arguments, error):
    with pytest.raises(error, match="expected"):
        check_verifier(**arguments)


@pytest.mark.parametrize(
    ("fn", "told"),
    [
        (
            lambda completions, **columns: 0.0,
            r"fn\(completions, \*\*columns\) cannot be called as fn\(response, puzzle\): ",
        ),
        (lambda response: 0.0, "too many positional arguments; expected a function of these two that returns a number"),
        (lambda source, response, truth, extra=None: 0.0, "missing a required argument: 'truth'"),
        (lambda response, *, puzzle: 0.0, "too many positional arguments"),
    ],
    ids=["of a batch", "of one", "of three", "by keyword"],
)
def test_another_signature_is_told_in_one_sentence(fn, told):
    with pytest.raises(TypeError, match=told) as raised:
        check_verifier(fn)
    assert len(str(raised.value)) < 300


def test_the_rule_of_virl_comes_in_the_waypoint():
    def with_rule(response: str, waypoint: Waypoint, actions: str) -> float:
        return 0.0

    told = r"with_rule\(response, waypoint, actions\) cannot be called as with_rule\(response, waypoint\): missing"
    with pytest.raises(TypeError, match=told):
        check_verifier(with_rule, task="virl")


@pytest.mark.parametrize(
    ("fn", "told"),
    [
        (
            lambda response, truth: response == truth.split("=")[1],
            "raised AttributeError: 'Puzzle' object has no attribute",
        ),
        (lambda completions, prompts: [0.0] * len(completions), r"returned \[0.0, 0.0"),
    ],
    ids=["it expects a text", "it returns a list"],
)
def test_what_answers_nothing_is_told_in_one_sentence(fn, told):
    faults = faults_of(fn)
    assert len(faults.faults) == 1
    assert str(faults).count("\n") == 0
    assert str(faults).startswith("fn(response, puzzle) " + told.split(" ")[0])
    assert "for a str as response and as puzzle a Puzzle, which has cards, rule, target" in str(faults)
