import json
import os
import subprocess
import sys

import pytest
from tests.preferences.made import label, pair, verdicts, written

from verienv.preferences import RecordWriter, read_labels, read_pairs, read_verdicts

LINE = label().model_dump(mode="json")


def test_records_are_read_as_they_were_written(tmp_path):
    with RecordWriter(tmp_path / "pairs.jsonl") as file:
        file.add(pair(0), pair(1))
    with RecordWriter(tmp_path / "verdicts.jsonl") as file:
        file.add(verdicts(0, "b"))
    with RecordWriter(tmp_path / "labels.jsonl") as file:
        file.add(label(seconds=2.5, shown_first="b", guidelines="0" * 64))
    assert list(read_pairs(tmp_path / "pairs.jsonl").values()) == [pair(0), pair(1)]
    assert read_verdicts(tmp_path / "verdicts.jsonl")["q0/0-1"].better == "b"
    assert read_labels(tmp_path / "labels.jsonl") == [label(seconds=2.5, shown_first="b", guidelines="0" * 64)]


def test_a_pair_says_nothing_about_which_response_is_better():
    assert not {"reward", "is_correct", "failure", "verdict", "better", "success"} & set(pair().model_dump())


def test_the_last_label_of_an_annotator_counts(tmp_path):
    path = written(tmp_path / "labels", label(), label(annotator="bo"), label(choice="b"))
    assert [(each.annotator, each.choice) for each in read_labels(path)] == [("bo", "a"), ("ann", "b")]


def test_a_label_that_was_taken_back_does_not_count(tmp_path):
    path = written(tmp_path / "labels", label(), label("q1/0-1"), label(choice="undo"))
    assert [each.pair for each in read_labels(path)] == ["q1/0-1"]


def test_labels_of_several_files_are_one_list(tmp_path):
    one, two = written(tmp_path / "one", label()), written(tmp_path / "two", label(annotator="bo"))
    assert len(read_labels([one, two])) == 2


BAD = {
    "no JSON": (b"{broken\n", "no JSON"),
    "a list": (b"[1]\n", "expected a JSON object with pair, annotator, kind, choice"),
    "not UTF-8": (b'{"pair": "\xff"}\n', "no JSON"),
    "nested deeply": (b"[" * 100_000 + b"\n", "no JSON"),
    "not a number": (json.dumps(LINE | {"seconds": float("nan")}).encode() + b"\n", "NaN is no number"),
    "a field missing": ({"pair": "p"}, "annotator="),
    "an unknown field": (LINE | {"colour": 1}, "unknown setting 'colour'"),
    "an unknown choice": (LINE | {"choice": "c"}, "choice='c'"),
    "a name with a space": (LINE | {"annotator": "a b"}, "annotator='a b'"),
    "a name of markup": (LINE | {"annotator": "<b>"}, "annotator='<b>'"),
    "a long id": (LINE | {"pair": "p" * 1100}, "pair='ppp"),
    "a line feed in an id": (LINE | {"pair": "p\n"}, "pair="),
    "a share above 1": (LINE | {"p": 1.5}, "p=1.5"),
    "the share of the other choice": (LINE | {"choice": "b", "p": 0.9}, "choice=b, but p=0.9"),
    "negative seconds": (LINE | {"seconds": -1}, "seconds=-1"),
    "endless digits": (b'{"seconds": ' + b"9" * 5000 + b"}\n", "no JSON"),
    "a long line": (b'{"pair": "' + b"p" * 2**22 + b'"}\n', "longer than 4 MB"),
}


@pytest.mark.parametrize(("line", "told"), BAD.values(), ids=BAD)
def test_a_bad_line_is_an_error_of_one_line_with_its_number(line, told, tmp_path):
    path = written(tmp_path / "labels.jsonl", label(), line)
    with pytest.raises(ValueError, match=r"labels\.jsonl, line 2: ") as caught:
        read_labels(path)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600


def test_half_a_character_is_no_text(tmp_path):
    path = written(tmp_path / "pairs", pair().model_dump(mode="json") | {"a": "\ud800"})
    with pytest.raises(ValueError, match=r"line 1: Pair: a=.*unicode"):
        read_pairs(path)


def test_a_pair_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line 2: pair='q0/0-1' is there twice"):
        read_pairs(written(tmp_path / "pairs", pair(), pair()))


def test_a_label_of_an_unknown_pair_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line 1: pair='q7/0-1' is none of the pairs"):
        read_labels(written(tmp_path / "labels", label("q7/0-1")), {"q0/0-1"})


def test_a_file_that_is_not_there_is_an_error_of_one_line(tmp_path):
    told = (
        r"nowhere: cannot be read \(No such file or directory\); examples/label.py and examples/judge.py write labels"
    )
    with pytest.raises(ValueError, match=told):
        read_labels(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"examples/pairs\.py makes a folder with pairs\.jsonl"):
        read_pairs(tmp_path / "pairs.jsonl")


def with_picture(name, **fields):
    parts = [{"type": "image"}, {"type": "text", "text": "Question?"}]
    return pair(prompt=[{"role": "user", "content": parts}], images=[name], **fields)


def test_a_pair_names_its_pictures_relative_to_its_file(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "0.png").write_bytes(b"picture")
    [found] = read_pairs(written(tmp_path / "pairs", with_picture("images/0.png"))).values()
    assert found.words == "Question?"


@pytest.mark.parametrize(
    "name", ["../outside.png", "/etc/passwd", "images/../../outside.png", "", ".", "images//0.png", "..\\outside.png",
             "C:/0.png", "link.png", "folder/0.png", "gone.png", "images", "nul\0.png"],
)  # fmt: skip
def test_a_picture_outside_the_folder_or_behind_a_link_is_refused(name, tmp_path):
    folder = tmp_path / "pairs"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "folder").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "0.png").write_bytes(b"secret")
    with pytest.raises(ValueError, match="line 1: the picture "):
        read_pairs(written(folder / "pairs.jsonl", with_picture(name)))


def test_as_many_pictures_as_places_are_due(tmp_path):
    path = written(tmp_path / "pairs", pair().model_dump(mode="json") | {"images": ["0.png"]})
    with pytest.raises(ValueError, match="1 images, but 0 places for them in the prompt"):
        read_pairs(path)


def test_what_a_kill_left_of_the_last_line_is_not_read(tmp_path):
    path = written(tmp_path / "labels", label(), label("q1/0-1").model_dump_json().encode()[:40])
    assert read_labels(path) == [label()]


def test_a_last_line_without_an_end_is_read(tmp_path):
    path = written(tmp_path / "labels", label(), label("q1/0-1").model_dump_json().encode())
    assert len(read_labels(path)) == 2


@pytest.mark.parametrize("left", [b'{"pair": "q9', label("q1/0-1").model_dump_json().encode()], ids=["torn", "whole"])
def test_writing_goes_on_after_a_last_line_without_an_end(left, tmp_path):
    path = written(tmp_path / "labels", label(), left)
    before = read_labels(path)
    with RecordWriter(path) as file:
        file.add(label("q2/0-1"))
    assert read_labels(path) == [*before, label("q2/0-1")]


def test_a_file_has_one_writer_at_a_time(tmp_path):
    with RecordWriter(tmp_path / "labels"), pytest.raises(ValueError, match="is being written by another process"):
        RecordWriter(tmp_path / "labels")


def test_a_file_is_cut_to_its_first_records(tmp_path):
    with RecordWriter(tmp_path / "labels") as file:
        file.add(label("q0/0-1"), label("q1/0-1"), label("q2/0-1"))
        file.cut(2)
        file.add(label("q3/0-1"))
        with pytest.raises(ValueError, match="holds 3 records, where 4 are due"):
            file.cut(4)
    assert [each.pair for each in read_labels(tmp_path / "labels")] == ["q0/0-1", "q1/0-1", "q3/0-1"]


def test_a_label_is_on_disk_when_add_returns(tmp_path):
    code = (
        "import os; from verienv.preferences import RecordWriter; from tests.preferences.made import label\n"
        f"RecordWriter({str(tmp_path / 'labels')!r}).add(label()); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=os.getcwd()).returncode == -9
    assert read_labels(tmp_path / "labels") == [label()]
