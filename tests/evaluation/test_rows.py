"""Cells whose episodes are the questions of rows."""

import json

import pytest
from tests.demos.published import conversation, hand_prompt

import verienv
from verienv.demos import read_published

ENV_ID = "verienv/GeneralPoints-L-v0"


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(
        json.dumps([conversation(hand_prompt(hand)) for hand in (("4", "3", "2", "K"), ("A", "2", "3", "4"))])
    )
    return list(read_published(path))


def cells(rows, **settings):
    return {"published": {"rows": rows, **settings}}


def test_the_expert_solves_every_row(rows):
    result = verienv.evaluate("expert", ENV_ID, cells(rows))
    assert [episode.instance for episode in result.episodes] == [row["instance"] for row in rows]
    assert all(episode.success for episode in result.episodes)


def test_a_policy_is_asked_in_the_words_of_the_rows(rows):
    asked = []

    def policy(dialogues):
        asked.extend(dialogue[0]["content"] for dialogue in dialogues)
        return ["?" for _ in dialogues]

    verienv.evaluate(policy, ENV_ID, cells(rows))
    assert asked == [row["prompt"][0]["content"] for row in rows]


def test_attempts_may_be_set(rows):
    result = verienv.evaluate("constant", ENV_ID, cells(rows, attempts=3))
    assert [len(episode.failures) for episode in result.episodes] == [1, 3]


def test_a_log_of_other_rows_is_refused(rows, tmp_path):
    verienv.evaluate("expert", ENV_ID, cells(rows), log=tmp_path / "log.jsonl")
    with pytest.raises(ValueError, match="logs another evaluation"):
        verienv.evaluate("expert", ENV_ID, cells(rows[::-1]), log=tmp_path / "log.jsonl")


def test_a_log_of_the_same_rows_is_gone_on_with(rows, tmp_path):
    first, again = (verienv.evaluate("expert", ENV_ID, cells(rows), log=tmp_path / "log.jsonl") for _ in range(2))
    assert first.episodes == again.episodes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: [], "expected a list of at least one row"),
        (lambda rows: verienv.rows("verienv/VIRL-L-v0", n=1), "row 1 is a question for another environment"),
        (lambda rows: [{**rows[0], "vision": True}], "row 1 is a question for another environment"),
    ],
)
def test_rows_of_another_environment_are_refused(rows, change, told):
    with pytest.raises(ValueError, match=told):
        verienv.evaluate("expert", ENV_ID, cells(change(rows)))
