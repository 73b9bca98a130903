import json

import numpy as np
import pytest
from tests.adapters.rows import ID, KINDS, VISION_ID, answer_to, paid, routes

import verienv
from verienv.adapters.trl import dataset, reward, reward_function
from verienv.generalpoints import Puzzle, draw, expert_answer
from verienv.virl.env import VIRLEnv


def test_every_row_says_how_its_answer_is_judged():
    rows = dataset(ID, "rule_ood", n=4, seed=3, rewards="binary", strict=True, stated_rule="ten")
    for row in rows:
        puzzle = Puzzle(row["cards"], row["rule"], row["target"], row["stated_rule"])
        assert row["instance"] == puzzle.id
        assert row["values"] == list(puzzle.values)
        right = expert_answer(puzzle)
        columns = {name: [value] for name, value in row.items() if name != "prompt"}
        assert reward(prompts=[row["prompt"]], completions=[right], **columns) == [1.0]
        assert reward(prompts=[row["prompt"]], completions=[right.replace('"', "'")], **columns) == [0.0]


def test_the_same_seed_gives_the_same_rows_and_all_demonstrations_the_same_hands():
    first = dataset(ID, n=5, seed=1)
    assert first.to_list() == dataset(ID, n=5, seed=1).to_list()
    assert first["instance"] != dataset(ID, n=5, seed=2)["instance"]
    assert first["instance"] == [row["instance"] for row in verienv.rows(ID, n=5, seed=1)]
    sft, preference = (dataset(ID, n=5, seed=1, kind=kind)["instance"] for kind in ("sft", "preference"))
    assert sft == preference != dataset(ID, n=5, seed=2, kind="sft")["instance"]


def test_demonstrations_carry_the_columns_of_the_reward():
    row = dataset(ID, n=1, kind="revision", rule="rank")[0]
    assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "user"]
    columns = {name: [value] for name, value in row.items() if name not in ("prompt", "completion")}
    assert reward(prompts=[row["prompt"]], completions=[row["completion"]], **columns) == [5.0]


def test_steps_are_written_into_demonstrations_where_asked_for():
    said = dataset(ID, n=1, kind="sft", steps=True)[0]["completion"][0]["content"]
    assert said.count("\n") == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "dpo"}, "expected one of prompt, episode, sft, revision, preference, unpaired"),
        ({"n": 0}, "expected a positive number of rows"),
        ({"split": "visual_ood"}, "has no visual splits"),
        ({"rule": "tenn"}, "not a preset"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        dataset(ID, **wrong)


# With pictures


@pytest.mark.parametrize("kind", KINDS)
def test_rows_hold_the_picture_of_their_hand_through_the_disk(kind, tmp_path):
    from datasets import Image, load_from_disk

    dataset(VISION_ID, "visual_ood", n=3, kind=kind).save_to_disk(tmp_path / "rows")
    rows = load_from_disk(tmp_path / "rows")
    assert rows.features["images"].feature == Image()
    for row in rows:
        [image] = row["images"]
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (336, 336))
        assert np.array_equal(np.asarray(image), draw(row["cards"]))
        assert {card[-1] for card in row["cards"]} <= {"D", "H"}


@pytest.mark.parametrize("kind", KINDS)
def test_trl_finds_a_placeholder_for_each_image(kind):
    from trl import prepare_multimodal_messages

    for row in dataset(VISION_ID, n=2, kind=kind):
        first, *others = prepare_multimodal_messages(row["prompt"], images=row["images"])
        assert [part["type"] for part in first["content"]] == ["image", "text"]
        assert first["content"][0]["image"] is row["images"][0]
        answers = [message for name in ("completion", "chosen", "rejected") for message in row.get(name, [])]
        for message in others + prepare_multimodal_messages(answers):
            assert [part["type"] for part in message["content"]] == ["text"]


def test_every_row_with_a_picture_says_how_its_answer_is_judged():
    for kind in KINDS:
        (row,) = dataset(VISION_ID, "rule_ood", n=1, kind=kind)
        assert row["vision"] is True
        right = json.loads(expert_answer(Puzzle(row["cards"], row["rule"], row["target"])))
        columns = {name: [value] for name, value in row.items() if name not in ("prompt", "completion")}
        assert reward(prompts=["?"], completions=[json.dumps(right)], **columns) == [5.0]
        assert reward(prompts=["?"], completions=[json.dumps(right | {"cards": []})], **columns) == [-1.5]


def test_in_words_there_is_no_column_of_images_and_no_vision():
    rows = dataset(ID, n=2, kind="sft")
    assert "images" not in rows.column_names
    assert rows["vision"] == [False, False]
    assert all(isinstance(row["prompt"][0]["content"], str) for row in rows)


# Of routes, and of both tasks


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_routes_are_waypoints_and_say_how_answers_are_judged(kind):
    rows = routes(40, kind=kind)
    assert len(set(zip(rows["instance"], rows["step"], strict=True))) == 40
    assert set(rows["actions"]) == {"relative"}
    assert paid(rows, [answer_to(row) for row in rows]) == [1.0] * 40
    misread = [answer_to(row, action="turn_direction(up)", observation="A dragon.") for row in rows]
    assert paid(rows, misread) == [-1.5] * 40
    assert paid(rows, misread, reward_function("binary")) == [0.0] * 40


def test_rows_of_routes_follow_the_expert_along_the_episodes_of_their_seeds():
    env = VIRLEnv(city="grid-0", prompt="diverse")
    over = True
    for row in routes(50, "train", seed=6, prompt="diverse"):
        assert over == (row["step"] == 0)
        if over:
            env.reset(seed=row["seed"])
        assert (row["prompt"], row["instance"], row["attempts"]) == (env.messages, env.instance, 2)
        assert (row["waypoint"]["move"], row["waypoint"]["heading"]) == (env.waypoint.move, env.waypoint.heading)
        over = env.step(answer_to(row))[2]


@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_demonstrations_along_routes_earn_what_they_say(kind):
    rows = routes(30, kind=kind)
    assert paid(rows, rows["completion"]) == rows["reward"] == [1.0] * 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_of_both_tasks_is_judged_row_by_row_also_through_the_disk(kind, tmp_path):
    from datasets import concatenate_datasets, load_from_disk

    both = concatenate_datasets([dataset(ID, n=20, kind=kind), routes(20, kind=kind)]).shuffle(seed=0)
    both.save_to_disk(tmp_path / "rows")
    logged = {}
    for rows in (both, load_from_disk(tmp_path / "rows")):
        right = [
            expert_answer(Puzzle(row["cards"], row["rule"])) if row["waypoint"] is None else answer_to(row)
            for row in rows
        ]
        assert paid(rows, right) == [5.0 if row["waypoint"] is None else 1.0 for row in rows]
        assert paid(rows, right, reward_function("binary")) == [1.0] * 40
        assert paid(rows, ["?"] * 40) == [-3.0 if row["waypoint"] is None else -1.5 for row in rows]
    columns = {name: list(both[name]) for name in both.column_names if name not in ("prompt", "completion")}
    reward(prompts=["?"] * 40, completions=right, log_metric=logged.__setitem__, **columns)
    assert logged["verienv/is_correct"] == logged["verienv/cards_correct"] == 1.0
    assert logged["verienv/observation_correct"] == 1.0
    assert 0 < logged["verienv/is_turn"] < 1


def test_a_prompt_has_no_derivation_to_write_and_the_error_names_the_setting_that_asks_for_one():
    with pytest.raises(ValueError, match="think_first"):
        dataset(ID, n=1, steps=True)
