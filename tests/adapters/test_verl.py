import importlib.util
import io
import json

import numpy as np
import pytest
from PIL import Image

import verienv
from verienv.adapters import verl
from verienv.adapters.verl import compute_score, rows, write_parquet
from verienv.generalpoints import Puzzle, draw, expert_answer
from verienv.virl import Waypoint, write_answer

ID = "verienv/GeneralPoints-L-v0"
VISION_ID = "verienv/GeneralPoints-VL-v0"
ROUTES_ID = "verienv/VIRL-L-v0"
TRUTH = json.dumps({"cards": ["4", "3", "2", "K"], "rule": "ten", "target": 24})
KEYS = ["score", "acc", "cards_correct", "numbers_correct", "formula_valid", "failure"]


def test_rows_have_the_columns_that_verl_reads():
    first, second = rows(ID, "rule_ood", n=2, seed=5)
    assert list(first) == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert first["data_source"] == "verienv/GeneralPoints-L-v0/rule_ood"
    assert [message["role"] for message in first["prompt"]] == ["user"]
    assert first["reward_model"]["style"] == "rule"
    assert (first["extra_info"]["index"], second["extra_info"]["index"]) == (0, 1)
    assert first["extra_info"]["instance"] == json.loads(first["reward_model"]["ground_truth"])["instance"]


def test_rows_of_episodes_name_the_agent_loop_and_hold_whole_episodes():
    made = rows(ROUTES_ID, n=2, seed=5, episodes=True)
    plain = verienv.rows(ROUTES_ID, n=2, seed=5)
    for row, own in zip(made, plain, strict=True):
        assert row["agent_name"] == "verienv"
        assert json.loads(row["reward_model"]["ground_truth"]) == {k: v for k, v in own.items() if k != "prompt"}
        assert row["prompt"] == own["prompt"]
    assert len(rows(VISION_ID, n=1, episodes=True)[0]["images"]) == 1


def test_rows_depend_on_the_seed_alone():
    assert rows(ID, n=3, seed=5) == rows(ID, n=3, seed=5) != rows(ID, n=3, seed=6)


def test_the_ground_truth_says_how_the_answer_is_judged():
    (row,) = rows(ID, n=1, rule="rank", stated_rule="ten", rewards={"base": "paper", "correct": 2.0}, strict=True)
    truth = json.loads(row["reward_model"]["ground_truth"])
    right = expert_answer(Puzzle(truth["cards"], "rank", 24, "ten"))
    judged = compute_score(row["data_source"], right, row["reward_model"]["ground_truth"], row["extra_info"])
    assert (judged["score"], judged["acc"], judged["numbers_correct"]) == (2.0, 1.0, 1.0)
    assert compute_score("", right.replace('"', "'"), row["reward_model"]["ground_truth"])["acc"] == 0.0


def test_rows_and_their_scores_come_through_a_parquet_file(tmp_path):
    from datasets import load_dataset

    made = rows(ID, n=6, prompt="diverse")
    path = write_parquet(tmp_path / "new" / "train.parquet", made)
    read = load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert read.to_list() == made
    for row in read:
        truth = json.loads(row["reward_model"]["ground_truth"])
        right = expert_answer(Puzzle(truth["cards"]))
        assert compute_score(row["data_source"], right, row["reward_model"]["ground_truth"])["score"] == 5.0


def test_rows_of_routes_are_waypoints_judged_by_what_is_true_there():
    made = rows(ROUTES_ID, "rule_ood", n=30, seed=2, city="grid-0")
    steps = set()
    for row in made:
        truth = json.loads(row["reward_model"]["ground_truth"])
        waypoint = Waypoint(**truth["waypoint"], actions=truth["actions"])
        steps.add((truth["instance"], truth["step"]))
        right = compute_score("", write_answer(waypoint), row["reward_model"]["ground_truth"])
        assert (right["score"], right["acc"], right["observation_correct"]) == (1.0, 1.0, 1.0)
        wrong = write_answer(waypoint, action="forward()" if waypoint.move == "stop" else "stop()")
        judged = compute_score(
            "", wrong, row["reward_model"]["ground_truth"], rewards={"base": "paper", "wrong_action": -7.0}
        )
        assert (judged["score"], judged["failure"]) == (-7.0, "wrong_action")
        assert list(judged) == list(right)
    assert len(steps) == 30
    assert {row["ability"] for row in made} == {"navigation"}
    assert [list(row) for row in made] == [list(row) for row in rows(ID, n=30)]


def test_rows_of_both_tasks_go_through_one_parquet_file(tmp_path):
    from datasets import load_dataset

    made = rows(ID, n=3) + rows(ROUTES_ID, n=3, city="grid-0")
    path = write_parquet(tmp_path / "both.parquet", made)
    read = load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert read.to_list() == made
    truths = [row["reward_model"]["ground_truth"] for row in read]
    assert {tuple(compute_score("", "?", truth, metrics=False)) for truth in truths} == {("score", "acc", "failure")}


def picture(image):
    return np.asarray(Image.open(io.BytesIO(image["bytes"])))


def test_rows_with_pictures_hold_a_png_for_each_image_token_in_the_prompt():
    for row in rows(VISION_ID, "visual_ood", n=3):
        assert list(row) == ["data_source", "prompt", "images", "ability", "reward_model", "extra_info"]
        truth = json.loads(row["reward_model"]["ground_truth"])
        [message], [image] = row["prompt"], row["images"]
        assert message["content"].startswith("<image>Make 24 ")
        assert message["content"].count("<image>") == 1
        assert list(image) == ["bytes"]
        assert np.array_equal(picture(image), draw(truth["cards"]))


def test_a_misread_hand_is_penalised_and_the_cards_read_are_counted():
    (row,) = rows(VISION_ID, n=1)
    truth = row["reward_model"]["ground_truth"]
    right = json.loads(expert_answer(Puzzle(json.loads(truth)["cards"])))
    seen = compute_score("", json.dumps(right), truth)
    assert list(seen) == [*KEYS[:-1], "cards_read", "failure"]
    assert (seen["score"], seen["cards_read"]) == (5.0, 4.0)
    misread = compute_score("", json.dumps(right | {"cards": []}), truth)
    assert (misread["score"], misread["cards_read"], misread["failure"]) == (-1.5, 0.0, "misread")


def test_pictures_come_through_a_parquet_file(tmp_path):
    from datasets import load_dataset

    made = rows(VISION_ID, n=3)
    path = write_parquet(tmp_path / "train.parquet", made)
    read = load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert [row["images"] for row in read] == [row["images"] for row in made]
    assert [row["prompt"] for row in read] == [row["prompt"] for row in made]


@pytest.mark.parametrize(
    "response", ['{"formula": "4*3+2+10"}', '{"formula": "4+3+2+10"}', "", "\ud800{", "{" * 999, None, 7]
)
def test_every_response_is_judged_with_the_same_keys(response):
    judged = compute_score("", response, TRUTH)
    assert list(judged) == KEYS
    assert all(isinstance(judged[key], float) for key in KEYS[:-1])
    assert isinstance(judged["failure"], str)


def test_failures_are_told_apart():
    assert compute_score("", '{"formula": "4+3+2+10"}', TRUTH)["failure"] == "wrong_value"
    assert compute_score("", '{"formula": "4+3+2+K"}', TRUTH)["failure"] == "illegal"


def test_reward_kwargs_overrule_the_row_and_foreign_keywords_are_ignored():
    right = '{"formula": "4*3+2+10"}'
    assert compute_score("", right, TRUTH, {}, rewards="binary", reward_router_address=None)["score"] == 1.0
    assert compute_score("", right.replace('"', "'"), TRUTH, strict=True)["score"] == -3.0


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ("24", "expected the JSON object that"),
        (None, "expected the JSON object that"),
        ("[" * 100_000, "expected the JSON object that"),
        ("{}", r"no env_id, and no column of a known task: cards \(GeneralPoints\) or waypoint \(V-IRL\)"),
        ('{"cards": ["A", "4"], "env_id": "verienv/Chess-v0"}', "env_id='verienv/Chess-v0': expected one of"),
        ('{"waypoint": {"move": "walk"}}', "waypoint.move='walk'"),
        ('{"waypoint": {"move": "stop"}, "actions": "up"}', "actions='up'"),
        ('{"cards": ["A", "4", "X", "Q"]}', "card 'X': expected a rank"),
        ('{"cards": ["A", "4", "J", "Q"], "rule": {"J": 1}}', "no number for Q, K"),
        ('{"cards": ["A", "4", "J", "Q"], "target": "24"}', "target='24'"),
        (
            '{"cards": ["A", "4", "J", "Q"], "instance": "generalpoints:A-4-J-K:24"}',
            "another puzzle",
        ),
    ],
)
def test_a_wrong_ground_truth_is_an_error_that_names_the_fault(truth, message):
    with pytest.raises(ValueError, match=message):
        compute_score("", "x", truth)


def test_no_rows_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="no rows"):
        write_parquet(tmp_path / "empty.parquet", [])
    assert not list(tmp_path.iterdir())


def test_verl_can_load_the_reward_function_from_its_file():
    spec = importlib.util.spec_from_file_location("custom_module", verl.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.compute_score("", '{"formula": "4*3+2+10"}', TRUTH)["score"] == 5.0


def test_messages_are_scored_as_their_last_response():
    right = '{"formula": "4*3+2+10"}'
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": right}}]}
    for said in (call, [{"role": "assistant", "content": "1"}, call], {"content": [{"type": "text", "text": right}]}):
        assert compute_score("", said, TRUTH)["acc"] == 1.0
    assert compute_score("", [{"role": "user", "content": right}], TRUTH)["acc"] == 0.0


def test_rows_with_and_without_pictures_fit_in_one_file(tmp_path):
    from datasets import Dataset

    made = rows(ID, n=1) + rows(VISION_ID, n=1, image_size=96) + rows(ROUTES_ID, n=1)
    read = Dataset.from_parquet(str(write_parquet(tmp_path / "mixed.parquet", made)), cache_dir=str(tmp_path))
    assert [len(row["images"] or ()) for row in read] == [0, 1, 0]
    for row in read:
        assert row["prompt"][0]["content"].count("<image>") == len(row["images"] or ())
