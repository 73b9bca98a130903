"""The built-in small starts play as their cards say: they load by name, and leave room both ways."""

import pytest

import verienv
from verienv.evaluation import evaluate
from verienv.policies import load

CARDS = {"gp-arithmetic": 4, "gp-rule": 3}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("name", "tokens"), [("gp-arithmetic", 21), ("gp-rule", 19)])
def test_a_question_reaches_it_in_about_20_tokens(name, tokens):
    (row,) = verienv.rows("verienv/GeneralPoints-L-v0", n=1, attempts=1, cards=CARDS[name])
    assert len(load(name, device="cpu").opening(row["prompt"])) == tokens


@pytest.fixture(scope="module")
def seen():
    """The metrics of 100 sampled answers of the start that sees, in black and in red."""
    settings = {"cards": 4, "attempts": 1, "image_size": 96, "arrangement": "grid", "face_cards": "condition"}
    cells = {suits: {"split": "train", "suits": suits} for suits in ("black", "red")}
    policy = load("gp-sight", device="cpu", max_new_tokens=44, temperature=1.0)
    found = evaluate(policy, "verienv/GeneralPoints-VL-v0", cells, episodes=100, seed=0, **settings).cells
    return {suits: found[suits].metrics for suits in cells}


def test_the_start_that_sees_reads_and_solves_most_black_hands_and_not_all(seen):
    assert seen["black"]["cards_correct"].mean >= 0.9
    assert 0.6 <= seen["black"]["success"].mean <= 0.97


def test_the_start_that_sees_reads_some_red_hands_and_fewer_than_black_ones(seen):
    assert 0.1 <= seen["red"]["cards_correct"].mean <= seen["black"]["cards_correct"].mean - 0.05


@pytest.fixture(scope="module", params=CARDS)
def played(request):
    """A start's name, and the metrics of 100 sampled answers under the training rule and as many under a proxy."""
    cells = {
        "ID": {"split": "train", "face_cards": "condition"},
        "proxy": {"split": "train", "rule": {"J": 8, "Q": 12, "K": 13}, "face_cards": "condition"},
    }
    policy = load(request.param, device="cpu", max_new_tokens=44, temperature=1.0)
    settings = {"cards": CARDS[request.param], "attempts": 1}
    found = evaluate(policy, "verienv/GeneralPoints-L-v0", cells, episodes=100, seed=0, **settings).cells
    return request.param, {cell: result.metrics for cell, result in found.items()}


def test_it_solves_most_hands_under_the_rule_of_post_training_and_not_all(played):
    assert 0.6 <= played[1]["ID"]["success"].mean <= 0.97


def test_under_a_rule_that_it_has_not_met_there_is_room_both_ways(played):
    name, metrics = played
    gauge = "success" if name == "gp-arithmetic" else "numbers_correct"
    assert 0.25 <= metrics["proxy"][gauge].mean <= 0.95


def test_the_start_for_arithmetic_reads_rules_that_it_has_not_met(played):
    name, metrics = played
    assert (metrics["proxy"]["numbers_correct"].mean >= 0.97) == (name == "gp-arithmetic")
