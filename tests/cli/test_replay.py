import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.replay.episodes import CARDS, ROUTES, WORDS, Page

from verienv.cli.replay import check_replay, deal, save_replay
from verienv.core.make import make_env
from verienv.evaluation import evaluate
from verienv.replay import record
from verienv.virl import procedural_city, save_city, write_answer


def written(tmp_path, env, **arguments):
    """Return the episode, and the page that the command writes beside the sheet."""
    dealt = deal(env, 0, **arguments)
    save_replay(dealt, tmp_path / "out" / "replay.html", tmp_path / "out" / "sheet.png")
    with Image.open(tmp_path / "out" / "sheet.png") as image:
        image.load()
    return dealt, Page((tmp_path / "out" / "replay.html").read_text(encoding="utf-8"))


def test_the_command_deals_the_instance_that_is_asked_for(tmp_path):
    _, page = written(tmp_path, make_env(WORDS), instance="generalpoints:4-3-2-K:24")
    assert "generalpoints:4-3-2-K:24" in page.words("li")


@pytest.mark.parametrize(("page", "sheet"), [(Path("replay.pdf"), None), (None, Path("sheet.jpg"))])
def test_a_name_that_says_another_kind_of_file_is_refused(page, sheet):
    with pytest.raises(ValueError, match="give a name that ends in"):
        check_replay(page, sheet)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The log of a policy that is wrong at first."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"

    def policy(dialogues):
        return ["my <b>guess</b>" if len(dialogue) == 1 else '{"formula": "1"}' for dialogue in dialogues]

    evaluate(policy, CARDS, ("train", "rule_ood"), 3, seed=5, log=path, name="guesser", attempts=2)
    return path


def lines_of(log):
    return [json.loads(line) for line in log.read_text().splitlines()[1:]]


def test_a_log_is_replayed_as_it_was_evaluated(tmp_path, log):
    first = lines_of(log)[0]
    dealt, page = written(tmp_path, make_env(CARDS), responses=log)
    assert dealt.origin == "episode 0 of train in log.jsonl"
    assert dealt.episode.question.instance == first["instance"]
    assert dealt.episode.question.attempts == 2  # the log's settings, not those of the environment that was given
    assert "my <b>guess</b>" in page.words("pre")
    assert "guesser" in page.words("b")
    assert "not solved" in page.words("li")


def test_a_log_is_replayed_with_the_verdicts_and_pictures_of_then(log):
    from verienv.evaluation.cells import Cell

    lines = lines_of(log)
    for instance in {line["instance"] for line in lines}:
        told = [line for line in lines if line["instance"] == instance]
        told = [line for line in told if line["cell"] == told[0]["cell"]]
        dealt = deal(make_env(CARDS), 0, instance, log)
        cell = Cell(CARDS, {"split": told[0]["cell"], "attempts": 2}, 3, 5)
        assert np.array_equal(dealt.episode.pictures[0], cell.deal(told[0]["episode"]).pictures[0])
        replay = record(dealt.episode, dealt.respond)
        assert [frame.verdict.model_dump(mode="json") for frame in replay.frames] == [line["verdict"] for line in told]


def responses_in(tmp_path, *lines):
    path = tmp_path / "responses.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_responses_without_a_setup_are_those_of_the_instance_they_name(tmp_path, capsys):
    one = {"response": "one", "instance": "generalpoints:4-3-2-K:24"}
    other = {"response": "other", "instance": "generalpoints:2-3-4-K:24"}
    file = responses_in(tmp_path, one, one, other)
    dealt, page = written(tmp_path, make_env(WORDS), responses=file)
    assert [text for text in page.words("pre") if text in ("one", "other")] == ["one", "one"]
    assert "unfinished" in page.words("li")
    assert dealt.episode.question.instance == one["instance"]
    _, page = written(tmp_path, make_env(WORDS), responses=file, instance=other["instance"])
    assert "other" in page.words("pre")
    assert capsys.readouterr().err == ""


def test_responses_that_name_no_instance_answer_the_one_that_the_seed_deals(tmp_path, capsys):
    env = make_env(ROUTES)
    env.reset(seed=0)
    answers = [{"response": write_answer(waypoint)} for waypoint in env.route.waypoints]
    _, page = written(tmp_path, env, responses=responses_in(tmp_path, *answers, "", {"response": "too much"}))
    assert "solved" in page.words("li")
    assert "1 more responses were not needed" in capsys.readouterr().err


GOOD = {"response": "x"}


HEADER = '{"setup": {"env_id": "verienv/GeneralPoints-L-v0", "cells": {"a": {}}, "episodes": 1, "seed": 0}}'


LINE = GOOD | {"cell": "a", "episode": 0, "attempt": 1, "instance": "x", "over": False}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "holds no response"),
        (["not json"], "line 1: no JSON"),
        (["[" * 100_000], "line 1: no JSON"),
        ([GOOD, "[1]"], "line 2: expected a JSON object"),
        ([{"response": 3}], "line 1: expected a JSON object"),
        ([{"response": "x", "instance": 3}], "instance=3 is no string"),
        ([{"response": "x", "instance": "virl:3"}], "virl:3"),
        (['{"setup": {"a": 1}}', GOOD], "line 1: no header of an evaluation's log"),
        (['{"setup": 5}', GOOD], "line 1: no header of an evaluation's log"),
        ([HEADER.replace('"a": {}', '"a": {"split": "train", "instances": 5}'), GOOD], "line 1: no header"),
        ([HEADER.replace('"a": {}', '"a": 5'), GOOD], "line 1: no header"),
        ([HEADER.replace('"a": {}', '"a": {"render_mode": 5}'), LINE], "render_mode=5: expected None or a string"),
        ([HEADER.replace('"a": {}', '"a": {"city": "' + "x" * 100_000 + '"}'), LINE], "unknown setting 'city'"),
        ([HEADER.replace('"episodes": 1', '"episodes": 1' + "0" * 40), LINE], "line 1: no header"),
        ([HEADER.replace('"episodes": 1', '"episodes": 1' + "0" * 5000), LINE], "line 1: no JSON"),
        ([HEADER.replace('"seed": 0', '"seed": -1'), LINE], "line 1: no header"),
        ([HEADER.replace('"seed": 0', '"seed": 0, "' + "x" * 100_000 + '": 1'), LINE], "line 1: no header"),
        ([HEADER.replace("verienv/", "x" * 100_000), LINE], "not verienv/GeneralPoints-L-v0"),
        ([HEADER, LINE | {"cell": "x" * 100_000}], "is no episode of its setup"),
        ([HEADER, LINE | {"episode": 10**30}], "is no episode of its setup"),
        ([HEADER, LINE | {"instance": "x" * 100_000}], "where this version deals generalpoints:"),
        ([HEADER, LINE | {"attempt": 2}], "line 2: attempt is 2, where 1 is due"),
        ([HEADER, LINE | {"crc32": 1}], "line 2: it was changed; take its crc32 out"),
        ([HEADER, LINE, LINE | {"attempt": 3}], "line 3: attempt is 3, where 2 is due"),
        ([HEADER, LINE | {"over": True}, LINE | {"attempt": 2}], "line 2: the episode is over there, but goes on"),
        ([HEADER, LINE, LINE | {"episode": 1}], "line 2: the episode is not over there, but ends"),
        ([HEADER, "[" * 100_000], "line 2: no JSON"),
        ([GOOD | {"cell": None}, HEADER], "line 2: expected a JSON object"),
        ([HEADER], "holds no response"),
        ([HEADER, GOOD], "cell=None, episode=None"),
        ([HEADER, GOOD | {"cell": ["a"], "episode": 0}], "is no episode of its setup"),
        ([HEADER, GOOD | {"cell": "a", "episode": 1}], "is no episode of its setup"),
        ([HEADER, GOOD | {"cell": "a", "episode": 0, "instance": "other"}], "where this version deals generalpoints:"),
        ([HEADER.replace("Points-L", "Points-VL"), GOOD], "logs verienv/GeneralPoints-VL-v0, not"),
    ],
    ids=lambda value: str(value)[:100],
)
def test_a_file_that_tells_no_episode_is_a_mistake_in_one_line(tmp_path, lines, told):
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        deal(make_env(WORDS), 0, responses=responses_in(tmp_path, *lines))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


def test_an_instance_that_is_not_in_the_file_is_a_mistake_that_names_the_first(tmp_path):
    file = responses_in(tmp_path, GOOD | {"instance": "generalpoints:4-3-2-K:24"})
    with pytest.raises(ValueError, match="the first is of generalpoints:4-3-2-K:24"):
        deal(make_env(WORDS), 0, "generalpoints:2-3-4-K:24", file)


def test_an_episode_behind_a_further_header_is_replayed(tmp_path):
    log = tmp_path / "log.jsonl"
    for episodes in (2, 5):
        evaluate("expert", CARDS, ("train",), episodes, log=log)
    for line in map(json.loads, log.read_text().splitlines()):
        if "setup" not in line:
            dealt = deal(make_env(CARDS), 0, line["instance"], log)
            assert dealt.origin == f"episode {line['episode']} of train in log.jsonl"


def test_the_broken_tail_of_a_log_is_no_mistake(tmp_path):
    log = tmp_path / "log.jsonl"
    evaluate("expert", WORDS, ("train",), 2, log=log)
    log.write_bytes(log.read_bytes()[:-9])
    assert deal(make_env(WORDS), 0, responses=log).left
    with pytest.raises(ValueError, match="holds no response to generalpoints:2-3-4-K:24"):
        deal(make_env(WORDS), 0, "generalpoints:2-3-4-K:24", log)


def test_a_log_opens_no_path_that_the_command_does_not_name_too(tmp_path):
    (tmp_path / "secret.json").write_text('{"SECRET-KEY": 1}')
    log = tmp_path / "log.jsonl"
    evaluate("expert", ROUTES, ("train",), 1, log=log)
    header, *lines = map(json.loads, log.read_text().splitlines())
    header["setup"]["cells"]["train"]["city"] = str(tmp_path / "secret.json")
    log.write_text("\n".join(map(json.dumps, [header, *lines])) + "\n")
    with pytest.raises(ValueError, match=r"opens a path of this machine \(city=.*give the same with -s city=") as error:
        deal(make_env(ROUTES), 0, responses=log)
    assert "SECRET-KEY" not in str(error.value)


def test_a_log_of_ones_own_city_is_replayed_where_the_command_names_it_too(tmp_path):
    city = tmp_path / "mine.json"
    save_city(procedural_city("grid", 3), city)
    log = tmp_path / "log.jsonl"
    evaluate("expert", ROUTES, ("train",), 1, log=log, city=str(city))
    dealt = deal(make_env(ROUTES, city=str(city)), 0, responses=log)
    assert dealt.episode.instance == lines_of(log)[0]["instance"]


@pytest.mark.parametrize("settings", [{"env_id": "os:x"}, {"instances": 5}, {"instances": [5]}, {"self": 1}])
def test_a_log_whose_cell_has_no_settings_is_a_value_error(tmp_path, settings):
    log = tmp_path / "log.jsonl"
    evaluate("expert", WORDS, ("train",), 1, log=log)
    header, *lines = map(json.loads, log.read_text().splitlines())
    header["setup"]["cells"]["train"] |= settings
    log.write_text("\n".join(map(json.dumps, [header, *lines])) + "\n")
    with pytest.raises(ValueError, match=r"."):
        deal(make_env(WORDS), 0, responses=log)
