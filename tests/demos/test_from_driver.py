"""Demonstrations where a policy drives and the expert labels."""

import json

import pytest

import verienv
from verienv.demos import driven

WALKS = {"mode": "walk", "turns": 1}


def ahead(dialogues):
    return ['{"action": "forward()"}' for _ in dialogues]


def rows(n=60, **settings):
    return list(driven(ahead, "verienv/VIRL-L-v0", n, **WALKS | settings))


def action(row):
    return json.loads(row["completion"][0]["content"])["action"]


def test_the_policy_strays_and_the_expert_labels_where_it_is():
    found = rows()
    assert len(found) == 60
    assert {row["reward"] for row in found} == {1}
    assert "-> forward()" in found[3]["prompt"][-1]["content"]
    route = [row for row in found if row["instance"] == found[0]["instance"]]
    assert any(action(row) != "forward()" for row in route[-3:])  # it has gone past, and is to turn


def test_rows_do_not_depend_on_the_batch():
    assert rows(share=0.5, batch_size=1) == rows(share=0.5, batch_size=7)


def test_where_the_policy_never_drives_the_rows_are_the_expert_s():
    found = rows(20, share=0.0)
    assert found == list(verienv.demonstrations("verienv/VIRL-L-v0", n=20, **WALKS))


def test_on_the_expert_s_path_wrong_answers_bring_feedback_and_the_right_one():
    found = list(driven(lambda asked: ["?"] * len(asked), "verienv/GeneralPoints-L-v0", 4, attempts=2))
    assert [len(row["prompt"]) for row in found] == [1, 3, 1, 3]
    assert {row["reward"] for row in found} == {5}


@pytest.mark.parametrize(
    ("given", "said"), [({"share": 2}, "share=2"), ({"batch_size": 0}, "batch_size=0"), ({"seed": -1}, "seed=-1")]
)
def test_arguments_out_of_range_are_refused_at_once(given, said):
    with pytest.raises(ValueError, match=said):
        driven(ahead, "verienv/VIRL-L-v0", 1, **given)
