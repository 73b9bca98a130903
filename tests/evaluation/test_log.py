import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evaluation.policies import ENV, Interrupted, nonsense, run, solves_at_second_attempt
from tests.evaluation.walks import MEASURES, WALK, straight_on, turns_late, walked

from verienv.evaluation import Evaluation, evaluate
from verienv.generalpoints import Puzzle, verify


def test_the_log_holds_every_response_with_its_whole_verdict(tmp_path):
    log = tmp_path / "runs" / "log.jsonl"
    result = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=4, log=log, name="second")
    header, *lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert header["setup"] == result.setup.model_dump(mode="json")
    assert header["setup"]["policy"] == "second"
    assert [line["attempt"] for line in lines] == [1, 2] * 4
    for line in lines:
        ranks = tuple(line["instance"].split(":")[1].split("-"))
        assert line["verdict"] == verify(line["response"], Puzzle(ranks)).model_dump(mode="json")


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    log, whole = tmp_path / "log", Interrupted()
    expected = run(whole)
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(at=8), log)
    finished = {(line["cell"], line["episode"]) for line in map(json.loads, log.read_text().splitlines()[1:])}
    rest = Interrupted()
    assert run(rest, log) == expected
    assert finished
    played = sum(len(e.failures) for e in expected.episodes if (e.cell, e.episode) not in finished)
    assert rest.asked == played < whole.asked


def test_a_resumed_log_tells_each_attempt_once(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(at=8), log)
    run(Interrupted(), log)
    lines = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    told = [(line["cell"], line["episode"], line["attempt"]) for line in lines]
    assert len(set(told)) == len(told) == sum(len(e.failures) for e in run(Interrupted()).episodes)


def test_a_finished_log_is_read_back_without_asking_the_policy(tmp_path):
    expected, silent = run(Interrupted(), tmp_path / "log"), Interrupted()
    assert run(silent, tmp_path / "log") == expected
    assert silent.batches == 0


@pytest.mark.parametrize("kept", range(0, 100, 9))
def test_a_log_cut_off_anywhere_is_gone_on_with(tmp_path, kept):
    log = tmp_path / "log"
    expected = run(Interrupted(), log)
    data = log.read_bytes()
    log.write_bytes(data[: len(data) * kept // 100])
    assert run(Interrupted(), log) == expected
    assert len(log.read_bytes().splitlines()) == len(data.splitlines())


ROOT = Path(__file__).parents[2]


def in_a_process(program, log):
    """Run ``program``, to which ``t`` is the module of policies and ``sys.argv[2]`` the log."""
    head = "import os, resource, sys; sys.path.insert(0, sys.argv[1]); from tests.evaluation import policies as t\n"
    command = [sys.executable, "-c", head + program, str(ROOT), str(log)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_killed_process_leaves_a_log_to_go_on_with(tmp_path):
    program = (
        "policy = t.Interrupted()\n"
        "def killed(dialogues):\n"
        "    if policy.batches == 7: os.kill(os.getpid(), 9)\n"
        "    return policy(dialogues)\n"
        "t.run(killed, sys.argv[2])\n"
    )
    assert in_a_process(program, tmp_path / "log").returncode == -9
    rest, expected = Interrupted(), run(whole := Interrupted())
    assert run(rest, tmp_path / "log") == expected
    assert rest.asked < whole.asked


def test_a_full_disk_is_an_error_that_says_what_to_do_and_keeps_what_was_logged(tmp_path):
    program = "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); t.run(t.Interrupted(), sys.argv[2])"
    failed = in_a_process(program, tmp_path / "log")
    assert "make room and run again" in failed.stderr.splitlines()[-1]
    rest, expected = Interrupted(), run(whole := Interrupted())
    assert run(rest, tmp_path / "log") == expected
    assert rest.asked < whole.asked


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "seed 0 instead of 1"),
        ({"episodes": 1}, "2 episodes in .* instead of 1"),
        ({"splits": ["test"]}, "cells"),
        ({"attempts": 2}, "cells"),
        ({"name": "other"}, "policy '' instead of 'other'"),
    ],
)
def test_a_log_of_another_setup_is_refused_and_kept(tmp_path, change, told):
    log = tmp_path / "log"
    arguments = {"splits": ["train"], "episodes": 2, "log": log}
    evaluate(nonsense, ENV, **arguments)
    data = log.read_bytes()
    with pytest.raises(ValueError, match=told):
        evaluate(nonsense, ENV, **arguments | change)
    assert log.read_bytes() == data


def test_a_log_of_another_version_is_refused(tmp_path, monkeypatch):
    evaluate(nonsense, ENV, ["train"], episodes=2, log=tmp_path / "log")
    monkeypatch.setattr("verienv.evaluation.records.__version__", "99")
    with pytest.raises(ValueError, match="instead of 99"):
        evaluate(nonsense, ENV, ["train"], episodes=2, log=tmp_path / "log")


@pytest.mark.parametrize("content", ["my notes", "my notes\n", '{"a": 1}\n', "[]\n", '{"setup": {}}\n'])
def test_a_file_that_is_no_log_is_refused_and_kept(tmp_path, content):
    (tmp_path / "notes").write_text(content)
    with pytest.raises(ValueError, match="is no evaluation's log"):
        evaluate(nonsense, ENV, episodes=2, log=tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == content


def test_damage_within_a_log_is_named_by_line(tmp_path):
    log = tmp_path / "log"
    evaluate(nonsense, ENV, ["train"], episodes=2, log=log)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:3], "damage\n", *lines[4:]]))
    with pytest.raises(ValueError, match="line 4"):
        evaluate(nonsense, ENV, ["train"], episodes=2, log=log)


def test_the_log_of_an_episode_tells_its_outcomes_once_at_its_end(tmp_path):
    result = walked(straight_on, "ff", "ffr", log=tmp_path / "log")
    header, *lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert header["setup"]["ratios"] == {name: list(measures) for name, measures in MEASURES.ratios.items()}
    told = {(line["episode"], line["attempt"]): line.get("outcomes") for line in lines}
    assert {key: outcomes for key, outcomes in told.items() if outcomes} == {
        (0, 2): {"progress": 1.0},
        (1, 4): {"progress": 2 / 3},
    }
    assert len(told) == 6
    assert [episode.counts["steps"] for episode in result.episodes] == [(2, 2), (2, 4)]


def test_a_log_of_several_questions_is_read_back_and_gone_on_with(tmp_path):
    log = tmp_path / "log"
    expected = evaluate(turns_late, WALK, {"drawn": {}}, episodes=12, log=log)
    assert evaluate(Interrupted(at=1), WALK, {"drawn": {}}, episodes=12, log=log) == expected
    log.write_bytes(log.read_bytes()[:-900])
    assert evaluate(turns_late, WALK, {"drawn": {}}, episodes=12, log=log) == expected


def test_logs_and_evaluations_saved_before_there_were_ratios_are_read(tmp_path):
    log = tmp_path / "log"
    result = evaluate(nonsense, ENV, ["train"], episodes=12, log=log)
    header, *lines = log.read_text().splitlines()
    old = json.loads(header)
    del old["setup"]["ratios"]
    log.write_text("\n".join([json.dumps(old), *lines, ""]))
    silent = Interrupted()
    assert evaluate(silent, ENV, ["train"], episodes=12, log=log) == result
    assert silent.batches == 0
    saved = json.loads(result.to_json())
    del saved["setup"]["ratios"]
    for episode in saved["episodes"]:
        del episode["counts"], episode["outcomes"]
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    assert Evaluation.load(tmp_path / "saved.json") == result
