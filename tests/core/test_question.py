"""Question: frozen and pure, copied with changes, and carried in a row."""

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from tests.core.next_number import NextNumber

import verienv
from verienv.core import tasks
from verienv.core.question import Question

FIVE = NextNumber(number=5, drawn=0.25, attempts=3)
SHIPPED = [
    (env_id, split)
    for task in tasks.every()
    for env_id in task.environments
    for split in task.environment_class(env_id).settings.splits
]


def test_a_question_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        FIVE.number = 6  # type: ignore[misc]


def test_a_copy_has_other_values_of_some_fields_as_dataclasses_replace_makes_it() -> None:
    assert FIVE.but(number=7, attempt=2) == replace(FIVE, number=7, attempt=2)
    assert NextNumber(number=5, drawn=0.25, attempts=3) == FIVE


def test_what_a_question_has_worked_out_and_kept_is_not_that_of_a_copy() -> None:
    five = NextNumber(number=5)
    assert five.prompt == "What follows 5?"  # kept: it is a cached property
    assert five.but(number=6).prompt == "What follows 6?"


def test_a_copy_with_a_field_that_there_is_not_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="NextNumber has no field numbr"):
        FIVE.but(numbr=6)


def test_the_next_attempt_is_the_same_question_at_a_later_attempt() -> None:
    assert FIVE.again() == replace(FIVE, attempt=2)
    assert FIVE.again().again().attempt == 3


def test_a_question_says_by_default_what_most_questions_are() -> None:
    plain = FIVE.but(number=1)
    assert (plain.pictures, plain.cluster, plain.facts, plain.best_reward) == ([], "next:1", plain, 1.0)
    assert Question.constant(plain) == plain.expert()
    assert Question.wrong(plain, "wrong", np.random.default_rng(0)) is None
    assert Question.info(plain, solved=True) == {}


def test_a_row_holds_the_instance_and_the_fields_but_for_the_attempt() -> None:
    assert FIVE.again().row() == {
        "instance": "next:5",
        "vision": False,
        "attempts": 3,
        "number": 5,
        "drawn": 0.25,
        "asked": 0,
        "last": False,
    }


def test_a_row_comes_back_whatever_else_stands_beside_it_and_nulls_are_defaults() -> None:
    row = {**FIVE.row(), "cards": ["4"], "drawn": None, "attempts": None}
    assert NextNumber.from_row(row) == NextNumber(number=5)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("number", None, "NextNumber row: number: "),
        ("number", "many", "NextNumber row: number: "),
        ("attempts", 2.5, "NextNumber row: attempts: "),
        ("last", "perhaps", "NextNumber row: last: "),
        ("instance", "next:6", "instance='next:6' is another one than the columns spell, 'next:5'"),
        ("instance", 5, "instance=5 is another one"),
    ],
)
def test_a_wrong_column_is_named_in_one_line(column: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        NextNumber.from_row({**FIVE.row(), column: value})
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("registered")
def test_a_row_of_any_known_task_is_read() -> None:
    assert Question.from_row(FIVE.row()) == FIVE
    assert type(Question.from_row({"cards": ["4", "3", "2", "K"]})).__name__ == "GeneralPointsQuestion"
    assert type(Question.from_row({"waypoint": {"move": "stop"}})).__name__ == "VIRLQuestion"


@pytest.mark.parametrize("unit", ["question", None])
@pytest.mark.parametrize(("env_id", "split"), SHIPPED)
def test_a_question_of_every_id_and_split_comes_back_from_its_row(env_id: str, split: str, unit: str | None) -> None:
    task = tasks.of_env_id(env_id)
    asked = task.environment(env_id, split=split).deal(np.random.default_rng(3))
    row = json.loads(json.dumps(asked.row()))
    again = task.question.from_row(row)
    assert again == Question.from_row(row) == asked
    assert (again.prompt, again.row(), again.instance) == (asked.prompt, asked.row(), asked.instance)
    assert again.judge(asked.expert()) == asked.judge(asked.expert())
    for row in verienv.rows(env_id, split, n=3, seed=1, unit=unit):
        question = Question.from_row(json.loads(json.dumps(row)))
        assert question == task.question.from_row(row)
        assert question.row() == {name: row[name] for name in question.row()}
