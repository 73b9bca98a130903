"""A log grows: more episodes, more instances and more cells are played behind those that it holds."""

import json

import pytest
from tests.evaluation.policies import ENV, Interrupted, is_solved_by_hash

from verienv.evaluation import evaluate

PAIRS = ["generalpoints:A-4-J-Q:24", "generalpoints:4-3-2-K:24", "generalpoints:2-3-4-K:24"]
TRAIN = {"train": {"split": "train"}}
GROWTHS = {
    "episodes": ({"splits": ["train", "test"], "episodes": 3}, {"splits": ["train", "test"], "episodes": 30}),
    "a cell": ({"splits": ["test"], "episodes": 5}, {"splits": ["train", "test"], "episodes": 5}),
    "a cell's own episodes": (
        {"splits": {"a": {"split": "test", "episodes": 3}}},
        {"splits": {"a": {"split": "test", "episodes": 9}}},
    ),
    "all episodes, which a cell has of its own": (
        {"splits": TRAIN, "episodes": 3},
        {"splits": {"train": {"split": "train", "episodes": 4}}, "episodes": 2},
    ),
    "instances": ({"splits": {"a": {"instances": PAIRS[:1]}}}, {"splits": {"a": {"instances": PAIRS}}}),
    "everything": (
        {"splits": {"a": {"instances": PAIRS[:2]}, **TRAIN}, "episodes": 2},
        {"splits": {"new": {"split": "test"}, "a": {"instances": PAIRS}, **TRAIN}, "episodes": 4},
    ),
}


@pytest.mark.parametrize("growth", GROWTHS)
def test_a_grown_log_gives_the_results_of_a_fresh_evaluation(growth, tmp_path):
    small, great = GROWTHS[growth]
    log, first, rest, whole = tmp_path / "log", Interrupted(), Interrupted(), Interrupted()
    evaluate(first, ENV, **small, log=log)
    grown = evaluate(rest, ENV, **great, log=log)
    assert grown.to_json() == evaluate(whole, ENV, **great).to_json()
    assert rest.asked == whole.asked - first.asked
    silent = Interrupted()
    assert evaluate(silent, ENV, **great, log=log).to_json() == grown.to_json()
    assert not silent.asked


def test_growth_is_a_further_header_and_changes_no_line_before(tmp_path):
    log = tmp_path / "log"
    results = [evaluate(is_solved_by_hash, ENV, ["test"], episodes=n, log=log) for n in (2, 2, 5, 7)]
    held = log.read_bytes()
    headers = [json.loads(line)["setup"] for line in held.splitlines() if b'"setup"' in line]
    assert [header["episodes"] for header in headers] == [2, 5, 7]
    assert headers[-1] == results[-1].setup.model_dump(mode="json")
    evaluate(is_solved_by_hash, ENV, ["test"], episodes=8, log=log)
    assert log.read_bytes().startswith(held)


@pytest.mark.parametrize("kept", range(0, 100, 17))
def test_growth_that_was_cut_off_anywhere_is_gone_on_with(tmp_path, kept):
    log = tmp_path / "log"
    evaluate(is_solved_by_hash, ENV, ["test"], episodes=3, log=log)
    small = len(log.read_bytes())
    grown = evaluate(is_solved_by_hash, ENV, ["test"], episodes=6, log=log)
    data = log.read_bytes()
    log.write_bytes(data[: small + (len(data) - small) * kept // 100])
    assert evaluate(is_solved_by_hash, ENV, ["test"], episodes=6, log=log).to_json() == grown.to_json()
    assert len(log.read_bytes().splitlines()) == len(data.splitlines())


@pytest.mark.parametrize(
    ("held", "wanted", "told"),
    [
        ({"episodes": 3}, {"episodes": 2}, "3 episodes in cells['train'] instead of 2"),
        ({"splits": ["train", "test"]}, {"splits": ["train"]}, "cells with 'test', which is not asked for"),
        ({"splits": {"a": {"instances": PAIRS}}}, {"splits": {"a": {"instances": PAIRS[:2]}}}, "3 episodes in"),
        ({"splits": {"a": {"instances": PAIRS[:2]}}}, {"splits": {"a": {"instances": PAIRS[1:]}}}, "other instances"),
        ({"splits": {"a": {"instances": PAIRS[:1]}}}, {"splits": {"a": {}}}, "other instances"),
        ({"rule": "ten"}, {"rule": "rank", "episodes": 9}, "rule 'ten' instead of 'rank'"),
        ({}, {"attempts": 2, "episodes": 9}, "attempts the default instead of 2"),
        ({"seed": 1}, {"seed": 2, "episodes": 9}, "seed 1 instead of 2"),
        ({"name": "a" * 100_000}, {"name": "b"}, "instead of 'b'"),
        ({"splits": {f"c{n}": {} for n in range(50)}}, {"splits": ["test"]}, "and 47 more differences"),
    ],
)
def test_what_is_no_growth_is_refused_in_one_line_and_kept(held, wanted, told, tmp_path):
    log = tmp_path / "log"
    common = {"splits": ["train"], "episodes": 2, "log": log}
    evaluate("expert", ENV, **common | held)
    data = log.read_bytes()
    with pytest.raises(ValueError, match=r"logs another evaluation") as caught:
        evaluate("expert", ENV, **common | wanted)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert log.read_bytes() == data


def test_a_further_header_of_another_setup_is_damage(tmp_path):
    log = tmp_path / "log"
    evaluate("expert", ENV, ["test"], episodes=2, log=log)
    header = log.read_text().splitlines()[0]
    evaluate("expert", ENV, ["test"], episodes=3, log=log)
    log.write_text(log.read_text() + header.replace('"seed": 0', '"seed": 1') + "\n")
    with pytest.raises(ValueError, match="line 6: another setup"):
        evaluate("expert", ENV, ["test"], episodes=3, log=log)
