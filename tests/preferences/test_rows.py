import pytest
from tests.preferences.made import label, pair

from verienv.preferences import training_rows

PAIRS = {each.pair: each for each in (pair(0), pair(1))}


def test_a_row_holds_prompt_chosen_and_rejected():
    [row] = training_rows(PAIRS, [label(choice="b")])
    assert row["prompt"] == [{"role": "user", "content": "Question 0?"}]
    assert row["chosen"] == [{"role": "assistant", "content": "no idea"}]
    assert row["rejected"] == [{"role": "assistant", "content": '{"formula": "1"}'}]
    assert (row["p"], row["labels"], row["pair"], row["question"]) == (1.0, 1, "q0/0-1", "q0")


def test_several_labels_give_a_soft_one():
    [row] = training_rows(PAIRS, [label(), label(annotator="bo"), label(choice="b", annotator="cy")])
    assert row["chosen"][0]["content"] == '{"formula": "1"}'
    assert (row["p"], row["labels"]) == (pytest.approx(2 / 3), 3)


def test_ties_are_dropped_or_stay_at_one_half():
    assert not list(training_rows(PAIRS, [label(choice="tie")]))
    [row] = training_rows(PAIRS, [label(choice="tie")], ties="soft")
    assert row["p"] == 0.5


def test_skipped_pairs_never_train():
    assert not list(training_rows(PAIRS, [label(choice="skip")], ties="soft"))


def test_a_row_with_a_picture_has_its_path_and_contents_in_parts():
    parts = [{"type": "image"}, {"type": "text", "text": "Which?"}]
    shown = pair(prompt=[{"role": "user", "content": parts}], images=["images/0.png"])
    [row] = training_rows({shown.pair: shown}, [label()])
    assert row["images"] == ["images/0.png"]
    assert row["prompt"] == [{"role": "user", "content": parts}]
    assert row["chosen"] == [{"role": "assistant", "content": [{"type": "text", "text": '{"formula": "1"}'}]}]


@pytest.mark.parametrize("how", [{"method": "mean"}, {"ties": "keep"}])
def test_an_unknown_way_is_refused_at_once(how):
    with pytest.raises(ValueError, match=r"expected (majority or dawid-skene|drop or soft)"):
        training_rows(PAIRS, [], **how)


def test_a_label_of_an_unknown_pair_is_refused():
    with pytest.raises(ValueError, match="pair='q7/0-1' is none of the pairs"):
        list(training_rows(PAIRS, [label("q7/0-1")]))
