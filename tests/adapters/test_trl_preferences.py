import pytest
from PIL import Image
from tests.preferences.made import label, pair, written

from verienv.adapters.trl import preferences


@pytest.fixture
def files(tmp_path):
    parts = [{"type": "image"}, {"type": "text", "text": "Which?"}]
    (tmp_path / "images").mkdir()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(tmp_path / "images/0.png")
    shown = pair(1, prompt=[{"role": "user", "content": parts}], images=["images/0.png"])
    return {
        "words": written(tmp_path / "words.jsonl", pair(0)),
        "vision": written(tmp_path / "vision.jsonl", shown),
        "labels": written(tmp_path / "labels.jsonl", label(), label(annotator="bo"), label(choice="b", annotator="cy")),
        "seeing": written(tmp_path / "seeing.jsonl", label("q1/0-1", "b")),
        "ties": written(tmp_path / "ties.jsonl", label(choice="tie")),
    }


def test_labelled_pairs_become_a_dataset(files):
    [row] = preferences(files["words"], files["labels"])
    assert row["prompt"] == [{"role": "user", "content": "Question 0?"}]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ('{"formula": "1"}', "no idea")
    assert row["p"] == pytest.approx(2 / 3)


def test_pictures_are_within_the_dataset(files):
    [row] = preferences(files["vision"], [files["seeing"]])
    assert [(picture.size, picture.getpixel((0, 0))) for picture in row["images"]] == [((30, 20), (200, 0, 0))]
    assert row["chosen"][0]["content"][0]["text"] == "no idea"


def test_labels_that_leave_no_row_are_refused(files):
    with pytest.raises(ValueError, match="the labels leave no row to train on"):
        preferences(files["words"], files["ties"])
    assert preferences(files["words"], files["ties"], ties="soft")["p"] == [0.5]
