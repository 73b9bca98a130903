import pytest
from tests.preferences.made import label, pair, written

from verienv.preferences import labelled, responses, training_rows

PAIRS = {each.pair: each for each in (pair(0), pair(1))}


def test_a_row_holds_prompt_chosen_and_rejected():
    [row] = training_rows(PAIRS, [label(choice="b")])
    assert row["prompt"] == [{"role": "user", "content": "Question 0?"}]
    assert row["chosen"] == [{"role": "assistant", "content": "no idea"}]
    assert row["rejected"] == [{"role": "assistant", "content": '{"formula": "1"}'}]
    assert (row["p"], row["labels"], row["pair"], row["question"]) == (1.0, 1, "q0/0-1", "q0")
    assert row["cluster"] == "hand:0"


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


@pytest.fixture
def folder(tmp_path):
    """Two labelled pairs, one with a picture."""
    parts = [{"type": "image"}, {"type": "text", "text": "Which?"}]
    (tmp_path / "images").mkdir()
    (tmp_path / "images/0.png").write_bytes(b"png")
    shown = pair(1, prompt=[{"role": "user", "content": parts}], images=["images/0.png"])
    written(tmp_path / "pairs.jsonl", pair(0), shown)
    written(tmp_path / "labels.jsonl", label(), label("q1/0-1", "b", "bo"), label("q0/0-1", "b", "bo"))
    return tmp_path


def test_a_folder_of_pairs_and_a_file_of_labels_are_rows_with_pictures_that_can_be_opened(folder):
    one, two = labelled(folder, folder / "labels.jsonl", ties="soft")
    assert (one["pair"], one["p"], two["chosen"][0]["content"]) == (
        "q0/0-1", 0.5, [{"type": "text", "text": "no idea"}],
    )  # fmt: skip
    assert two["images"] == [str(folder / "images/0.png")]


def test_the_labels_of_one_annotator_may_count_alone(folder):
    [row] = labelled(folder, folder / "labels.jsonl", "ann")
    assert (row["pair"], row["p"]) == ("q0/0-1", 1.0)
    with pytest.raises(ValueError, match="annotator='cy': expected one of ann, bo"):
        labelled(folder, folder / "labels.jsonl", "cy")


def test_labels_that_leave_no_row_are_refused(folder):
    written(folder / "labels.jsonl", label(choice="tie"))
    with pytest.raises(ValueError, match="the labels leave no row to train on"):
        labelled(folder, folder / "labels.jsonl")


def test_a_picture_outside_of_the_folder_is_refused(folder):
    parts = [{"type": "image"}, {"type": "text", "text": "Which?"}]
    written(folder / "pairs.jsonl", pair(0, prompt=[{"role": "user", "content": parts}], images=["../0.png"]))
    with pytest.raises(ValueError, match="no plain path within the folder"):
        labelled(folder, folder / "labels.jsonl")


def test_the_responses_of_all_pairs_are_demonstrations_labelled_or_not(folder):
    a, _, seen, _ = responses(folder)
    assert a == {
        "prompt": [{"role": "user", "content": "Question 0?"}],
        "completion": [{"role": "assistant", "content": '{"formula": "1"}'}],
    }
    assert seen["images"] == [str(folder / "images/0.png")]
    assert seen["completion"][0]["content"] == [{"type": "text", "text": '{"formula": "1"}'}]
