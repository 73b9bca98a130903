"""Plain columns: without what tables, arrays and file formats make of values."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import verienv
from verienv.core import tasks
from verienv.core.episode import Episode
from verienv.core.plain import are_alike, plain_value
from verienv.core.question import Question
from verienv.core.rows import read
from verienv.generalpoints import GeneralPointsQuestion
from verienv.virl import VIRLQuestion

NAN = float("nan")
WORDS, _, ROUTES, _ = (env_id for task in tasks.every() for env_id in task.environments)
HAND = {"cards": ["4", "3", "2", "K"], "rule": {"J": 11, "Q": 12, "K": 13}, "target": 27, "attempts": 3}


def floated(value: Any) -> Any:
    """A value as a table of floats holds it: integers as floats, lists as arrays."""
    if isinstance(value, dict):
        return {name: floated(part) for name, part in value.items()}
    if isinstance(value, list):
        return np.array([floated(part) for part in value], dtype=object)
    return float(value) if isinstance(value, int) else value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (24.0, 24),
        (0.5, 0.5),
        (np.int64(3), 3),
        (np.float32(3), 3),
        (np.bool_(True), True),
        (NAN, None),
        (np.float64("nan"), None),
        (np.datetime64("NaT"), None),
        (Decimal(24), 24),
        (Decimal("NaN"), None),
        (np.array(["4", "K"]), ["4", "K"]),
        (np.array([["4"], [2.0]], dtype=object), [["4"], [2]]),
        (("4", 3.0), ["4", 3]),
        ({"J": 10.0, "correct": None, "wrong": NAN}, {"J": 10}),
        ({"J": None, "Q": {"x": NAN}}, None),
        ([{"a": None}, {"a": 1.0}], [{}, {"a": 1}]),
        ({}, {}),
        (float("inf"), float("inf")),
        ("24.0", "24.0"),
    ],
    ids=str,
)
def test_a_value_is_read_as_what_a_table_made_it_of(value: Any, plain: Any) -> None:
    found = plain_value(value)
    assert found == plain
    assert type(found) is type(plain)


def test_missing_values_of_pandas_are_null_and_its_columns_lists() -> None:
    pd = pytest.importorskip("pandas")
    assert plain_value([pd.NA, pd.NaT, pd.NA]) == [None] * 3
    assert plain_value({"J": pd.NA, "K": pd.Series([1.0, 2.0])}) == {"K": [1, 2]}
    assert (
        verienv.judge({**HAND, "strict": pd.NA, "rewards": {"correct": pd.NA}}, '{"formula": "4*3+2+13"}').reward == 5
    )


@pytest.mark.parametrize("env_id", [WORDS, ROUTES])
@pytest.mark.parametrize("unit", [None, "question"])
def test_every_column_of_every_task_may_hold_floats_and_arrays(env_id: str, unit: str | None) -> None:
    for row in verienv.rows(env_id, "rule_ood", n=3, seed=4, unit=unit):
        table = floated(row) | {"id": NAN, "unknown": NAN}
        flags = {name: value for name, value in row.items() if isinstance(value, bool)}
        question = read(row)
        kinds = (float, np.float32, Decimal, np.int8)
        for again in (table, *(table | {name: kind(flag) for name, flag in flags.items()} for kind in kinds)):
            assert read(again) == type(question).from_row(again) == question
            assert Episode.of(again).question == Episode.of(row).question
            assert verienv.judge(again, question.expert()).is_correct


def test_a_settings_column_may_hold_whole_floats() -> None:
    (row,) = verienv.rows(WORDS, n=1, attempts=3, rule={"J": 5, "Q": 6, "K": 7})
    settings = json.dumps(json.loads(row["settings"], parse_int=float))
    assert "3.0" in settings
    assert Episode.of({**row, "settings": settings}).messages == row["prompt"]


@pytest.mark.parametrize("null", [None, NAN, np.float64("nan")], ids=str)
def test_null_in_any_column_is_the_default(null: Any) -> None:
    for question, needed in ((GeneralPointsQuestion, {"cards": HAND["cards"]}), (VIRLQuestion, {"waypoint": {}})):
        facts = needed if question is GeneralPointsQuestion else {"waypoint": {"move": "stop"}}
        row = dict.fromkeys(question.from_row(facts).row(), null)
        assert read(row | facts) == question.from_row(row | facts) == question.from_row(facts)


def test_keys_of_other_tasks_in_a_mapping_are_left_out() -> None:
    mixed = {**HAND, "rule": {**HAND["rule"], "correct": None, "x": NAN}, "stated_rule": {"J": None, "Q": NAN}}  # type: ignore[dict-item]
    assert read(mixed) == read(HAND)
    assert GeneralPointsQuestion.from_row(mixed) == read(HAND)


def test_a_float_that_is_no_whole_number_is_refused() -> None:
    for row in ({"target": 24.5}, {"attempts": float("inf")}, {"rule": {"J": 10.5, "Q": 10, "K": 10}}, {"strict": 0.5}):
        with pytest.raises(ValueError, match=next(iter(row))):
            verienv.judge({**HAND, **row}, "")


def test_the_last_digits_of_a_float_are_no_contradiction() -> None:
    assert are_alike({"a": [0.1 + 0.2, "x"]}, {"a": [0.3, "x"]})
    assert not are_alike({"a": [0.3]}, {"a": [0.31]})
    assert not are_alike({"a": [0.3]}, {"a": [0.3, 0.3]})
    (row,) = verienv.rows(ROUTES, n=1)
    place = row["waypoint"]
    near, far = ([each + shift for each in place["location"]] for shift in (1e-15, 1e-5))
    assert Episode.of({**row, "waypoint": {**place, "location": near}}).question == Episode.of(row).question
    with pytest.raises(ValueError, match="the row's seed and settings deal"):
        Episode.of({**row, "waypoint": {**place, "location": far}})


def test_a_column_that_is_not_asked_for_is_never_read() -> None:
    class Pixels:
        def tolist(self) -> list[int]:
            raise AssertionError("read")

    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    row = {**HAND, "images": Pixels(), "extra": deep}
    assert verienv.judge(row, "").failure == "unreadable"
    assert isinstance(Question.from_row(row), GeneralPointsQuestion)
