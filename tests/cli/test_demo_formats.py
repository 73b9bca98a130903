"""Demonstrations in the forms that trainers read, and what a manifest says of them."""

import json
from hashlib import sha256

import pytest
from tests.cli.shared import ENV, VISION, is_one_line_error

import verienv
from verienv.adapters import hub
from verienv.adapters.sharegpt import conversation
from verienv.adapters.verl import sft_row
from verienv.cli.demos import FORMATS
from verienv.demos import read_demonstrations

ENV_ID, VISION_ID = f"verienv/{ENV}-v0", f"verienv/{VISION}-v0"


def read(path):
    return json.loads(path.read_text())


def test_sharegpt_is_a_list_of_conversations(cli, tmp_path):
    file = tmp_path / "demos.json"
    assert cli("demos", ENV, "-n", 3, "--format", "sharegpt", "--out", file)[0] == 0
    for row, demo in zip(read(file), verienv.demonstrations(ENV_ID, n=3), strict=True):
        human, gpt = row["conversations"]
        assert human == {"from": "human", "value": demo["prompt"][0]["content"]}
        assert gpt == {"from": "gpt", "value": demo["completion"][0]["content"]}
        assert (row["instance"], row["reward"]) == (demo["instance"], 5.0)


def test_sharegpt_of_a_revision_ends_with_the_repair():
    [demo] = verienv.demonstrations(ENV_ID, "revision", n=1)
    turns = conversation(demo)["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "gpt", "human", "gpt"]
    assert turns[-1]["value"] == demo["completion"][0]["content"]


def test_sharegpt_of_a_preference_has_both_sides_beside_the_question():
    [demo] = verienv.demonstrations(ENV_ID, "preference", n=1)
    row = conversation(demo)
    assert [turn["from"] for turn in row["conversations"]] == ["human"]
    for side in ("chosen", "rejected"):
        assert row[side] == {"from": "gpt", "value": demo[side][0]["content"]}


def test_sharegpt_marks_pictures_and_names_their_files(cli, tmp_path):
    file = tmp_path / "demos.json"
    words = ("demos", VISION, "-n", 2, "-s", "image_size=96", "--format", "sharegpt", "--out", file)
    assert cli(*words)[2].endswith(f"their pictures in {tmp_path / 'demos_images'}\n")
    for row in read(file):
        [image] = row["images"]
        assert (tmp_path / image).is_file()
        assert row["conversations"][0]["value"].startswith("<image>")
        assert isinstance(row["conversations"][1]["value"], str)


def test_sharegpt_goes_to_stdout_as_one_array(cli):
    status, out, _ = cli("demos", ENV, "-n", 2, "--format", "sharegpt")
    assert status == 0
    assert len(json.loads(out)) == 2


def test_verl_is_parquet_with_messages(cli, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("datasets")
    file = tmp_path / "sft.parquet"
    assert cli("demos", ENV, "-n", 3, "--format", "verl", "--out", file)[0] == 0
    for (_, row), demo in zip(pandas.read_parquet(file).iterrows(), verienv.demonstrations(ENV_ID, n=3), strict=True):
        assert list(row["messages"]) == [*demo["prompt"], *demo["completion"]]
        assert row["reward"] == 5.0


def test_verl_holds_pictures_itself():
    [demo] = verienv.demonstrations(VISION_ID, n=1, image_size=96)
    row = sft_row(demo)
    assert row["messages"][0]["content"].startswith("<image>")
    assert [image["bytes"][:4] for image in row["images"]] == [b"\x89PNG"]


def test_verl_is_given_no_wrong_turn_to_train_on(cli, tmp_path):
    outcome = cli("demos", ENV, "--kind", "revision", "--format", "verl", "--out", tmp_path / "d.parquet")
    assert is_one_line_error(outcome, "--format verl: expected --kind sft")
    for kind in ("revision", "preference"):
        with pytest.raises(ValueError, match="expected a demonstration of kind='sft'"):
            sft_row(next(verienv.demonstrations(ENV_ID, kind)))


@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_messages_are_the_whole_dialogue(cli, tmp_path, kind):
    file = tmp_path / "demos.jsonl"
    assert cli("demos", ENV, "--kind", kind, "-n", 3, "--format", "messages", "--out", file)[0] == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row, demo in zip(rows, verienv.demonstrations(ENV_ID, kind, n=3), strict=True):
        assert row["messages"] == [*demo["prompt"], *demo["completion"]]
        assert (row["instance"], row["reward"]) == (demo["instance"], 5.0)


def test_messages_are_read_back_as_demonstrations(cli, tmp_path):
    files = [tmp_path / "messages.jsonl", tmp_path / "trl.jsonl"]
    for file in files:
        cli("demos", VISION, "-n", 2, "-s", "image_size=96", "--format", file.stem, "--out", file)
    one, other = ([[row["prompt"], row["completion"]] for row in read_demonstrations(file)] for file in files)
    assert one == other


def test_messages_of_a_preference_are_refused(cli):
    outcome = cli("demos", ENV, "--kind", "preference", "--format", "messages")
    assert is_one_line_error(outcome, "a preference is two dialogues")


def test_parquet_for_a_hub_is_read_by_datasets_as_it_was(cli, tmp_path):
    datasets = pytest.importorskip("datasets")
    file = tmp_path / "train.parquet"
    assert cli("demos", ENV, "-n", 300, "--format", "parquet", "--out", file)[0] == 0
    table = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
    assert list(table) == list(verienv.demonstrations(ENV_ID, n=300))


def test_parquet_for_a_hub_holds_pictures_that_datasets_decodes(tmp_path):
    datasets = pytest.importorskip("datasets")
    [demo] = verienv.demonstrations(VISION_ID, n=1, image_size=96)
    assert hub.write_parquet(tmp_path / "train.parquet", [demo]) == 1
    [row] = datasets.Dataset.from_parquet(str(tmp_path / "train.parquet"), cache_dir=str(tmp_path / "cache"))
    assert [image.tobytes() for image in row["images"]] == [image.tobytes() for image in demo["images"]]


def test_parquet_is_written_whole_or_not_at_all(tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="row 2 has the columns"):
        hub.write_parquet(tmp_path / "train.parquet", [{"a": 1}, {"b": 1}])
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_its_package_is_told_before_any_row_is_made(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("verienv.cli.demos.find_spec", lambda name: None)
    for form, package in (("verl", "datasets"), ("parquet", "pyarrow")):
        outcome = cli("demos", ENV, "--format", form, "--out", tmp_path / "d.parquet")
        assert is_one_line_error(outcome, f"pip install {package}")


@pytest.mark.parametrize("form", FORMATS)
def test_a_manifest_holds_the_hash_of_a_file_of_any_form(cli, tmp_path, form):
    ending = {"sharegpt": "json", "verl": "parquet", "parquet": "parquet"}.get(form, "jsonl")
    file, manifest = tmp_path / f"demos.{ending}", tmp_path / "m.json"
    assert cli("demos", ENV, "-n", 2, "--format", form, "--out", file, "--manifest", manifest)[0] == 0
    said = read(manifest)
    assert (said["format"], said["rows"], said["sha256"]) == (form, 2, sha256(file.read_bytes()).hexdigest())


def test_a_manifest_says_what_the_rows_are_and_their_hash(cli, tmp_path):
    file, manifest = tmp_path / "demos.jsonl", tmp_path / "demos.manifest.json"
    words = ("demos", ENV, "-n", 3, "--seed", 7, "-s", "solution=random", "-s", "target=36", "--out", file)
    assert cli(*words, "--manifest", manifest)[0] == 0
    said = read(manifest)
    assert said["settings"] == {"solution": "random", "target": 36}
    assert (said["env_id"], said["seed"], said["rows"], said["file"]) == (ENV_ID, 7, 3, "demos.jsonl")
    assert said["sha256"] == sha256(file.read_bytes()).hexdigest()


def test_options_of_the_expert_are_settings(cli):
    _, out, _ = cli("demos", ENV, "-n", 2, "-s", "solution=random", "-s", "equation=true")
    expected = [
        json.loads(json.dumps(row)) for row in verienv.demonstrations(ENV_ID, n=2, solution="random", equation=True)
    ]
    assert [json.loads(line) for line in out.splitlines()] == expected
    assert all("=24" in row["completion"][0]["content"] for row in expected)


class Model:
    """A policy in a model's place: right at every second response."""

    def __init__(self, *_, **how):
        self.how, self.count = how, 0

    def __call__(self, dialogues):
        answers = {row["prompt"][0]["content"]: row["completion"][0]["content"] for row in demos_of(100)}
        self.count += 1
        return [answers[dialogue[0]["content"]] if self.count % 2 else "I pass." for dialogue in dialogues]


def demos_of(n):
    return verienv.demonstrations(ENV_ID, n=n)


def test_a_model_s_responses_are_kept_and_counted(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("verienv.cli.models.load", Model)
    file, manifest = tmp_path / "demos.jsonl", tmp_path / "m.json"
    words = ("demos", ENV, "-n", 3, "--model", "mine", "--samples", 3, "--out", file, "--manifest", manifest)
    status, _, err = cli(*words)
    assert status == 0
    assert err == f"3 rows in {file}; of 4 responses 75.0% correct (3 correct, 1 unreadable)\n"
    assert [json.loads(line)["sample"] for line in file.read_text().splitlines()] == [0, 2, 0]
    said = read(manifest)
    assert (said["model"], said["samples"], said["temperature"]) == ("mine", 3, 1.0)
    assert said["tally"] == {"correct": 3, "unreadable": 1}


def test_a_model_that_never_earns_is_an_error_of_one_line_and_no_file(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("verienv.cli.models.load", lambda *_, **__: lambda d: ["no\n"] * len(d))
    outcome = cli("demos", ENV, "--model", "mine", "--patience", 10, "--out", tmp_path / "d.jsonl")
    assert is_one_line_error(outcome, "none of the teacher's last 10 responses is correct")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "csv"], "--format csv: expected one of trl, messages, sharegpt, verl, parquet"),
        (["--format", "verl"], "--out -: give a name that ends in .parquet"),
        (["--format", "sharegpt", "--out", "d.jsonl"], "--out d.jsonl: give a name that ends in .json"),
        (["--manifest", "m.json"], "--manifest: it holds the hash of the file"),
        (["--manifest", "d.json", "--out", "d.json"], "this is the file of --out"),
        (["--samples", "2"], "samples=2: this is about the responses of a teacher"),
        (["--model", "tiny-lm", "--steps"], "a teacher writes as it does"),
        (["-s", "solution=longest"], "solution='longest': expected one of shortest, random"),
    ],
)
def test_what_does_not_fit_is_told(cli, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_one_line_error(cli("demos", ENV, *words), told)
    assert not list(tmp_path.iterdir())
