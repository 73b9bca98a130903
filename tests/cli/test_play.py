import re

import numpy as np
from tests.cli.shared import ENV, ROUTES, VISION, dealt, pixels
from tests.interrupting import interrupted, started

from verienv.cli.pictures import save_picture
from verienv.virl.env import VIRLEnv


def test_a_bare_formula_is_judged_as_an_answer(cli):
    status, out, _ = cli("play", ENV, "--seed", "1", typed="(8-5)*(10-2)\n")
    assert status == 0
    assert "Correct. Reward +5." in out
    assert "1 of 2 hands solved, total reward 5." in out


def test_a_whole_json_answer_is_judged_as_it_is(cli):
    _, out, _ = cli("play", "--seed", "1", typed='{"formula": "(8-5)*(J-2)"}\nq\n')
    assert "Wrong: the formula is not legal. Reward -3.\nAttempt 2 of 5." in out


def test_play_reveals_no_solution_before_one_gives_up(cli):
    _, out, _ = cli("play", "--seed", "1", typed="1+2\nhint\nq\n")
    assert "8*(10-2-5)" not in out
    _, out, _ = cli("play", "--seed", "1", typed="1+2\ngive up\nq\n")
    assert "The 3 solutions are  8*(10-2-5)   (2-10)*(5-8)   (8-5)*(10-2)" in out


def test_a_hand_without_attempts_left_is_lost_and_the_next_is_dealt(cli):
    _, out, _ = cli("play", "--seed", "1", "-s", "attempts=2", typed="1\n\n2\n")
    assert out.count("Attempt 1 of 2.") == 2
    assert "0 of 2 hands solved, total reward -4." in out


def test_each_hand_in_a_picture_is_in_a_file_while_one_plays_and_no_longer(cli, tmp_path, monkeypatch):
    saved = []

    def save(episode, path):
        save_picture(episode, path)
        saved.append((path, pixels(path), episode.pictures[0]))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("verienv.cli.play.save_picture", save)
    _, out, _ = cli("play", VISION, "--seed", "1", typed="give up\nq\n")
    assert re.findall(r"^The picture is (.*)$", out, re.MULTILINE) == [str(path) for path, _, _ in saved]
    assert len({path for path, _, _ in saved}) == 2
    assert all(np.array_equal(written, shown) for _, written, shown in saved)
    assert not list(tmp_path.iterdir())


def test_the_picture_in_play_is_where_image_says(cli, tmp_path):
    _, out, _ = cli("play", VISION, "--seed", "1", "--image", tmp_path / "hand.png", typed="q\n")
    assert f"The picture is {tmp_path / 'hand.png'}\n" in out
    assert np.array_equal(pixels(tmp_path / "hand.png"), dealt(1).pictures[0])


def test_with_a_picture_a_bare_formula_counts_as_read_right_and_a_json_answer_as_it_reads(cli):
    misread = '{"cards": ["A", "A", "A", "A"], "number": [1, 1, 1, 1], "formula": "2+5+7+10"}'
    _, out, _ = cli("play", VISION, "--seed", "1", typed=f"{misread}\n2+5+7+10\nq\n")
    assert "The cards are not read right. Reward -1.5.\nAttempt 2 of 5." in out
    assert "Correct. Reward +5." in out
    assert "A bare formula is judged as if you had read the cards right" in out


def test_with_a_picture_giving_up_tells_the_cards(cli):
    _, out, _ = cli("play", VISION, "--seed", "1", typed="give up\nq\n")
    assert f"The cards are  {' '.join(dealt(1).question.puzzle.cards)}\nThe 3 solutions are" in out


def test_ctrl_c_in_play_ends_with_status_130():
    with started("-c", "from verienv.cli import main; main()", "play") as process:
        while "Attempt 1" not in process.stdout.readline():
            assert process.poll() is None
        status, _, err = interrupted(process)
    assert status == 130
    assert err == "verienv: interrupted\n"


def test_a_person_walks_a_route_by_bare_words_and_the_map_follows(cli, tmp_path):
    env = VIRLEnv(turns=(1, 1))
    env.reset(seed=5)
    words = [waypoint.action.replace("turn_direction(", "").strip("()") for waypoint in env.route.waypoints]
    typed = "\n".join([words[0], " Turn_Direction( 'Nowhere' )", *words[1:], "q"]) + "\n"
    settings = ("-s", "turns=[1, 1]", "--seed", "5", "--map", tmp_path / "map.png")
    status, out, _ = cli("play", ROUTES, *settings, typed=typed)
    assert status == 0
    assert out.count("Correct. Reward +1.") == len(words)
    assert "Wrong: the action is not one call of forward()" in out
    assert out.count("\nNow: ") == len(words) + 1  # in each route's question, and after each step but the last
    assert "1 of 2 routes walked" in out
    assert (tmp_path / "map.png").exists()


def test_giving_up_on_a_route_tells_the_experts_action(cli):
    env = VIRLEnv()
    env.reset(seed=3)
    _, out, _ = cli("play", ROUTES, "--seed", "3", typed="give up\nq\n")
    assert f"The expert's action here is  {env.waypoint.action}" in out
