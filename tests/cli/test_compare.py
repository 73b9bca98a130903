import csv

import pytest
from tests.cli.shared import ENV, VISION, is_one_line_error


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder with an evaluation, the log of another on the same hands, and one by vision."""
    from verienv.evaluation import evaluate

    folder = tmp_path_factory.mktemp("played")
    evaluate("constant", f"verienv/{ENV}-v0", ["train"], 8).save(folder / "before.json")
    evaluate("expert", f"verienv/{ENV}-v0", ["train"], 8, log=folder / "after.log.jsonl")
    evaluate("expert", f"verienv/{VISION}-v0", ["train"], 3).save(folder / "vision.json")
    (folder / "other.json").write_text('{"a": 1}')
    (folder / "results.json").write_text('{"format": "verienv-results-1"}')
    return folder


def test_evaluations_and_logs_are_compared_in_their_order(cli, played):
    status, out, err = cli("compare", played / "before.json", played / "after.log.jsonl")
    assert (status, err) == (0, "")
    assert "after - before" in out
    assert "+87.5" in out
    assert out.startswith("Success in verienv/GeneralPoints-L-v0")


def test_columns_have_the_names_that_are_given(cli, played):
    _, out, _ = cli("compare", f"Base={played / 'before.json'}", f"Tuned={played / 'after.log.jsonl'}")
    assert "Tuned - Base" in out


def test_out_goes_by_the_ending_and_may_be_repeated(cli, played, tmp_path):
    files = [played / "before.json", played / "after.log.jsonl", played / "vision.json"]
    outs = [tmp_path / name for name in ("t.tex", "t.csv", "t.md.gz", "f.png", "f.pdf")]
    status, _, _ = cli("compare", *files, *(word for path in outs for word in ("--out", path)))
    assert status == 0
    heads = [path.read_bytes()[:4] for path in outs]
    assert heads == [b"% Ne", b"envi", b"\x1f\x8b\x08\x00", b"\x89PNG", b"%PDF"]
    with outs[1].open(newline="") as file:
        assert {line["minus"] for line in csv.DictReader(file)} == {"", "before"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["before.json", "--out", "t.xlsx"],
            "--out t.xlsx: give a name that ends in .md, .csv, .tex, .png, .pdf or .svg",
        ),
        (["before.json", "--out", "before.json"], "give a name that ends in"),
        (["before.json", "before.json"], "before.json is the name of two columns; give each its own: NAME=FILE"),
        (["a=before.json", "a=after.log.jsonl"], "a is the name of two columns"),
        (["nowhere.json"], "nowhere.json: No such file"),
        (["."], ".: is a folder; give the name of a file"),
        (
            ["other.json"],
            "other.json is no saved evaluation (setup: Field required); give what evaluate wrote by --out",
        ),
        (["results.json"], "(it is a benchmark's results file: verienv check-results)"),
        (["before.json", "--metric", "luck"], "metric 'luck': expected one of success"),
        (["before.json", "--out", "a.png", "--out", "./a.png"], "this is the file of --out"),
    ],
)
def test_wrong_use_is_one_line(cli, played, monkeypatch, arguments, told):
    monkeypatch.chdir(played)
    held = sorted(path.name for path in played.iterdir())
    assert is_one_line_error(cli("compare", *arguments), told)
    assert sorted(path.name for path in played.iterdir()) == held


def test_policies_on_other_problems_are_refused(cli, played, tmp_path):
    cli(
        "evaluate",
        ENV,
        "--baseline",
        "expert",
        "--splits",
        "train",
        "--episodes",
        8,
        "--seed",
        1,
        "--out",
        tmp_path / "o.json",
    )
    outcome = cli("compare", played / "before.json", tmp_path / "o.json")
    assert is_one_line_error(outcome, "o and before: cells 'train' and 'train' do not hold the same instances")
