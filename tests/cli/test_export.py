"""Rows as a data set for a hub: Parquet with pictures inside, a card with metadata, a manifest with hashes."""

import json
import os
from hashlib import sha256

import pytest
from tests.cli.shared import ENV, ROUTES, VISION, is_one_line_error

import verienv

parquet = pytest.importorskip("pyarrow.parquet")


def metadata(folder):
    yaml = pytest.importorskip("yaml")
    _, head, body = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_rows_of_each_split_are_those_that_python_makes(cli, tmp_path):
    folder = tmp_path / "set"
    status, out, err = cli("export", ENV, "--splits", "train,rule_ood", "-n", 4, "--seed", 3, "--out", folder)
    assert (status, out, err) == (0, "", f"8 rows of train, rule_ood in {folder}\n")
    for split in ("train", "rule_ood"):
        read = parquet.read_table(folder / "data" / f"{split}.parquet").to_pylist()
        made = verienv.rows(f"verienv/{ENV}-v0", split, n=4, seed=3)
        assert [(row["id"], row["prompt"]) for row in read] == [(row["id"], row["prompt"]) for row in made]
        right = verienv.Episode.of(made[0]).expert()
        assert verienv.judge(read[0], right).is_correct


def test_the_card_tells_a_hub_its_splits_and_people_how_a_row_is_judged(cli, tmp_path):
    cli("export", ENV, "--splits", "train,test", "-n", 2, "-s", "attempts=3", "--out", tmp_path)
    head, body = metadata(tmp_path)
    assert head["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": split, "path": f"data/{split}.parquet"} for split in ("train", "test")],
        }
    ]
    assert (head["license"], head["size_categories"]) == ("mit", ["n<1K"])
    assert "verienv.judge(row" in body
    assert '"attempts": 3' in body


def test_pictures_are_inside_and_typed_as_pictures(cli, tmp_path):
    cli("export", VISION, "-n", 2, "-s", "image_size=96", "--out", tmp_path)
    table = parquet.read_table(tmp_path / "data" / "train.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["images"] == {"feature": {"_type": "Image"}, "_type": "List"}
    assert all(row["images"][0]["bytes"].startswith(b"\x89PNG") for row in table.to_pylist())
    assert metadata(tmp_path)[0]["task_categories"] == ["visual-question-answering"]


@pytest.mark.parametrize(
    ("kind", "columns"), [("sft", {"completion"}), ("revision", {"completion"}), ("preference", {"chosen", "rejected"})]
)
def test_demonstrations_are_rows_too(kind, columns, cli, tmp_path):
    cli("export", ENV, "--kind", kind, "-n", 3, "-s", "solution=random", "--out", tmp_path)
    table = parquet.read_table(tmp_path / "data" / "train.parquet")
    assert columns <= {*table.column_names}
    assert table.num_rows == 3
    assert "verienv.judge" not in metadata(tmp_path)[1]


def test_questions_of_routes_credit_the_map(cli, tmp_path):
    cli("export", ROUTES, "--kind", "questions", "-n", 5, "--out", tmp_path)
    head, body = metadata(tmp_path)
    assert head["license"] == "odbl"
    assert "OpenStreetMap contributors" in body


def test_the_manifest_has_the_hash_of_each_file_and_an_earlier_export_is_written_over(cli, tmp_path):
    for n in (2, 3):
        assert cli("export", ENV, "-n", n, "--out", tmp_path)[0] == 0
    split = json.loads((tmp_path / "manifest.json").read_text())["splits"]["train"]
    assert split["rows"] == 3
    assert split["sha256"] == sha256((tmp_path / split["file"]).read_bytes()).hexdigest()


def state(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_interrupted_export_leaves_the_earlier_one_whole(cli, tmp_path, monkeypatch):
    from verienv.cli import export

    splits = ("--splits", "train,test")
    assert cli("export", ENV, *splits, "-n", 2, "--out", tmp_path / "set")[0] == 0
    before, write = state(tmp_path), export.write_parquet

    def interrupted(path, rows):
        if path.name == "test.parquet":
            raise KeyboardInterrupt
        return write(path, rows)

    monkeypatch.setattr(export, "write_parquet", interrupted)
    for folder in ("set", "new"):
        assert cli("export", ENV, *splits, "-n", 3, "--out", tmp_path / folder)[0] == 130
        assert state(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_what_a_killed_export_left_is_removed_and_its_folder_is_taken_again(cli, tmp_path):
    from verienv.core.files import part_beside

    part = part_beside(tmp_path / "data")
    left = part.with_name(part.name.replace(f"-{os.getpid()}-", "-999999999-"))
    left.mkdir()
    (left / "train.parquet").write_bytes(b"half")
    assert cli("export", ENV, "-n", 2, "--out", tmp_path)[0] == 0
    assert {*state(tmp_path)} == {"data/train.parquet", "README.md", "manifest.json"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--kind", "films"], "--kind 'films': expected one of rows, questions, sft, revision, preference"),
        (["--steps"], "--steps: rows hold no responses"),
        (["--splits", ","], "--splits: give at least one"),
        (["--splits", "train,other"], "other"),
        (["-s", "attempts=0"], "attempts"),
    ],
)
def test_wrong_arguments_touch_no_file(options, told, cli, tmp_path):
    assert is_one_line_error(cli("export", ENV, "-n", 2, *options, "--out", tmp_path / "set"), told)
    assert not (tmp_path / "set").exists()


def test_a_folder_of_other_files_is_left_alone(cli, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert is_one_line_error(cli("export", ENV, "--out", tmp_path), "holds other files; give a new folder")
    (tmp_path / "manifest.json").write_text('{"format": "other"}')
    assert is_one_line_error(cli("export", ENV, "--out", tmp_path), "holds other files")
    assert is_one_line_error(cli("export", ENV, "--out", tmp_path / "mine.txt"), "is no folder")


def test_settings_of_any_text_stay_text_in_the_card(cli, tmp_path):
    text = "Make {target} of {cards}; {rule}\n---\n```\n<script>"
    assert cli("export", ENV, "-n", 1, "-s", f"prompt={json.dumps(text)}", "--out", tmp_path)[0] == 0
    head, body = metadata(tmp_path)
    assert head["license"] == "mit"
    assert [line[:4] for line in body.splitlines() if "<script>" in line] == ["    "]
