import json
import re

import pytest
from tests.cli.shared import is_one_line_error
from tests.preferences.made import label, pair, verdicts, written


@pytest.fixture
def files(tmp_path):
    """Files of four pairs, of which two annotators agree on three; the truth is a."""
    choices = {"ann": "aaab", "bo": "aaaa"}
    labels = [label(f"q{n}/0-1", one, who, seconds=30) for who, said in choices.items() for n, one in enumerate(said)]
    return {
        "labels": written(tmp_path / "labels.jsonl", *labels),
        "pairs": written(tmp_path / "pairs.jsonl", *(pair(n) for n in range(4))),
        "verdicts": written(tmp_path / "verdicts.jsonl", *(verdicts(n) for n in range(4))),
    }


def test_agreement_tells_how_far_annotators_agree(cli, files):
    status, out, err = cli("agreement", files["labels"])
    assert (status, err) == (0, "")
    assert re.search(r"ann +human +4 +0 +0 +2\.0", out)
    assert "4 pairs, 4 of them with several labels: two labels agree in 75.0" in out
    assert "alpha 0.000" in out
    assert "majority" not in out


def test_agreement_measures_labels_against_the_verdicts(cli, files):
    _, out, _ = cli("agreement", files["labels"], "--pairs", files["pairs"], "--verdicts", files["verdicts"])
    assert re.search(r"^ majority +100", out, re.MULTILINE)
    assert re.search(r"^ valid JSON +100", out, re.MULTILINE)
    assert re.search(r"^ bo .* 100$", out, re.MULTILINE)


def test_agreement_writes_rows_to_train_on(cli, files, tmp_path):
    status, _, err = cli("agreement", files["labels"], "--pairs", files["pairs"], "--rows", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert (status, err) == (0, f"3 rows in {tmp_path / 'rows.jsonl'}\n")
    assert {"prompt", "chosen", "rejected", "p", "labels"} <= rows[0].keys()


def test_rows_keep_ties_when_asked(cli, files, tmp_path):
    asked = ("--pairs", files["pairs"], "--rows", tmp_path / "rows.jsonl", "--soft-ties")
    assert cli("agreement", files["labels"], *asked)[0] == 0
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rows", "rows.jsonl"], "give the file of --pairs too"),
        (["--pairs", "pairs", "--soft-ties"], "give --rows FILE.jsonl too"),
        (["--pairs", "nowhere"], "nowhere: cannot be read"),
        (["--verdicts", "labels"], "line 1: is a label, where a line of verdicts is due; give the file of those"),
        (["--pairs", "pairs", "--rows", "pairs"], "this is the file of --pairs"),
    ],
)
def test_a_slip_is_told_in_one_line(options, told, cli, files):
    given = [str(files.get(option, option)) for option in options]
    assert is_one_line_error(cli("agreement", files["labels"], *given), told)


def test_verdicts_of_other_pairs_are_refused_and_some_that_lack_are_told(cli, files, tmp_path):
    other = written(tmp_path / "other.jsonl", verdicts(8), verdicts(9))
    told = "are of other pairs; give the file of these labels' pairs"
    assert is_one_line_error(cli("agreement", files["labels"], "--verdicts", other), told)
    some = written(tmp_path / "some.jsonl", verdicts(0))
    status, _, err = cli("agreement", files["labels"], "--verdicts", some)
    assert (status, err) == (0, "--verdicts: 3 of 4 labelled pairs have none, and count in no accuracy\n")


def test_files_without_a_label_are_refused(cli, tmp_path):
    path = written(tmp_path / "labels.jsonl", label(), label(choice="undo"))
    assert is_one_line_error(cli("agreement", path), "hold no label that counts")
