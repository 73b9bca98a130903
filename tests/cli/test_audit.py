"""`verienv audit`: counts, examples and exit status."""

import json

from tests.cli.shared import ENV, INSTANCE, is_one_line_error, lines_of

import verienv

ENV_ID = f"verienv/{ENV}-v0"


def file_of(folder, *rows, name="rows.jsonl"):
    path = folder / name
    path.write_text(lines_of(*rows))
    return path


def test_a_clean_file_has_status_0(cli, tmp_path):
    file = file_of(tmp_path, *verienv.rows(ENV_ID, n=5))
    status, out, err = cli("audit", file, "--env", ENV, "--splits", "test,rule_ood")
    assert (status, err, out.count(": 0 of 5\n")) == (0, "", 4)


def test_what_is_shared_has_status_1_and_is_shown_by_its_lines(cli, tmp_path):
    file = file_of(tmp_path, *verienv.rows(ENV_ID, "test", n=7))
    status, out, _ = cli("audit", file, "--env", ENV)
    assert status == 1
    assert f"cards shared with {ENV}-v0 test: 7 of 7 (rows 1, 2, 3, 4, 5, ...)" in out


def test_other_files_are_compared_with(cli, tmp_path):
    file = file_of(tmp_path, {"instance": INSTANCE})
    other = file_of(tmp_path, {"cards": ["A", "A", "A", "8"]}, name="other.jsonl")
    assert cli("audit", file, other)[0] == 0
    assert cli("audit", file, other, file)[0] == 1


def test_the_counts_are_written_as_json(cli, tmp_path):
    file = file_of(tmp_path, {"instance": INSTANCE})
    cli("audit", file, file, "--out", tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["is_clean"], found["rows"], found["shared"][0]["examples"]) == (False, 1, [1])


def test_a_line_that_cannot_be_read_is_named_and_has_status_1(cli, tmp_path):
    file = file_of(tmp_path, *verienv.rows(ENV_ID, n=1), "{")
    status, _, err = cli("audit", file, "--env", ENV)
    assert (status, err.startswith(f"{file}, row 2: ")) == (1, True)


def test_nothing_to_compare_with_is_refused(cli, tmp_path):
    file = file_of(tmp_path, {"instance": INSTANCE})
    assert is_one_line_error(cli("audit", file), "give --env ENV_ID")


def test_a_file_without_rows_is_refused(cli, tmp_path):
    assert is_one_line_error(cli("audit", file_of(tmp_path), "--env", ENV), "holds no row that could be read")


def test_the_file_is_not_written_over(cli, tmp_path):
    file = file_of(tmp_path, {"instance": INSTANCE}, name="rows.json")
    assert is_one_line_error(cli("audit", file, "--env", ENV, "--out", file), "this is the file of FILE")
