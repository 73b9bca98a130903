"""Results files: what holds passes, whatever was changed is found, and hostile files are bounded."""

import gzip
import json

import pytest
from tests.evaluation.benchmark.small import PART, shrink

from verienv.cli import run
from verienv.evaluation.benchmark import (
    BenchmarkResults,
    check_questions,
    check_results,
    read_results,
    results_table,
)

CELL = "test side, 11-12-13"


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as monkeypatch:
        shrink(monkeypatch, hands=6)
        yield
    check_questions.cache_clear()


@pytest.fixture(scope="module")
def file(tmp_path_factory, small):
    path = tmp_path_factory.mktemp("results") / "constant.json"
    assert run(["evaluate", "GeneralPoints-L", "--benchmark", "v1", "--baseline", "constant", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def plain(file):
    return json.loads(file.read_text())


def test_a_file_that_was_played_holds_and_its_logs_are_gone(file):
    results = read_results(file)
    checked = check_results(results)
    assert checked.faults == []
    computed = checked.evaluations[PART].cells
    assert {cell: played.result for cell, played in results.parts[PART].items()} == computed
    assert [path.name for path in file.parent.iterdir()] == ["constant.json"]


def test_the_file_says_what_was_run(plain):
    assert plain["command"] == "verienv evaluate GeneralPoints-L --benchmark v1 --baseline constant"
    assert plain["policy"] == {"name": "constant", "kind": "baseline", "max_new_tokens": None, "temperature": None}
    assert plain["versions"]["verienv"]


def first(plain):
    return plain["parts"][PART][CELL]["episodes"][0]


CHANGES = {
    "a success": (lambda p: first(p).update(success=True), "success is True, where its responses come to False"),
    "a reward": (lambda p: first(p).update(reward=5.0), "reward is 5.0, where"),
    "a failure": (lambda p: first(p)["failures"].__setitem__(0, "luck"), "failures is ('luck'"),
    "a response": (lambda p: first(p)["responses"].__setitem__(4, "{}"), "failures is"),
    "an attempt too many": (lambda p: first(p)["responses"].append("{}"), "it is over after response 5"),
    "an attempt less": (lambda p: first(p)["responses"].pop(), "it is not over after response 4"),
    "an instance": (lambda p: first(p).update(instance="generalpoints:4-3-2-K:24"), "the instance is"),
    "an episode less": (lambda p: p["parts"][PART][CELL]["episodes"].pop(), "5 episodes, where 6 are due"),
    "a cell less": (lambda p: p["parts"][PART].pop(CELL), "are due"),
    "an estimate": (
        lambda p: p["parts"][PART][CELL]["result"]["metrics"].update(success=[0.9, 0.8, 1.0]),
        f"{PART}, {CELL}: the estimates are not those of its episodes",
    ),
    "a failure's count": (lambda p: p["parts"][PART][CELL]["result"].update(failures={}), "the estimates are not"),
    "the specification's hash": (lambda p: p.update(sha256="0" * 64), "its sha256 is not that of benchmark v1"),
    "the temperature": (lambda p: p["policy"].update(temperature=1.0), "temperature is 1.0, where None is due"),
    "an environment": (lambda p: p["parts"].update({"mine/Env-v0": {}}), "benchmark v1 has no 'mine/Env-v0'"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_is_found(change, plain):
    copied = json.loads(json.dumps(plain))
    spoil, told = CHANGES[change]
    spoil(copied)
    faults = check_results(BenchmarkResults.model_validate(copied)).faults
    assert any(told in fault for fault in faults), faults
    assert all("\n" not in fault and len(fault) < 400 for fault in faults)


def test_many_faults_are_told_in_a_few_lines(plain):
    copied = json.loads(json.dumps(plain))
    for cell in copied["parts"][PART].values():
        for episode in cell["episodes"]:
            episode["reward"] = 1e6
    faults = check_results(BenchmarkResults.model_validate(copied)).faults
    assert len(faults) == 21
    assert faults[-1] == "and 4 more"


HOSTILE = {
    "no JSON": b"<html>",
    "nothing": b"",
    "nested without end": b"[" * 10**6,
    "another file": b'{"a": 1}',
    "a field of its own": b'"format": "verienv-results-1", "run": "rm -rf /"',
    "markup for a name": b'"name": "<script>alert(1)</script>"',
    "a link for a name": b'"name": "http://evil.example"',
    "a line for a name": b'"name": "a | b\\n| c"',
    "a number without end": b'"reward": 1e999',
    "a number that is none": b'"reward": NaN',
    "a name twice": b'"benchmark": "v2", "benchmark": "v1"',
    "a name twice, deep inside": b'"success": true, "success": true',
    "depth": b"[" * 100_000,
    "UTF-16": "{}".encode("utf-16"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(kind, file, tmp_path):
    hostile = HOSTILE[kind]
    if hostile.startswith(b'"'):
        key = hostile.split(b":")[0] + b": "
        text = file.read_bytes()
        at = text.index(key)
        hostile = text[:at] + hostile + text[min(text.index(b",", at), text.index(b"\n", at)) :]
    (tmp_path / "results.json").write_bytes(hostile)
    with pytest.raises(ValueError, match=r"results\.json is no results file") as caught:
        read_results(tmp_path / "results.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_larger_than_is_read_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("verienv.evaluation.benchmark.results.MOST_BYTES", 2**20)
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(b" " * 2**24))
    with pytest.raises(ValueError, match="larger than 1 MB"):
        read_results(tmp_path / "bomb.json.gz")


def test_the_table_has_a_row_for_each_policy_and_a_column_for_each_cell(file):
    results = read_results(file)
    about, table = results_table([results, results]).split("\n\n")
    head, _, *rows = table.splitlines()
    assert about == "**GeneralPoints-L-v0, success**, percent (95% interval); 6 episodes a cell, attempts 5."
    assert [part.strip() for part in head.strip("|").split("|")] == ["benchmark v1", *results.parts[PART]]
    assert len(rows) == 2
    assert rows[0].startswith("| constant")
    with pytest.raises(ValueError, match="there are no results"):
        results_table([])
