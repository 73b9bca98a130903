"""Evaluations read from files: a saved one or its log come to the same; damaged and hostile ones are refused."""

import gzip
import json

import pytest
from tests.evaluation.policies import ENV, is_solved_by_hash
from tests.evaluation.test_log_damage import changed, with_verdict, without
from tests.evaluation.walks import WALK, turns_late

from verienv.evaluation import evaluate, read_evaluation
from verienv.evaluation.log_file import read_log


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """An evaluation, and the lines of its log."""
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    found = evaluate(is_solved_by_hash, ENV, ["train", "test"], episodes=6, log=log)
    return found, log.read_text().splitlines(keepends=True)


def test_a_log_and_a_saved_evaluation_come_to_the_evaluation_that_was_made(result, tmp_path):
    found, lines = result
    found.save(tmp_path / "saved.json")
    (tmp_path / "log").write_text("".join(lines))
    (tmp_path / "log.gz").write_bytes(gzip.compress("".join(lines).encode()))
    for name in ("saved.json", "log", "log.gz"):
        assert read_evaluation(tmp_path / name) == found


def test_a_log_of_several_questions_an_episode_comes_to_its_evaluation(tmp_path):
    found = evaluate(turns_late, WALK, ["train"], episodes=4, log=tmp_path / "log")
    assert read_evaluation(tmp_path / "log") == found


def test_a_log_holds_the_responses_of_each_episode(result, tmp_path):
    (tmp_path / "log").write_text("".join(result[1]))
    _, episodes = read_log(tmp_path / "log")
    assert [len(one.responses) for one in episodes] == [len(one.record.failures) for one in episodes]


def test_a_log_that_is_under_way_has_its_whole_episodes(result, tmp_path):
    found, lines = result
    at = next(number for number, line in enumerate(lines) if number > 4 and json.loads(line).get("over") is False)
    (tmp_path / "log").write_text("".join(lines[: at + 1]) + '{"cell": "tra')
    half = read_evaluation(tmp_path / "log")
    assert 0 < len(half.episodes) < len(found.episodes)
    assert all(one in found.episodes for one in half.episodes)


DAMAGED = {
    "a line was changed": (lambda w: [w[0], changed(w[1], response="x"), *w[2:]], "line 2: it was changed"),
    "an episode is told twice": (lambda w: [*w, *w[1:]], "is told a second time"),
    "a verdict is none": (
        lambda w: [w[0], without(with_verdict(w[1], reward="all"), "crc32"), *w[2:]],
        "line 2: 'verdict.reward'",
    ),
    "an attempt is lost": (
        lambda w: [line for line in w if '"attempt": 1' not in line],
        "attempt is 2, where 1 is due",
    ),
    "an episode has other metrics": (
        lambda w: [w[0], *(without(with_verdict(line, metrics={}), "crc32") for line in w[1:])][:-5] + w[-5:],
        "other metrics",
    ),
    "nested without end": (lambda w: [*w[:2], "[" * 100_000 + "\n", *w[2:]], "line 3: no JSON"),
    "a reward that is no number": (
        lambda w: [w[0], without(with_verdict(w[1], reward=float("nan")), "crc32"), *w[2:]],
        "line 2: 'verdict.reward'",
    ),
    "nothing but a setup": (lambda w: w[:1], "holds no finished episode"),
    "some other JSON": (lambda w: ['{"a": 1}\n'], "is no saved evaluation"),
    "no JSON": (lambda w: ["<html>\n"], "is no saved evaluation"),
    "nothing": (lambda w: [], "is no saved evaluation"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line(damage, result, tmp_path):
    change, told = DAMAGED[damage]
    (tmp_path / "log").write_text("".join(change(result[1])))
    with pytest.raises(ValueError, match="log") as caught:
        read_evaluation(tmp_path / "log")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_setup_that_names_paths_and_functions_is_read_without_touching_them(result, tmp_path):
    head = json.loads(result[1][0])
    own = {"data": "/nowhere/at/all", "prompt": "antigravity:fly", "deck": "/etc"}
    head["setup"]["cells"] = {cell: {**settings, **own} for cell, settings in head["setup"]["cells"].items()}
    (tmp_path / "log").write_text("".join([json.dumps(head) + "\n", *result[1][1:]]))
    assert read_evaluation(tmp_path / "log").episodes == result[0].episodes
