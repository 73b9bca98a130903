"""Published questions on the command line: converted, verified, evaluated."""

import json

import pytest
from tests.cli.shared import ENV, is_one_line_error
from tests.demos.published import conversation, hand_prompt, route_answer, route_prompt

HANDS = [conversation(hand_prompt()), conversation(hand_prompt(("A", "2", "3", "4")))]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([HANDS[0], {"conversations": []}, HANDS[1]]))
    return path


@pytest.fixture
def rows(cli, source):
    out = source.with_name("rows.jsonl")
    assert cli("convert", source, out)[0] == 0
    return out


def test_convert_counts_the_rows_and_names_what_is_left_out(cli, source):
    status, out, err = cli("convert", source, source.with_name("rows.jsonl"))
    assert (status, out.split(" of ")[0], out.split(", ")[-1]) == (0, "rows: 2", "1 left out\n")
    assert err.startswith(f"{source}, row 2: ")


def test_defects_can_be_refused_and_then_no_file_is_written(cli, source):
    out = source.with_name("rows.jsonl")
    assert is_one_line_error(cli("convert", source, out, "--defects", "refuse"), "row 2: ")
    assert not out.exists()


def test_a_file_without_questions_is_refused(cli, tmp_path):
    (tmp_path / "data.json").write_text("[]")
    outcome = cli("convert", tmp_path / "data.json", tmp_path / "rows.jsonl")
    assert is_one_line_error(outcome, "holds no question that could be read")


def test_verify_judges_the_published_answers(cli, rows):
    status, out, _ = cli("verify", rows)
    assert (status, out.splitlines()[1].split()) == (0, ["correct", "1", "50.0%"])


def test_evaluate_asks_the_rows(cli, rows):
    status, out, _ = cli("evaluate", ENV, "--baseline", "expert", "--rows", rows)
    assert status == 0
    assert "rows" in out


def test_rows_of_another_task_are_refused(cli, rows):
    rows.with_name("routes.json").write_text(json.dumps([conversation(route_prompt(), route_answer())]))
    cli("convert", rows.with_name("routes.json"), rows)
    outcome = cli("evaluate", ENV, "--baseline", "expert", "--rows", rows)
    assert is_one_line_error(outcome, "row 1 is a question for another environment")


def test_a_row_that_cannot_be_asked_is_named_by_its_line(cli, rows):
    rows.write_text(rows.read_text() + '{"cards": ["4"]}\n')
    outcome = cli("evaluate", ENV, "--baseline", "expert", "--rows", rows)
    assert is_one_line_error(outcome, f"{rows}, row 3: ")


def test_rows_and_splits_are_not_given_together(cli, rows):
    outcome = cli("evaluate", ENV, "--baseline", "expert", "--rows", rows, "--splits", "test")
    assert is_one_line_error(outcome, "--rows and --splits: give one of them")
