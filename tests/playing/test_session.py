import errno
import json

import pytest
from tests.playing.conftest import ENV

import verienv
from verienv.evaluation import read_evaluation
from verienv.playing.session import NotDueError


def solve(session):
    """Answer as a person who finds the solution: the formula alone."""
    return session.answer(session.token, session.seat.episode.expert())


def lines(session):
    return [json.loads(line) for line in session.path.read_text().splitlines()]


def test_an_answer_is_a_line_on_disk_when_it_is_judged(play):
    session = play()
    answered = session.answer(session.token, "1+1")
    told = lines(session)[-1]
    assert (told["response"], told["attempt"], told["over"]) == ("1+1", 1, False)
    assert told["verdict"] == answered.verdict.model_dump(mode="json")
    assert told["verdict"]["answer"] == {"formula": "1+1"}


def test_a_session_goes_on_within_an_episode_where_it_stopped(play):
    session = play()
    session.answer(session.token, "1+1")
    token, text = session.token, session.seat.episode.text
    again = play()
    assert (again.token, again.seat.episode.text) == (token, text)
    assert solve(again).episode.is_success
    assert [line["attempt"] for line in lines(again)[1:]] == [1, 2]
    assert play().scores()["train"].solved == 1


def test_a_line_that_was_cut_off_is_asked_again_and_those_before_it_stay(play):
    session = play()
    session.answer(session.token, "1+1")
    with session.path.open("ab") as file:
        file.write(b'{"cell": "train", "epi')
    assert play().seat.episode.question.attempt == 2


def test_cells_are_played_in_turn(play):
    session, order = play(), []
    while session.seat:
        order.append((session.seat.cell, session.seat.number))
        solve(session)
    assert order == [("train", 0), ("test", 0), ("train", 1), ("test", 1)]
    assert session.token == ""


def test_more_episodes_go_on_from_fewer_even_within_an_episode(play):
    session = play()
    solve(session)
    session.answer(session.token, "1+1")
    longer = play(episodes=3)
    assert solve(longer).episode.is_success
    assert longer.scores()["test"].of == 3
    assert [next(iter(line)) for line in lines(longer)] == ["setup", "cell", "cell", "cell", "setup"]
    assert play(episodes=3).scores()["train"].played == 1


def test_the_log_is_compared_with_that_of_a_model_on_the_same_problems(play):
    session = play()
    while session.seat:
        solve(session)
    model = verienv.evaluate("expert", ENV, ("train", "test"), episodes=2, attempts=2, progress=False)
    human = read_evaluation(session.path)
    assert human.setup.policy == "human: ann"
    found = verienv.compare(model, human)
    assert found.cells["train"].metrics["success"].mean == 0.0
    assert "cards" in found.note  # which the person was not asked for, and the program did not fill in


def test_an_episode_under_way_is_no_part_of_the_evaluation(play):
    session = play()
    solve(session)
    session.answer(session.token, "1+1")
    assert len(read_evaluation(session.path).episodes) == 1


def test_nothing_is_filled_in_for_a_person_who_is_asked_for_a_whole_answer(play):
    session = play(answer_format="json")
    session.answer(session.token, "1+1")
    assert lines(session)[-1]["response"] == "1+1"
    assert lines(session)[-1]["verdict"]["answer"] == {}


def test_a_bare_answer_is_put_into_a_format_that_asks_for_nothing_more(play):
    session = play(answer_format="boxed")
    session.answer(session.token, "1+1")
    assert lines(session)[-1]["response"] == "\\boxed{1+1}"


def test_no_other_policy_may_take_the_name_of_a_person():
    with pytest.raises(ValueError, match="so begin the logs of persons, which `verienv play --window` writes"):
        verienv.evaluate("expert", ENV, ("train",), episodes=1, name=" Human: ann")


def test_a_log_of_somebody_else_is_refused(play):
    play().close()
    with pytest.raises(ValueError, match="logs another evaluation"):
        play(player="bo")


def test_a_map_that_was_shown_is_in_the_name(play):
    play(env_id="verienv/VIRL-L-v0", with_map=True, splits=("train",), episodes=1)
    with pytest.raises(ValueError, match="human: ann, with the map"):
        play(env_id="verienv/VIRL-L-v0", splits=("train",), episodes=1)


@pytest.mark.parametrize("player", ["", "a b", "<b>", "x" * 200])
def test_a_name_that_is_no_pseudonym_is_refused(player, play):
    with pytest.raises(ValueError, match="give a pseudonym, of at most 100 letters"):
        play(player=player)


def test_an_answer_to_another_attempt_is_not_taken(play):
    session = play()
    token = session.token
    session.answer(token, "1+1")
    with pytest.raises(NotDueError):
        session.answer(token, "1+2")
    assert len(lines(session)) == 2


def test_an_answer_that_cannot_be_written_does_not_count_and_later_ones_neither(play, monkeypatch):
    session = play()

    def full(line):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(session._log, "append_one", full)
    token = session.token
    with pytest.raises(OSError, match="No space left on device"):
        solve(session)
    assert session.token == token
    monkeypatch.undo()
    with pytest.raises(OSError, match="start the command again"):
        session.answer(session.token, "1+1")
    again = play()
    assert (again.seat.episode.question.attempt, again.scores()["train"].played) == (1, 0)
