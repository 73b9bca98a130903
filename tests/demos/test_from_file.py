"""Demonstrations read from files, which are trusted in nothing."""

import gzip
import json
import os

import pytest
from PIL import Image

from verienv.cli import run
from verienv.demos import demonstrations, opened, read_demonstrations

WORDS, VISION = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
QUESTION, ANSWER = {"role": "user", "content": "2, 3, 4?"}, {"role": "assistant", "content": "2*3*4"}
ROW = {"prompt": [QUESTION], "completion": [ANSWER]}


def written(path, *options):
    assert run(["demos", *options, "--out", str(path)]) == 0
    return read_demonstrations(path)


@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.gz"])
@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_what_verienv_demos_writes_is_read_as_it_was_made(name, kind, tmp_path):
    read = written(tmp_path / name, "GeneralPoints-L", "--n", "5", "--kind", kind, "--seed", "3")
    assert read == [
        {"prompt": row["prompt"], "completion": row["completion"]} for row in demonstrations(WORDS, kind, 5, seed=3)
    ]


@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_conversations_are_read_as_the_rows_that_they_were(kind, tmp_path):
    options = ("GeneralPoints-L", "--n", "5", "--kind", kind)
    rows = written(tmp_path / "d.json", *options, "--format", "sharegpt")
    assert rows == written(tmp_path / "d.jsonl", *options)


@pytest.mark.parametrize("form", ["trl", "sharegpt"])
def test_pictures_beside_the_file_are_those_that_were_made(form, tmp_path):
    path = tmp_path / ("d.jsonl" if form == "trl" else "d.json")
    rows = [opened(row) for row in written(path, "GeneralPoints-VL", "--n", "2", "--format", form)]
    for read, made in zip(rows, demonstrations(VISION, n=2), strict=True):
        assert [picture.tobytes() for picture in read["images"]] == [one.tobytes() for one in made["images"]]
        assert [part["type"] for part in read["prompt"][0]["content"]] == ["image", "text"]
        assert read["prompt"][0]["content"][1]["text"].strip() == made["prompt"][0]["content"][1]["text"].strip()


def saved(folder, *rows, name="d.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def seen(*images, parts=({"type": "image"}, {"type": "text", "text": "?"})):
    return {"prompt": [{"role": "user", "content": list(parts)}], "completion": [ANSWER], "images": list(images)}


def refused(path):
    with pytest.raises(ValueError, match=r".") as caught:
        [opened(row) for row in read_demonstrations(path)]
    told = str(caught.value)
    assert "\n" not in told
    assert len(told) < len(str(path)) + 400
    return told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "holds no demonstrations"),
        (b"\n\n", "holds no demonstrations"),
        (b"hello\n", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 200_000, "is no JSON"),
        (b"9" * 5000, "is no JSON"),
        (b'{"prompt": "' + b"x" * (2**26 + 9), "is no JSON"),
        (gzip.compress((json.dumps(ROW) + "\n").encode() * 9)[:-20], "damaged"),
        (b"null\n", "row 1"),
        (b"3\n", "row 1"),
        (b"[]\n", "row 1"),
        (b"{}\n", "'prompt' is missing"),
    ],
    ids=[
        "empty",
        "blank",
        "words",
        "bytes",
        "nested",
        "digits",
        "long",
        "cut gzip",
        "null",
        "number",
        "list",
        "object",
    ],
)
def test_a_file_that_holds_no_rows_is_one_line(data, told, tmp_path):
    (tmp_path / "d.jsonl").write_bytes(data)
    assert told in refused(tmp_path / "d.jsonl")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"prompt": [QUESTION]}, "'completion' is missing"),
        ({**ROW, "completion": []}, "the turns are those of"),
        ({**ROW, "completion": [ANSWER, QUESTION, ANSWER]}, "the turns are those of"),
        ({**ROW, "prompt": []}, "the turns are those of"),
        ({**ROW, "prompt": [QUESTION, QUESTION]}, "the turns are those of"),
        ({**ROW, "prompt": [{"role": "system", "content": "."}]}, "the turns are those of"),
        ({**ROW, "completion": [QUESTION]}, "the turns are those of"),
        ({**ROW, "prompt": [{"role": "robot", "content": "."}]}, "a turn is of 'robot', expected"),
        ({**ROW, "prompt": [{"role": ["user"], "content": "."}]}, "a turn is of ['user'], expected"),
        ({**ROW, "prompt": [{"role": "user", "content": 3}]}, "a message is 3"),
        ({**ROW, "prompt": [{"role": "user", "content": [{"type": "text", "text": 3}]}]}, "a text is 3"),
        ({**ROW, "prompt": [{"role": "user", "content": [3]}]}, "row 2"),
        ({**ROW, "prompt": [{"role": "user", "content": "\ud800"}]}, "row 2"),
        ({**ROW, "prompt": "x" * 10_000}, "row 2"),
        ({**ROW, "images": 5}, "images is 5"),
        ({**ROW, "images": ["a.png"]}, "1 images, but 0 places"),
        (seen(), "0 images, but 1 places"),
        ({**seen(), "completion": [{"role": "assistant", "content": [{"type": "image"}]}]}, "images"),
        ({"conversations": "abc"}, "row 2"),
        ({"conversations": [{"from": "gpt", "value": "a"}]}, "the turns are those of"),
        ({"conversations": [{"from": "human"}]}, "'value' is missing"),
    ],
)
def test_a_row_that_is_none_is_named_with_its_fault(row, told, tmp_path):
    said = refused(saved(tmp_path, ROW, row))
    assert "row 2" in said
    assert told in said


def test_a_picture_outside_the_files_folder_is_not_opened(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png"):
        assert "outside the file's folder" in refused(saved(inside, seen(name)))


def test_what_is_no_picture_is_told(tmp_path):
    (tmp_path / "words.png").write_text("words")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    for name in ("none.png", "words.png", "pipe.png", ".", "loop.png", "a\0b", "x" * 5000, 7, None):
        said = refused(saved(tmp_path, seen(name)))
        assert "row 1" in said


def test_a_damaged_picture_is_named_when_it_is_dealt(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    [row] = read_demonstrations(saved(tmp_path, seen("cut.png")))
    with pytest.raises(ValueError, match=r"cut\.png cannot be opened"):
        opened(row)


def test_a_picture_of_more_points_than_memory_holds_is_not_decoded(tmp_path, monkeypatch):
    Image.new("1", (300, 300)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60_000)
    assert "cannot be opened" in refused(saved(tmp_path, seen("bomb.png")))


def test_a_file_that_unpacks_to_more_than_is_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("verienv.demos.from_file.MOST_SKIPPED", 10_000)
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress((json.dumps(ROW) + "\n").encode() * 1000))
    assert "larger than" in refused(tmp_path / "d.jsonl.gz")


@pytest.mark.parametrize("name", ["none.jsonl", "none.json", "."])
def test_a_file_that_is_not_there_is_one_line(name, tmp_path):
    assert "cannot be read" in refused(tmp_path / name)
