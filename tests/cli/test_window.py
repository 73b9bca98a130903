import pytest
from tests.cli.shared import ENV, is_one_line_error

from verienv.cli.window import play_window


@pytest.fixture
def session(cli, monkeypatch):
    """Run the command as if a server were there: the session that it would show."""
    shown = []

    def serve(session, *, port, ready):
        shown.append(session)
        ready(f"http://127.0.0.1:{port}/")

    pytest.importorskip("fastapi")
    monkeypatch.setattr("verienv.playing.app.serve_session", serve)

    def run(*arguments):
        outcome = cli("play", *arguments)
        return (shown.pop() if shown else None), outcome

    return run


def test_a_session_is_that_of_an_evaluation_with_the_same_arguments(session, tmp_path):
    log = tmp_path / "ann.jsonl"
    opened, (status, out, _) = session(
        ENV, "--window", "--split", "train,test", "--player", "ann", "--log", log, "--episodes", "3", "--seed", "5"
    )
    assert (status, opened.player, opened.path) == (0, "ann", log)
    assert {name: score.of for name, score in opened.scores().items()} == {"train": 3, "test": 3}
    assert f"answers go to {log}" in out


def test_the_log_is_named_by_player_and_environment(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened, _ = session(ENV, "--window", "--player", "bo")
    assert opened.path.name == "bo-GeneralPoints-L.jsonl"


def test_options_of_the_one_game_are_refused_in_the_other(session, tmp_path):
    assert is_one_line_error(session("--player", "ann")[1], "--player: is for a game in the browser")
    assert is_one_line_error(session("--show-map")[1], "--show-map: is for a game in the browser")
    assert is_one_line_error(session("--window", "--image", tmp_path / "x.png")[1], "for a game in the terminal")
    assert is_one_line_error(session("--window", "--log", tmp_path / "x.md")[1], "give a name that ends in")


@pytest.mark.parametrize("name", ["", "<b>", "Ann Lee", "a" * 300, "../ann"])
def test_a_name_that_is_no_pseudonym_is_told_by_its_option(name, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_one_line_error(session("--window", "--player", name)[1], "--player '")
    assert not [*tmp_path.iterdir()]


def test_without_the_extra_its_name_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("verienv.cli.common.find_spec", lambda name: None)
    how = {"episodes": 1, "player": "ann", "log": tmp_path / "x.jsonl", "show_map": False, "port": 0}
    with pytest.raises(ValueError, match=r'pip install "verienv\[pages\]"'):
        play_window("verienv/GeneralPoints-L-v0", "train", 0, {}, {}, **how)
    assert not (tmp_path / "x.jsonl").exists()
