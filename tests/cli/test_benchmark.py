import json

import pytest
from tests.cli.shared import is_one_line_error
from tests.evaluation.benchmark.small import shrink

from verienv.evaluation.benchmark import check_questions

PLAY = ("evaluate", "GeneralPoints-L", "--benchmark", "v1")


@pytest.fixture
def small(monkeypatch):
    shrink(monkeypatch, hands=3)
    yield
    check_questions.cache_clear()


def test_a_benchmark_is_played_checked_and_put_in_a_table(cli, small, tmp_path):
    status, out, _ = cli("evaluate", "--benchmark", "v1", "--baseline", "expert", "--out", tmp_path / "r.json.gz")
    assert status == 0
    assert "test side, 11-12-13" in out
    status, out, err = cli("check-results", tmp_path / "r.json.gz", "--table")
    assert (status, err) == (0, "")
    assert "12 episodes of verienv/GeneralPoints-L-v0: all as it says" in out
    assert "| expert       |" in out


def test_a_file_that_does_not_hold_is_named_with_status_1(cli, small, tmp_path):
    cli(*PLAY, "--baseline", "expert", "--out", tmp_path / "r.json")
    changed = json.loads((tmp_path / "r.json").read_text())
    changed["sha256"] = "f" * 64
    (tmp_path / "r.json").write_text(json.dumps(changed))
    status, out, err = cli("check-results", tmp_path / "r.json", "--table")
    assert (status, out) == (1, "")
    assert err == f"{tmp_path / 'r.json'}: its sha256 is not that of benchmark v1\n"


def test_an_interrupted_benchmark_goes_on(cli, small, tmp_path, monkeypatch):
    asked = []

    def interrupted(dialogues):
        asked.append(len(dialogues))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return ["no answer"] * len(dialogues)

    monkeypatch.setattr("verienv.cli.models.load", lambda model, **_: interrupted)
    command = [*PLAY, "--model", "mine", "--batch-size", "12", "--out", tmp_path / "r.json"]
    assert cli(*command)[0] == 130
    assert [path.name for path in tmp_path.iterdir()] == ["r.json.GeneralPoints-L-v0.log.jsonl"]
    status, _, err = cli(*command)
    assert status == 0
    assert "going on with" in err
    policy = json.loads((tmp_path / "r.json").read_text())["policy"]
    assert policy == {"name": "mine", "kind": "model", "max_new_tokens": 256, "temperature": 0.0}
    assert cli("check-results", tmp_path / "r.json")[0] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--splits", "train"], "--splits: benchmark v1 says what is asked and how; leave it out"),
        (["-s", "attempts=1"], "-s: benchmark v1 says"),
        (["--temperature", "0.7"], "--temperature: benchmark v1 says"),
        (["--episodes", "5"], "--episodes: benchmark v1 says"),
        ([], "--benchmark writes a results file: give --out FILE.json, or FILE.json.gz"),
        (["--out", "r.csv"], "--out r.csv: give a name that ends in .json"),
    ],
)
def test_what_a_benchmark_fixes_is_not_to_be_given(cli, options, told):
    assert is_one_line_error(cli(*PLAY, "--baseline", "expert", *options), told)


def test_without_a_benchmark_an_environment_is_needed_and_an_unknown_one_is_named(cli):
    assert is_one_line_error(cli("evaluate", "--baseline", "expert"), "give ENV_ID, as `verienv envs` lists them")
    outcome = cli("evaluate", "--benchmark", "v7", "--baseline", "expert", "--out", "r.json")
    assert is_one_line_error(outcome, "benchmark 'v7': expected one of v1")


def test_a_name_with_markup_is_refused_before_anything_is_played(cli, small, tmp_path):
    outcome = cli(*PLAY, "--model", "<b>mine</b>", "--out", tmp_path / "r.json")
    assert is_one_line_error(outcome, "policy name")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, ": is a folder; give the name of a file"),
        ('{"a": 1}', "is no results file (benchmark: Field required); give what evaluate --benchmark wrote by --out"),
        ("[1, 2", "is no results file (Invalid JSON: EOF"),
        ('{\n "setup": {"env_id": "x"}}', "(it is an evaluation's: verienv compare, or verienv view)"),
        ('{"format": "\\u001b[2J", "<b>": 1}', "is no results file (format: "),
    ],
)
def test_what_is_no_results_file_is_told_in_one_line(text, told, cli, tmp_path):
    path = tmp_path / "r.json"
    path.mkdir() if text is None else path.write_text(text)
    assert is_one_line_error(cli("check-results", path), told)
