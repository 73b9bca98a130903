import json
import re

import pytest
from tests.cli.shared import ENV, INSTANCE, SOLVED, is_one_line_error, lines_of


def test_verify_prints_a_summary(cli, tmp_path):
    rows = [
        {"response": SOLVED, "instance": INSTANCE},
        {"response": SOLVED, "cards": ["4", "3", "2", "KS"], "rule": "rank", "id": 7},
        {"response": "I give up", "cards": ["4", "3", "2", "K"], "target": 19},
        {
            "response": '{"formula": "4+3+2+10"}',
            "cards": ["4", "3", "2", "K"],
            "rule": {"J": 1, "Q": 2, "K": 10},
            "target": 19,
        },
    ]
    (tmp_path / "responses.jsonl").write_text(lines_of(*rows))
    status, out, err = cli("verify", tmp_path / "responses.jsonl")
    assert (status, err) == (0, "")
    told = dict(re.findall(r"^(\S.*?)  +(\S+)", out, re.MULTILINE))
    assert told["responses"] == "4"
    assert told["correct"] == "2"
    assert told["wrong numbers"] == told["unreadable"] == "1"
    assert float(told["mean reward"]) == (5 - 2 - 3 + 5) / 4


def test_verify_reads_stdin_and_writes_verdicts(cli, tmp_path):
    status, _, _ = cli(
        "verify", "-", "--out", tmp_path / "verdicts", typed=lines_of({"response": SOLVED, "instance": INSTANCE})
    )
    [verdict] = map(json.loads, (tmp_path / "verdicts").read_text().splitlines())
    assert status == 0
    assert (verdict["line"], verdict["instance"], verdict["reward"]) == (1, INSTANCE, 5.0)


def test_verdicts_on_stdout_are_nothing_but_json_lines(cli):
    _, out, err = cli("verify", "-", "--out", "-", typed=lines_of({"response": SOLVED, "instance": INSTANCE}))
    assert json.loads(out)["is_correct"]
    assert "correct" in err


def test_options_of_verify_hold_where_a_line_does_not_say(cli):
    row = {"response": '{"formula": "4*3+2+10"}', "cards": ["4", "3", "2", "K"]}
    _, out, _ = cli("verify", "-", "--vision", "--out", "-", typed=lines_of(row, row | {"vision": False}))
    assert [json.loads(line)["failure"] for line in out.splitlines()] == ["misread", ""]
    _, out, _ = cli("verify", "-", "--rule", "rank", "--rewards", "binary", "--out", "-", typed=lines_of(row))
    assert (json.loads(out)["failure"], json.loads(out)["reward"]) == ("wrong_numbers", 0.0)


def test_of_answers_to_pictures_verify_tells_how_many_cards_were_read(cli):
    rows = [
        {"response": SOLVED, "instance": INSTANCE},
        {"response": SOLVED, "cards": ["4C", "3C", "2C", "QC"]},
        {"response": SOLVED, "instance": INSTANCE, "vision": False},
    ]
    _, out, _ = cli("verify", "-", "--vision", typed=lines_of(*rows))
    assert re.search(r"^mean cards read +3.50$", out, re.MULTILINE)
    assert re.search(r"^cards correct +2 ", out, re.MULTILINE)
    assert "mean cards" not in cli("verify", "-", typed=lines_of(*rows))[1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not json", "no JSON"),
        ("[1]", "expected a JSON object"),
        ("[" * 100_000, "line 2"),
        ({"response": 3, "instance": INSTANCE}, "'response' is missing or no string"),
        ({"instance": INSTANCE}, "response"),
        ({"response": "x"}, "no env_id, and no column of a known task"),
        (
            {"response": "x", "instance": INSTANCE, "cards": ["4", "3", "2", "Q"]},
            "another puzzle than cards and target",
        ),
        ({"response": "x", "instance": "chess:3"}, "no env_id, and no column of a known task"),
        ({"response": "x", "env_id": "CartPole-v1"}, "env_id='CartPole-v1': expected one of"),
        ({"response": "x", "instance": "virl:3"}, "V-IRL row: waypoint"),
        ({"response": "x", "instance": INSTANCE, "target": 25}, "another puzzle than cards and target"),
        ({"response": "x", "cards": ["4", "3", "2", "Z"]}, "Z"),
        ({"response": "x", "cards": ["4", "3", "2", "K"], "rule": "none"}, "is not a preset"),
        ({"response": "x", "cards": ["4", "3", "2", "K"], "target": 0}, "target=0"),
    ],
)
def test_a_bad_line_is_named_the_others_are_scored_and_the_status_is_1(cli, line, told):
    good = {"response": SOLVED, "instance": INSTANCE}
    status, out, err = cli("verify", "-", typed=lines_of(good, line, "", good))
    assert status == 1
    assert err.startswith("-, line 2: ")
    assert err.count("\n") == 1
    assert told in err
    assert re.search(r"^correct +2 +100.0%", out, re.MULTILINE)
    assert re.search(r"^lines not read +1$", out, re.MULTILINE)


def test_bytes_that_are_no_text_are_a_bad_line(cli, tmp_path):
    (tmp_path / "file").write_bytes(b'{"response": "\xff\xfe"}\n')
    assert "line 1: no JSON" in cli("verify", tmp_path / "file")[2]


def test_a_thousand_bad_lines_do_not_flood_the_terminal(cli):
    _, _, err = cli("verify", "-", typed="bad\n" * 1000)
    assert err.splitlines()[-1] == "... and 980 more lines that cannot be read"


def test_a_file_without_responses_is_told_by_the_status(cli):
    assert cli("verify", "-")[:2] == (1, "No response was scored.\n")


def test_verify_judges_answers_at_waypoints_among_others(cli):
    waypoint = {"move": "turn", "heading": 0.0, "turn_to": 90.0}
    lines = [
        {"response": '{"action": "turn_direction(right)"}', "waypoint": waypoint, "actions": "relative"},
        {"response": '{"action": "turn_direction(east)"}', "waypoint": waypoint, "actions": "relative"},
        {"response": SOLVED, "instance": INSTANCE},
    ]
    status, out, _ = cli("verify", "-", typed=lines_of(*lines))
    assert status == 0
    assert re.search(r"^correct +2 +66.7%", out, re.MULTILINE)
    assert re.search(r"^outside action space +1 ", out, re.MULTILINE)
    status, _, err = cli("verify", "-", typed=lines_of({"response": "x", "waypoint": {"move": "fly"}}))
    assert status == 1
    assert "line 1" in err


def test_verify_does_not_judge_a_log_anew_under_another_rule(cli, tmp_path):
    log = tmp_path / "log.jsonl"
    cli("evaluate", ENV, "--baseline", "expert", "--splits", "rule_ood", "--episodes", 2, "--log", log)
    assert is_one_line_error(cli("verify", log, "--out", tmp_path / "verdicts.jsonl"), "this is an evaluation's log")
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_a_column_makes_a_table_with_the_score_that_something_else_gave(cli):
    right, wrong = ('{"formula": "4*3+2+10"}', '{"formula": "4+3+2+10"}')
    said = [("first", right, 0.5), ("first", wrong, 1.5), ("later", wrong, -1), ("later", wrong, None)]
    lines = [
        json.dumps({"cards": ["4", "3", "2", "K"], "response": response, "step": step, "score": score})
        for step, response, score in said
    ]
    status, out, _ = cli("verify", "-", "--by", "step", typed="\n".join(lines))
    table = [line.split() for line in out.rpartition("\n\n")[2].splitlines()]
    assert table == [
        ["step", "responses", "correct", "reward", "score"],
        ["first", "2", "50.0%", "2.000", "1.000"],
        ["later", "2", "0.0%", "-1.000", "-1.000"],
    ]
    assert status == 0


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_lines_without_a_value_of_the_column_are_counted_and_told_once(cli, value):
    hand = {"cards": ["4", "3", "2", "K"], "response": ""}
    lines = [hand | {"update": value}, hand, hand | {"update": 1}]
    status, out, err = cli("verify", "-", "--by", "update", typed="\n".join(map(json.dumps, lines)))
    assert status == 0
    assert err.splitlines() == ["--by update: 2 responses have no text or number there, and are in no row"]
    assert out.splitlines()[0].split() == ["responses", "3"]
    assert out.splitlines()[-1].split()[:2] == ["1", "1"]


def test_a_column_that_no_line_has_is_told_once_with_those_that_there_are(cli):
    line = json.dumps({"cards": ["4", "3", "2", "K"], "update": 1, "response": ""})
    status, out, err = cli("verify", "-", "--by", "nosuch", typed="\n".join([line] * 30))
    assert status == 2
    assert err.splitlines() == ["verienv: --by nosuch: no line has a text or a number there; the first has update"]
    assert out.splitlines()[0].split() == ["responses", "30"]
