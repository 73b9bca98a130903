import pytest
from tests.cli.shared import ENV, is_one_line_error


@pytest.fixture
def log(cli, tmp_path):
    path = tmp_path / "log.jsonl"
    status, *_ = cli("evaluate", ENV, "--baseline", "expert", "--episodes", "2", "--splits", "train", "--log", path)
    assert status == 0
    return path


def test_an_export_is_one_file_and_what_it_leaves_out_is_told(cli, log, tmp_path):
    page = tmp_path / "out.html"
    status, out, err = cli("view", log, "--export", page, "--replays", "1")
    assert (status, out) == (0, f"{page}: open it in a browser\n")
    assert err == "This file holds 1 of 2 replays; verienv view shows all.\n"
    assert page.read_text().startswith("<!doctype html>")


def test_faults_are_told_and_a_log_with_nothing_else_is_an_error(cli, log, tmp_path):
    header, *episodes = log.read_text().splitlines(keepends=True)
    log.write_text(header + episodes[0] + "{}\n")
    status, _, err = cli("view", log, "--export", tmp_path / "out.html")
    assert (status, "line 3: " in err) == (0, True)
    log.write_text(header + "{}\n")
    assert is_one_line_error(cli("view", log, "--export", tmp_path / "out.html"), "holds no episode")


def test_a_place_that_cannot_be_browsed_is_told_in_one_line(cli, log, tmp_path):
    (tmp_path / "empty").mkdir()
    assert is_one_line_error(cli("view", tmp_path / "gone"), "there is no such file or folder")
    assert is_one_line_error(cli("view", tmp_path / "empty"), "holds no log of an evaluation")
    assert is_one_line_error(cli("view", log, "--export", log), "give a name that ends in .html or .htm")


def test_a_setting_that_no_log_names_is_refused(cli, log, tmp_path):
    outcome = cli("view", log, "--export", tmp_path / "out.html", "-s", "nonsense=1")
    assert is_one_line_error(outcome, "-s nonsense=...: no evaluation there names nonsense")
    assert not (tmp_path / "out.html").exists()
    assert cli("view", log, "--export", tmp_path / "out.html", "-s", "split=train")[0] == 0


def test_a_line_that_was_changed_is_told(cli, log, tmp_path):
    log.write_text(log.read_text().replace('"reward": 5.0', '"reward": 4.0', 1))
    status, _, err = cli("view", log, "--export", tmp_path / "out.html")
    assert (status, err) == (0, "log.jsonl, line 2: it was changed after it was written\n")


def test_the_replays_of_an_export_are_counted_where_somebody_looks_on(log, tmp_path, capsys):
    from verienv.browsing.collection import Collection
    from verienv.browsing.export import save
    from verienv.browsing.finding import find

    save(Collection.read(find([log])), tmp_path / "out.html", progress=True)
    assert "2/2" in capsys.readouterr().err
