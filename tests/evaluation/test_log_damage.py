"""A log that was damaged is refused in one line that names the place, and stays as it is; what is no damage is read."""

import json
import re
from zlib import crc32

import pytest
from tests.evaluation.policies import ENV, NONSENSE, Interrupted, is_solved_by_hash, nonsense
from tests.evaluation.walks import WALK, turns_late

from verienv.evaluation import evaluate

EPISODES = 6


def run(policy, log=None):
    return evaluate(policy, ENV, ["train"], episodes=EPISODES, log=log)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The lines of a log in which each of six episodes has five attempts: two lines of headers are not among them."""
    log = tmp_path_factory.mktemp("whole") / "log"
    run(nonsense, log)
    return log.read_text().splitlines(keepends=True)


def changed(line, **fields):
    return json.dumps(json.loads(line) | fields) + "\n"


def with_verdict(line, **fields):
    read = json.loads(line)
    return changed(line, verdict=read["verdict"] | fields)


def without(line, name):
    read = json.loads(line)
    del read[name]
    return json.dumps(read) + "\n"


def is_refused(log, told):
    """Whether the log is refused by a line such as ``told``, without being touched or played."""
    held, silent = log.read_bytes(), Interrupted()
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        run(silent, log)
    message = str(caught.value)
    assert message.startswith(str(log))
    assert len(message.splitlines()) == 1
    assert len(message.removeprefix(str(log))) < 400
    return log.read_bytes() == held and not silent.asked


NESTED = "[" * 100_000
LOST = {
    "an attempt in the middle is lost": (lambda w: w[:3] + w[4:], "line 4: attempt is 4, where 3 is due"),
    "the first attempt is lost": (lambda w: w[:1] + w[2:], "line 2: attempt is 2, where 1 is due"),
    "the line that ends an episode is lost": (lambda w: w[:5] + w[6:], "line 6: episode is 1, where 0 is due"),
    "a line is doubled": (lambda w: w[:4] + w[3:], "line 5: attempt is 3, where 4 is due"),
    "an episode is doubled": (lambda w: w[:6] + w[1:], "line 7: episode 0 of 'train' is told a second time"),
    "the last line is doubled": (lambda w: w + w[-1:], "line 32: episode 5 of 'train' is told a second time"),
    "episodes are interleaved": (lambda w: w[:1] + [w[1 + k % 6 * 5 + k // 6] for k in range(30)], "line 3: episode"),
    "lines are swapped": (lambda w: [*w[:2], w[3], w[2], *w[4:]], "line 3: attempt is 3, where 2 is due"),
    "two lines are one": (lambda w: [*w[:2], w[2].rstrip("\n"), *w[3:]], "line 3: no JSON"),
    "a line is half": (lambda w: [*w[:2], w[2][:90] + "\n", *w[3:]], "line 3: no JSON"),
    "a hole is in the file": (lambda w: [*w[:2], w[2][:90] + w[9][40:], *w[10:]], "line 3"),
    "it is a line of something else": (lambda w: [*w[:2], '{"a": 1}\n', *w[3:]], "line 3: expected a JSON object"),
    "a line is a list": (lambda w: [*w[:2], "[1]\n", *w[3:]], "line 3: expected a JSON object"),
    "a line is nested": (lambda w: [*w[:2], NESTED + "\n", *w[3:]], "line 3: no JSON"),
    "a line is nested and closed": (
        lambda w: [*w[:2], NESTED + "]" * 100_000 + "\n", *w[3:]],
        "line 3: no JSON",
    ),
    "there are NUL bytes": (lambda w: [*w[:2], "\0" * 80 + "\n", *w[3:]], "line 3: no JSON"),
    "the last line is no JSON": (lambda w: [*w[:-1], "damage\n"], "line 31: no JSON"),
    "a header is among the attempts": (lambda w: [*w[:3], w[0], *w[3:]], "line 4: a setup, where attempt 3 is due"),
    "the header is lost": (lambda w: w[1:], "is no evaluation's log (line 1"),
    "the header comes second": (lambda w: [w[1], w[0], *w[2:]], "is no evaluation's log (line 1"),
    "the header is nested": (lambda w: [NESTED + "\n", *w[1:]], "is no evaluation's log (line 1: no JSON)"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_log_is_refused_where(case, tmp_path, whole):
    damage, told = LOST[case]
    (tmp_path / "log").write_text("".join(damage(whole)))
    assert is_refused(tmp_path / "log", told)


CHANGES = {
    "attempt": {"attempt": 2},
    "cell": {"cell": "tran"},
    "a cell of another type": {"cell": ["train"]},
    "episode": {"episode": 3},
    "an episode out of range": {"episode": EPISODES},
    "an episode of another type": {"episode": True},
    "an endless episode": {"episode": 10**30},
    "instance": {"instance": "generalpoints:4-3-2-K:24"},
    "cluster": {"cluster": "x" * 100_000},
    "response": {"response": '{"formula": "1+1"}'},
    "a response of another type": {"response": None},
    "a response of half characters": {"response": "\ud800"},
    "success": {"success": True},
    "over": {"over": True},
    "over, of another type": {"over": "false"},
    "outcomes": {"outcomes": {"progress": 1.0}},
    "a field more": {"reward": 5.0},
    "verdict": {"verdict": {}},
    "a verdict of another type": {"verdict": [1]},
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_line_is_named(case, tmp_path, whole):
    (tmp_path / "log").write_text("".join([whole[0], changed(whole[1], **CHANGES[case]), *whole[2:]]))
    assert is_refused(tmp_path / "log", "line 2")


VERDICTS = {
    "reward": {"reward": 5.0},
    "an infinite reward": {"reward": float("inf")},
    "a reward that is no number": {"reward": float("nan")},
    "is_correct": {"is_correct": True},
    "failure": {"failure": "no_such_failure"},
    "feedback": {"feedback": "Correct."},
    "answer": {"answer": {"formula": "1"}},
    "metrics": {"metrics": {"formula_valid": True}},
    "a field more": {"price": 1},
}


@pytest.mark.parametrize("case", VERDICTS)
def test_a_verdict_that_the_response_does_not_get_is_named(case, tmp_path, whole):
    (tmp_path / "log").write_text("".join([whole[0], with_verdict(whole[1], **VERDICTS[case]), *whole[2:]]))
    assert is_refused(tmp_path / "log", "line 2: in its verdict")


def test_a_number_too_great_for_a_float_is_no_reward(tmp_path, whole):
    (tmp_path / "log").write_text(
        "".join([*whole[:2], whole[2].replace('"reward": -3.0', '"reward": 1e999'), *whole[3:]])
    )
    assert is_refused(tmp_path / "log", "line 3: in its verdict reward is inf, where -3.0 is due")


def test_another_response_that_fails_alike_is_named(tmp_path, whole):
    (tmp_path / "log").write_text("".join([whole[0], changed(whole[1], response=NONSENSE.lower()), *whole[2:]]))
    assert is_refused(tmp_path / "log", "line 2: crc32 is ")


def test_lines_of_old_which_have_no_checksum_are_read(tmp_path, whole):
    (tmp_path / "log").write_text("".join([whole[0], *(without(line, "crc32") for line in whole[1:])]))
    silent = Interrupted()
    assert run(silent, tmp_path / "log").to_json() == run(nonsense).to_json()
    assert not silent.asked
    run(nonsense, tmp_path / "log")


def test_the_checksum_is_that_of_the_other_fields(whole):
    assert json.loads(whole[1])["crc32"] == crc32(without(whole[1], "crc32").strip().encode())


@pytest.mark.parametrize("name", ["cell", "episode", "attempt", "instance", "response", "verdict", "success", "over"])
def test_a_missing_field_is_named(name, tmp_path, whole):
    (tmp_path / "log").write_text("".join([whole[0], without(whole[1], name), *whole[2:]]))
    assert is_refused(tmp_path / "log", "line 2")


def test_bytes_that_are_no_utf_8_are_named(tmp_path, whole):
    text = "".join(whole).encode()
    (tmp_path / "log").write_bytes(text.replace(NONSENSE.encode(), b"\xff" + NONSENSE.encode()[1:], 1))
    assert is_refused(tmp_path / "log", "line 2: no JSON")


HEADERS = {
    "cells that list no instances": {"cells": {"train": {"split": "train", "instances": 5}}},
    "instances of no text": {"cells": {"train": {"instances": [5]}}},
    "cells of no settings": {"cells": {"train": 5}},
    "no cells": {"cells": None},
    "a negative number of episodes": {"episodes": -1},
    "half an episode": {"episodes": 2.5},
    "a number as text": {"episodes": "6"},
    "endless episodes": {"episodes": 10**30},
    "a cell's episodes": {"cells": {"train": {"episodes": 10**30}}},
    "a seed below 0": {"seed": -1},
    "something more": {"a" * 100_000: 1},
    "a long list": {"headings": ["x"] * 1000},
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_of_no_setup_is_named(case, tmp_path, whole):
    header = json.loads(whole[0])
    header["setup"] |= HEADERS[case]
    (tmp_path / "log").write_text("".join([json.dumps(header) + "\n", *whole[1:]]))
    assert is_refused(tmp_path / "log", "is no evaluation's log (line 1: no header of an evaluation's log (setup.")


@pytest.mark.parametrize("kept", [1, 20, 200])
def test_a_file_that_only_begins_like_a_log_is_kept(tmp_path, kept, whole):
    (tmp_path / "log").write_text(whole[0][:kept] + "!" + "notes" * 100)
    assert is_refused(tmp_path / "log", "is no evaluation's log")


@pytest.mark.parametrize("kept", [0, 1, 20, 200, -1])
def test_a_header_that_was_cut_off_is_written_anew(tmp_path, kept, whole):
    (tmp_path / "log").write_text(whole[0][:kept])
    assert run(nonsense, tmp_path / "log").to_json() == run(nonsense).to_json()
    assert (tmp_path / "log").read_text() == "".join(whole)


def test_what_editors_add_is_no_damage(tmp_path, whole):
    (tmp_path / "log").write_bytes(
        b"\xef\xbb\xbf" + "\r\n".join([*(line.rstrip("\n") for line in whole), "", ""]).encode()
    )
    silent = Interrupted()
    assert run(silent, tmp_path / "log").to_json() == run(nonsense).to_json()
    assert not silent.asked


def test_an_episode_that_is_missing_is_played_anew(tmp_path, whole):
    (tmp_path / "log").write_text("".join(whole[:6] + whole[11:]))
    counted = Interrupted()
    run(counted, tmp_path / "log")
    assert counted.asked <= 5
    assert len((tmp_path / "log").read_text().splitlines()) == 26 + counted.asked


def test_nothing_is_told_behind_the_end_of_an_episode(tmp_path):
    log = tmp_path / "log"
    run(is_solved_by_hash, log)
    lines = log.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if json.loads(line).get("success"))
    log.write_text("".join([*lines[: at + 1], changed(lines[at], attempt=2), *lines[at + 1 :]]))
    assert is_refused(
        log, f"line {at + 2}: episode {json.loads(lines[at])['episode']} of 'train' is told a second time"
    )


def test_a_lost_step_of_a_route_is_named(tmp_path):
    log = tmp_path / "log"
    evaluate(turns_late, WALK, {"drawn": {}}, episodes=3, log=log)
    lines = log.read_text().splitlines(keepends=True)
    assert [json.loads(line)["attempt"] for line in lines[1:4]] == [1, 2, 3]
    log.write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(ValueError, match="line 3: attempt is 3, where 2 is due"):
        evaluate(turns_late, WALK, {"drawn": {}}, episodes=3, log=log)


def test_a_line_longer_than_any_of_a_log_is_not_read(tmp_path, whole, monkeypatch):
    monkeypatch.setattr("verienv.evaluation.log.MOST_LINE", 3 << 20)
    (tmp_path / "log").write_text("".join([*whole[:2], "x" * (4 << 20)]))
    assert is_refused(tmp_path / "log", "line 3: longer than 3 MB")
