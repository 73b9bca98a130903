"""Starts that see: their pictures and tokens, what they are made of, and the cells that a study reports of them."""

import json
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from PIL import Image

import build_start_cells
from starts import points
from starts.building import build
from starts.hands import Deck, is_for_stopping
from starts.kinds import HELD_OUT, KINDS, PROXIES, TEN, TRAINING_RULES
from starts.sight.kind import SIGHT
from starts.sight.pictures import Pictures
from starts.sight.pool import make_sight_pool, seeing_tokens
from starts.sight.seeing import learn_to_read, make_model, make_processor
from starts.sight.seen import prepare
from starts.sight.tokens import make_seeing_tokenizer
from starts.tokens import make_tokenizer
from verienv.core.dialogue import with_pictures
from verienv.core.sides import on_side
from verienv.generalpoints import Puzzle, verify
from verienv.generalpoints.puzzle import read_instance, side_keys
from verienv.policies import HuggingFacePolicy

CELLS = Path(__file__).parents[2] / "examples" / "cells" / "gp_sight.json"
SMALL = {"first": 2, "every": 1, "last": 2, "warm_up": 1, "cooling": 1, "hands_of_ten": 40, "hands_a_rule": 1}
SMALLER = {**SMALL, "items": 6, "batch": 3}
TINY = replace(SIGHT, **SMALLER, reading_steps=20, naming_steps=20, reading_batch=4, tower=16, tower_layers=1)
LOOK = {"image_size": SIGHT.size, **SIGHT.visual, "suits": "black", "attempts": 1}


@pytest.fixture(scope="module")
def tokenizer():
    return make_seeing_tokenizer()


@pytest.fixture(scope="module")
def pool(tokenizer):
    return make_sight_pool(TINY, Deck(4, "black"), tokenizer, np.random.default_rng(0))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a tiny start in words and the one by sight that is made of it."""
    folder = tmp_path_factory.mktemp("starts")
    build(replace(KINDS["gp-arithmetic"], **SMALLER), 100, folder / "gp-arithmetic-100", points.prepare)
    build(TINY, 100, folder / "gp-sight-100", prepare)
    return folder


@pytest.fixture(scope="module")
def policy(built):
    return HuggingFacePolicy.load(str(built / "gp-sight-100"), device="cpu", max_new_tokens=4)


def test_the_tokens_of_the_start_in_words_keep_their_places(tokenizer):
    words = make_tokenizer()
    assert tokenizer.convert_ids_to_tokens(range(len(words))) == words.convert_ids_to_tokens(range(len(words)))


def test_a_picture_and_its_question_take_50_tokens(tokenizer):
    assert SIGHT.image_tokens == 36
    assert seeing_tokens(SIGHT, [Puzzle(("2", "10", "Q", "Q"), TEN)], tokenizer).shape == (1, 50)


@pytest.fixture(scope="module")
def shown():
    """A question of the environment: its dialogue with the picture, its puzzle, and the picture as a tensor."""
    env = gym.make("verienv/GeneralPoints-VL-v0", **LOOK)
    observation, info = env.reset(seed=3)
    pixels = torch.from_numpy(observation["image"].copy()).permute(2, 0, 1).float() / 127.5 - 1
    dialogue = with_pictures(info["messages"], [Image.fromarray(observation["image"])])
    return dialogue, read_instance(info["instance"]), pixels


def test_a_question_is_trained_on_as_the_policy_opens_it(policy, tokenizer, shown):
    dialogue, puzzle, pixels = shown
    opened = policy.opening(dialogue)
    assert seeing_tokens(TINY, [puzzle], tokenizer).tolist() == [list(opened)]
    torch.testing.assert_close(opened.vision["pixel_values"][0], pixels)


def test_a_picture_shows_the_hand_on_the_table_of_the_environment(shown):
    _, puzzle, pixels = shown
    drawn = (Pictures(SIGHT, 0.0).of([puzzle], np.random.default_rng(seed))[0] for seed in range(400))
    assert any(torch.equal(one, pixels) for one in drawn)


def test_the_share_of_red_pictures_is_what_the_kind_says(pool):
    hands = pool.puzzles[:1] * 200
    red = [is_red(one) for one in Pictures(TINY, 0.3).of(hands, np.random.default_rng(0))]
    assert abs(np.mean(red) - 0.3) < 0.1
    assert not [one for one in Pictures(TINY, 0.0).of(hands, np.random.default_rng(0)) if is_red(one)]


def is_red(pixels):
    """Whether pure red, which court cards have too, covers more than a court card of a black suit has of it."""
    levels = (pixels + 1) * 127.5
    return int(((levels[0] > 200) & (levels[1:] < 60).all(0)).sum()) > 120


def test_a_pool_holds_no_hand_of_the_test_side_and_none_that_two_suits_cannot_make(pool):
    assert {puzzle.rule for puzzle in pool.puzzles} == {TEN, *TRAINING_RULES}
    assert not [one for one in pool.puzzles if not on_side(side_keys(one.ranks, one.values), "train")]
    assert max(one.ranks.count(rank) for one in pool.puzzles for rank in one.ranks) == 2


def test_a_row_is_a_question_and_a_correct_answer(pool, tokenizer):
    for puzzle, row in zip(pool.puzzles[::97], pool.ids[::97].tolist(), strict=True):
        assert row[: pool.asked] == seeing_tokens(TINY, [puzzle], tokenizer)[0].tolist()
        assert verify(tokenizer.decode(row[pool.asked :], skip_special_tokens=True), puzzle, vision=True).is_correct


def test_the_decoder_begins_with_the_weights_of_the_start_in_words(built, tokenizer):
    words = HuggingFacePolicy.load(str(built / "gp-arithmetic-100"), device="cpu").model
    made = make_model(TINY, tokenizer, built / "gp-arithmetic-100")
    begun, own = dict(made.model.language_model.named_parameters()), dict(words.model.named_parameters())
    assert begun.keys() == own.keys()
    for name, weight in own.items():
        assert torch.equal(begun[name][: len(weight)], weight)


def test_a_tower_that_learns_to_read_lowers_its_loss(pool, built, tokenizer):
    torch.manual_seed(0)
    kind = replace(TINY, reading_steps=40, reading_batch=16, reading_rate=1e-2)
    model = make_model(kind, tokenizer, built / "gp-arithmetic-100")
    losses = [loss for loss, _ in learn_to_read(kind, model, pool, np.random.default_rng(0))]
    assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:5])


def test_a_start_that_sees_loads_and_answers(policy, shown):
    assert "<image>" in policy.processor.tokenizer.all_special_tokens
    assert all(torch.equal(weight, weight.half().float()) for weight in policy.model.parameters())
    assert len(policy([shown[0], shown[0]])) == 2


def test_log_and_card_tell_how_it_was_made_and_stopped(built):
    log = [json.loads(line) for line in (built / "gp-sight-100" / "training.jsonl").read_text().splitlines()]
    assert log[0]["made_of"] == "gp-arithmetic-100"
    assert [line["stage"] for line in log if "stage" in line] == ["reading", "naming"]
    (check,) = [line for line in log if "check" in line]
    assert list(check["red"]) == ["success", "rule reading", "validity", "recognition"]
    card = (built / "gp-sight-100" / "README.md").read_text()
    assert "A question takes 50 tokens, 36 of them the picture" in card
    assert "2% of the pictures are in red suits" in card
    assert "{" not in card


def test_it_is_judged_on_problems_that_are_kept_for_it_in_black_and_in_red(tokenizer, built):
    made = prepare(TINY, 100, built)
    asked = {name: items.puzzles for name, items in made.judge.items.items()}
    assert {one.rule for one in asked["ID"]} == {TEN}
    assert {one.rule for one in asked["proxy"]} == set(PROXIES)
    assert asked["red"] == asked["ID"]
    assert all(is_for_stopping(one.numbers) for puzzles in asked.values() for one in puzzles)
    black, red = (made.judge.items[name].asked[0].vision["pixel_values"] for name in ("ID", "red"))
    assert not torch.equal(black, red)


def test_it_is_built_and_stopped_where_the_rule_that_is_reported_is_withheld(built, tmp_path, monkeypatch):
    made = Puzzle.__init__

    def no_puzzle(self, cards, rule="ten", *others, **more):
        made(self, cards, rule, *others, **more)
        assert HELD_OUT not in (self.rule, self.stated_rule)

    monkeypatch.setattr(Puzzle, "__init__", no_puzzle)
    (tmp_path / "gp-arithmetic-7").symlink_to(built / "gp-arithmetic-100")
    build(TINY, 7, tmp_path / "gp-sight-7", prepare)
    assert "11-12-13" not in (tmp_path / "gp-sight-7" / "training.jsonl").read_text()


def test_without_the_start_in_words_it_is_refused_in_a_line(tmp_path):
    with pytest.raises(
        SystemExit, match=r"^gp-sight of seed 3 is made of .*gp-arithmetic-3, which is not there: build"
    ):
        prepare(TINY, 3, tmp_path)


def test_the_processor_leaves_pictures_of_its_size_as_they_are(tokenizer):
    picture = np.random.default_rng(0).integers(256, size=(SIGHT.size, SIGHT.size, 3), dtype=np.uint8)
    seen = make_processor(SIGHT, tokenizer).image_processor([picture], return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(seen, torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1)


def test_the_cells_that_a_study_reports_are_of_problems_that_stopped_no_start():
    text = CELLS.read_text()
    assert text == build_start_cells.written(SIGHT)
    for (rule, _, episodes), cell in zip(
        build_start_cells.SIGHT_CELLS.values(), json.loads(text).values(), strict=True
    ):
        dealt = [Puzzle(read_instance(instance).ranks, rule) for instance in cell["instances"]]
        assert len(dealt) == episodes
        assert not [one for one in dealt if is_for_stopping(one.numbers)]
        assert not [one for one in dealt if not on_side(side_keys(one.ranks, one.values), "train")]
