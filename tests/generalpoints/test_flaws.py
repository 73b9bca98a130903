"""Wrong answers on purpose."""

import numpy as np
import pytest

from verienv.generalpoints.flaws import flawed_answer, random_expression
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS
from verienv.generalpoints.sampler import Dealing, hands
from verienv.generalpoints.verifier import Failure, verify

WRITTEN = [failure for failure in Failure if failure not in (Failure.UNCONFIRMED, Failure.MISREAD)]
SETTINGS = [("ten", "ten"), ("rank", "rank"), ("rank", "ten")]


@pytest.mark.parametrize("failure", WRITTEN)
@pytest.mark.parametrize(("rule", "stated"), SETTINGS)
def test_a_flawed_answer_fails_as_it_is_meant_to(failure: Failure, rule: str, stated: str) -> None:
    rng, written = np.random.default_rng(0), 0
    dealt = hands(Dealing(rule=PRESETS[rule], stated_rule=PRESETS[stated]))[::9]
    for hand in dealt:
        puzzle = Puzzle(hand, rule, stated_rule=stated)
        answer = flawed_answer(puzzle, failure, rng)
        if answer is not None:
            assert verify(answer, puzzle).failure == failure, (hand, answer)
            written += 1
    assert written > 0.1 * len(dealt)


def test_only_a_division_by_zero_cannot_always_be_written() -> None:
    rng = np.random.default_rng(0)
    for hand in hands(Dealing())[::25]:
        missing = [failure for failure in WRITTEN if flawed_answer(Puzzle(hand), failure, rng) is None]
        assert set(missing) <= {Failure.DIVISION_BY_ZERO}


def test_a_misread_hand_names_another_card_and_fails_in_vision_only() -> None:
    puzzle, rng = Puzzle(("4", "3", "2", "K")), np.random.default_rng(0)
    for _ in range(20):
        answer = flawed_answer(puzzle, Failure.MISREAD, rng)
        assert answer is not None
        assert verify(answer, puzzle, vision=True).failure == Failure.MISREAD
        assert verify(answer, puzzle).is_correct


def test_nothing_fails_as_unconfirmed() -> None:
    assert flawed_answer(Puzzle(("4", "3", "2", "K")), Failure.UNCONFIRMED, np.random.default_rng(0)) is None


def test_a_false_equation_stays_false_at_the_greatest_target() -> None:
    puzzle, rng = Puzzle(("10", "10", "10", "10", "10", "10"), target=999_999), np.random.default_rng(0)
    for _ in range(50):
        answer = flawed_answer(puzzle, Failure.FALSE_EQUATION, rng)
        assert verify(str(answer), puzzle).failure == Failure.FALSE_EQUATION


def test_the_same_generator_writes_the_same_flaw() -> None:
    puzzle = Puzzle(("4", "3", "2", "K"))
    for failure in WRITTEN:
        first, second = (flawed_answer(puzzle, failure, np.random.default_rng(5)) for _ in range(2))
        assert first == second


def test_a_random_expression_uses_each_value_once() -> None:
    rng = np.random.default_rng(0)
    assert all(random_expression([4, 3, 2, 10], rng).numbers == (2, 3, 4, 10) for _ in range(100))
