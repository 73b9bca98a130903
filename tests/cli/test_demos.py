import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.cli.shared import ENV, VISION, dealt, is_one_line_error, lines_of, pixels

from verienv.core.dialogue import png
from verienv.generalpoints import verify
from verienv.generalpoints.puzzle import read_instance
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_demos_writes_rows_that_verify_as_correct(cli, tmp_path, kind):
    status, out, err = cli("demos", ENV, "--kind", kind, "-n", "5", "--steps", "--out", tmp_path / "demos.jsonl")
    assert (status, out) == (0, "")
    assert "5 rows" in err
    rows = [json.loads(line) for line in (tmp_path / "demos.jsonl").read_text().splitlines()]
    answers = [(row.get("completion") or row["chosen"])[-1]["content"] for row in rows]
    scored = [{"response": a, "instance": row["instance"]} for a, row in zip(answers, rows, strict=True)]
    assert re.search(r"^correct +5 ", cli("verify", "-", typed=lines_of(*scored))[1], re.MULTILINE)


def test_demos_goes_to_stdout_by_default(cli):
    _, out, err = cli("demos", ENV, "-n", "2", "--seed", "9", "--split", "test")
    assert len([json.loads(line) for line in out.splitlines()]) == 2
    assert not err


def with_pictures(cli, file, *more):
    """Status and stderr of writing demonstrations with small pictures."""
    status, out, err = cli("demos", VISION, "-s", "image_size=96", "--out", file, *more)
    assert not out
    return status, err


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_demos_with_pictures_writes_the_pictures_beside_the_file(cli, tmp_path, kind):
    status, err = with_pictures(cli, tmp_path / "demos.jsonl", "--kind", kind, "-n", "3", "--seed", "7")
    assert (status, err) == (
        0,
        f"3 rows in {tmp_path / 'demos.jsonl'}, their pictures in {tmp_path / 'demos_images'}\n",
    )
    env = GeneralPointsVisionEnv(image_size=96)
    for number, line in enumerate((tmp_path / "demos.jsonl").read_text().splitlines()):
        row = json.loads(line)
        env.reset(seed=7 if number == 0 else None)
        [image] = row["images"]
        assert re.fullmatch(rf"demos_images/{number:06d}-[0-9a-f]{{12}}\.png", image)
        assert np.array_equal(pixels(tmp_path / row["images"][0]), env.pictures[0])
        [part] = (row.get("completion") or row["chosen"])[-1]["content"]
        assert verify(part["text"], read_instance(row["instance"]), vision=True).reward == 5.0


def test_demos_with_pictures_load_as_a_dataset_of_images(cli, tmp_path, monkeypatch):
    from datasets import Image as ImageFeature
    from datasets import load_dataset

    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "2")
    monkeypatch.chdir(tmp_path)  # the paths are relative to the file
    rows = load_dataset("json", data_files="demos.jsonl", cache_dir="cache")["train"]
    first = rows.cast_column("images", [ImageFeature()])[0]
    assert first["images"][0].size == (96, 96)
    assert first["prompt"][0]["content"][0]["type"] == "image"


def test_demos_with_pictures_replaces_its_own_pictures_of_before(cli, tmp_path):
    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "3")
    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "1", "--seed", "2")
    _, _, image = names(tmp_path)
    assert names(tmp_path) == ["demos.jsonl", "demos_images", image]
    assert json.loads((tmp_path / "demos.jsonl").read_text())["images"] == [image]
    assert np.array_equal(pixels(tmp_path / image), dealt(2, image_size=96).pictures[0])


def test_demos_with_pictures_written_twice_are_the_same(cli, tmp_path):
    def whole():
        return {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name}

    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "2")
    before = whole()
    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "2")
    assert whole() == before


def test_pictures_that_an_earlier_version_named_by_number_alone_are_replaced_too(cli, tmp_path):
    (tmp_path / "demos_images").mkdir()
    (tmp_path / "demos_images" / "000000.png").write_text("old")
    with_pictures(cli, tmp_path / "demos.jsonl.gz", "-n", "1")
    with gzip.open(tmp_path / "demos.jsonl.gz", "rt") as file:
        assert names(tmp_path) == ["demos.jsonl.gz", "demos_images", *json.loads(file.read())["images"]]


def test_demos_with_pictures_touches_no_folder_in_which_other_things_are(cli, tmp_path):
    (tmp_path / "demos_images").mkdir()
    (tmp_path / "demos_images" / "me.png").write_text("precious")
    status, err = with_pictures(cli, tmp_path / "demos.jsonl", "-n", "1")
    assert status == 2
    assert "me.png, which is none of them; move it away or choose another --out" in err
    assert names(tmp_path) == ["demos_images", "demos_images/me.png"]


@pytest.mark.parametrize("cause", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_demos_that_are_interrupted_leave_file_and_pictures_as_they_were(cli, tmp_path, monkeypatch, cause):
    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "2")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name}
    written = []

    def png_until_the_third(image):
        written.append(image)
        if len(written) == 3:
            raise cause
        return png(image)

    monkeypatch.setattr("verienv.cli.pictures.png", png_until_the_third)
    status, _ = with_pictures(cli, tmp_path / "demos.jsonl", "-n", "4", "--seed", "9")
    assert status == (130 if cause is KeyboardInterrupt else 2)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name} == before


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_wherever_the_taking_of_places_fails_the_old_file_has_its_old_pictures(cli, tmp_path, monkeypatch, at):
    def whole():
        return {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name}

    with_pictures(cli, tmp_path / "demos.jsonl", "-n", "3")
    before, replace, moved = whole(), Path.replace, []

    def fails(path, target):
        moved.append(path)
        if len(moved) == at:
            raise OSError(5, "Input/output error", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fails)
    assert with_pictures(cli, tmp_path / "demos.jsonl", "-n", "3", "--seed", "9")[0] == 2
    assert whole() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_on_stderr(cli):
    assert is_one_line_error(cli("demos", ENV, "-n", "200", "--out", "/dev/full"), "/dev/full: No space left")


def test_a_failed_command_leaves_the_file_it_would_have_replaced(cli, tmp_path, monkeypatch):
    file = tmp_path / "demos.jsonl"
    file.write_text("precious\n")

    def broken(*_, **__):
        yield {"a": 1}
        raise ValueError("broken")

    monkeypatch.setattr("verienv.cli.demos.demonstrations", broken)
    assert is_one_line_error(cli("demos", ENV, "--out", file), "broken")
    assert file.read_text() == "precious\n"
    assert [path.name for path in tmp_path.iterdir()] == ["demos.jsonl"]
