"""Rows: questions as flat dicts, judged and dealt again in any process."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verienv
from verienv.core import tasks
from verienv.core.episode import Episode
from verienv.core.question import Question
from verienv.core.rows import judge_as, questions
from verienv.generalpoints.rules import FaceRule
from verienv.testing import odd_responses

WORDS, SEEN, ROUTES, STREETS = (env_id for task in tasks.every() for env_id in task.environments)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "hands": (WORDS, {"split": "rule_ood", "prompt": "diverse", "rewards": "binary", "strict": True, "attempts": 2}),
    "pictures": (SEEN, {"split": "visual_ood", "visual": "scattered", "image_size": [96, 128], "deck": "drawn"}),
    "routes": (
        ROUTES,
        {"split": "test", "prompt": "diverse", "rewards": {"base": "paper", "correct": 2.5}, "attempts": 3},
    ),
    "waypoints": (ROUTES, {"split": "rule_ood", "directions": "relative", "unit": "question"}),
    "streets": (STREETS, {"view_size": 64, "junction_hint": True, "unit": "question"}),
}


def made(case: str, n: int = 3, seed: int = 5, **more: Any) -> list[dict[str, Any]]:
    env_id, given = CASES[case]
    return verienv.rows(env_id, n=n, seed=seed, **given, **more)


def transcript(row: dict[str, Any]) -> list[Any]:
    """All that an episode shows, its pictures as numbers, while it is answered wrongly once and then rightly."""
    episode, told = Episode.of(row), []
    for answer in ("wrong", *[None] * 6):
        if episode.is_over:
            break
        told.append([episode.messages, [int(picture.astype(int).sum()) for picture in episode.pictures]])
        told.append(episode.answer(episode.expert() if answer is None else answer).model_dump())
        told.append({**episode.info, "score": episode.score()})
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]


def without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [without_nulls(part) for part in value]
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return value


def test_a_row_names_itself_and_where_it_comes_from() -> None:
    for number, row in enumerate(made("hands")):
        assert row["id"] == f"{WORDS}/rule_ood/5/{number}"
        assert (row["env_id"], row["split"], row["step"], row["unit"]) == (WORDS, "rule_ood", 0, "question")
        assert json.loads(row["settings"]) == {
            "split": "rule_ood", "prompt": "diverse", "rewards": "binary", "strict": True, "attempts": 2,
        }  # fmt: skip
        assert 0 <= row["seed"] < 2**53


def test_in_vision_the_prompt_has_a_place_for_the_picture() -> None:
    (message,) = made("pictures", n=1)[0]["prompt"]
    assert [part["type"] for part in message["content"]] == ["image", "text"]


def test_settings_that_are_objects_are_written_as_what_they_mean() -> None:
    (row,) = verienv.rows(WORDS, n=1, rule=FaceRule(J=5, Q=6, K=7))
    assert json.loads(row["settings"])["rule"] == {"J": 5, "Q": 6, "K": 7}
    assert Episode.of(row).messages == row["prompt"]


def test_a_row_of_routes_is_a_route_and_with_unit_question_a_waypoint() -> None:
    routes, waypoints = made("routes"), made("waypoints", n=60)
    assert {row["unit"] for row in routes} == {"route"}
    assert {row["unit"] for row in waypoints} == {"question"}
    assert [row["step"] for row in routes] == [0, 0, 0]
    assert len({row["seed"] for row in routes}) == 3
    firsts = [number for number, row in enumerate(waypoints) if row["step"] == 0]
    assert len(firsts) > 2
    for number, row in enumerate(waypoints):
        start = max(first for first in firsts if first <= number)
        assert (row["seed"], row["step"]) == (waypoints[start]["seed"], number - start)


def test_the_episode_of_a_route_goes_on_to_the_destination_and_that_of_a_waypoint_ends_after_it() -> None:
    route = Episode.of(made("routes", n=1)[0])
    asked = 0
    while not route.is_over:
        route.answer(route.expert())
        asked += 1
    assert (route.is_success, route.info["progress"]) == (True, 1.0)
    assert asked > 5
    for row in made("waypoints", n=8):
        waypoint = Episode.of(row)
        waypoint.answer(waypoint.expert())
        assert (waypoint.is_over, waypoint.is_success) == (True, True)


@pytest.mark.parametrize("case", CASES)
def test_a_row_is_plain_data_that_json_and_arrow_hold(case: str) -> None:
    pa = pytest.importorskip("pyarrow")
    rows = made(case)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    held = pa.Table.from_pylist(rows).to_pylist()
    assert without_nulls(held) == rows  # Arrow's messages have all parts' keys
    assert [{**row, "prompt": None} for row in held] == [{**row, "prompt": None} for row in rows]


def test_a_table_of_both_tasks_holds_nulls_and_judges_and_deals_every_row_as_before() -> None:
    pa = pytest.importorskip("pyarrow")
    rows = made("hands") + made("waypoints") + made("routes")
    mixed = pa.array(rows).to_pylist()  # a struct of all columns
    assert mixed[0]["waypoint"] is mixed[-1]["cards"] is None
    assert mixed[0]["rewards"]["wrong_action"] is None
    for row, again in zip(rows, mixed, strict=True):
        assert Question.from_row(again) == Question.from_row(row)
        assert transcript(again) == transcript(row)
        for response in ("", Episode.of(row).expert()):
            assert verienv.judge(again, response) == verienv.judge(row, response)


def test_a_dataset_of_hugging_face_holds_rows_of_both_tasks() -> None:
    datasets = pytest.importorskip("datasets")
    rows = made("hands") + made("waypoints")
    for again in (
        datasets.concatenate_datasets([datasets.Dataset.from_list(rows[:3]), datasets.Dataset.from_list(rows[3:])]),
        datasets.Dataset.from_list(rows[:3]),
    ):
        for row, held in zip(rows, again, strict=False):
            assert Question.from_row(held) == Question.from_row(row)
            assert Episode.of(held).messages == row["prompt"]


def test_numbers_that_a_table_has_made_floats_deal_the_same() -> None:
    for row in made("waypoints"):
        assert transcript({**row, "seed": float(row["seed"])}) == transcript(row)


def test_another_process_with_another_hash_seed_plays_the_same_episodes() -> None:
    rows = [made(case, n=2)[1] for case in CASES]
    out = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(rows),
        env=os.environ | {"PYTHONHASHSEED": "4242", "PYTHONPATH": str(os.path.dirname(__file__)) + "/../.."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(out.stdout) == [transcript(row) for row in rows]


def test_a_row_without_a_seed_is_one_question_without_pictures() -> None:
    for row in ({"cards": ["4S", "3S", "2S", "KS"], "vision": True}, {"waypoint": {"move": "stop"}}):
        episode = Episode.of(row)
        assert episode.pictures == []
        episode.answer(episode.expert())
        assert episode.is_success
    row = {name: value for name, value in made("routes", n=1)[0].items() if name != "seed"}
    episode = Episode.of(row)
    assert episode.messages == row["prompt"]
    episode.answer(episode.expert())
    assert episode.is_over


@pytest.mark.parametrize("task", verienv.tasks())
@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_judging_never_raises_on_any_response(task: str, data: st.DataObject) -> None:
    (row,) = verienv.rows(next(iter(tasks.named(task).environments)), n=1)
    response = data.draw(odd_responses(task))
    verdict = verienv.judge(row, response)
    assert verdict.is_correct == (verdict.failure == "")
    assert verienv.judge(row, response) == verdict


@pytest.mark.parametrize("response", [None, 7, b"{}", ["{}"], {"formula": "1"}, float("nan")], ids=str)
def test_a_response_that_is_no_string_is_an_empty_one(response: Any) -> None:
    for row in (made("hands", n=1)[0], made("routes", n=1)[0]):
        assert verienv.judge(row, response) == verienv.judge(row, "")


def test_judging_a_route_judges_its_first_question() -> None:
    (row,) = made("routes", n=1)
    assert verienv.judge(row, Episode.of(row).expert()).reward == 2.5


def test_rewards_and_strictness_may_be_overruled() -> None:
    (row,) = made("hands", n=1)
    loose = Episode.of(row).expert().replace('"', "'")
    assert verienv.judge(row, loose).failure == "unreadable"
    assert judge_as(row, loose, None, strict=False).reward == 1.0
    assert judge_as(row, loose, "paper", strict=False).reward == 5.0
    assert judge_as(row, loose, {"base": "paper", "unreadable": -7.0}, None).reward == -7.0
    with pytest.raises(ValueError, match="rewards='papre' is not a preset"):
        judge_as(row, loose, "papre", None)


def test_questions_come_with_the_pictures_that_rows_leave_out() -> None:
    for row, question in questions(SEEN, "train", 2, 0, image_size=96):
        assert np.array_equal(question.pictures[0], Episode.of(row).pictures[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n=0: expected an integer of at least 1"),
        ({"n": 2.0}, "n=2.0: expected an integer"),
        ({"n": True}, "n=True: expected an integer"),
        ({"seed": -1}, "seed=-1: expected an integer of at least 0"),
        ({"seed": "0"}, "seed='0': expected an integer"),
        ({"unit": "route"}, "unit='route': expected question$"),
        ({"env_id": ROUTES, "unit": "waypoint"}, "unit='waypoint': expected question or route"),
        ({"split": "dev"}, "split='dev': expected one of train"),
        ({"atempts": 2}, "unknown setting 'atempts'"),
        ({"env_id": "CartPole-v1"}, "env_id='CartPole-v1': expected one of"),
        ({"env_id": None}, "env_id=None: expected one of"),
    ],
)
def test_wrong_arguments_are_errors_at_once(arguments: dict[str, Any], message: str) -> None:
    given = {"env_id": WORDS, "split": "train", "n": 1, "seed": 0, **arguments}
    with pytest.raises(ValueError, match=message):
        verienv.rows(**given)
    with pytest.raises(ValueError, match=message):
        questions(**given)


if __name__ == "__main__":
    print(json.dumps([transcript(row) for row in json.load(sys.stdin)]))


@pytest.mark.usefixtures("registered")
def test_an_id_may_name_the_module_that_registers_it() -> None:
    (row,) = verienv.rows("tests.core.next_number:tests/NextNumber-v0", n=1)
    assert row["env_id"] == "tests/NextNumber-v0"
    with pytest.raises(ValueError, match=r"env_id='no_such_module:x': No module named 'no_such_module'"):
        verienv.rows("no_such_module:x", n=1)


@pytest.mark.parametrize(
    ("env_id", "given"),
    [
        (WORDS, {"rewards": {"base": "paper", "correct": np.float32(0.1)}}),
        (WORDS, {"rule": MappingProxyType({"J": 5, "Q": 6, "K": 7})}),
        (SEEN, {"image_size": 96, "rotation": np.float64(3.5)}),
        (ROUTES, {"city": iter(["astana", "helsinki"]), "side": "test", "turns": range(1, 3)}),
        (ROUTES, {"spacing": Fraction(81, 2)}),
    ],
)
def test_settings_that_json_cannot_hold_as_they_are_are_held_as_the_environment_has_them(
    env_id: str, given: dict[str, Any]
) -> None:
    (row,) = verienv.rows(env_id, n=1, **given)
    again = tasks.of_env_id(env_id).environment(env_id, **json.loads(row["settings"]))
    episode = Episode.of(json.loads(json.dumps(row)))
    dealt = again.deal(np.random.default_rng(row["seed"]))
    assert episode.question == dealt
    assert episode.question.best_reward == Question.from_row(row).best_reward


def test_whole_floats_and_nan_are_what_tables_make_of_integers_and_nulls() -> None:
    (row,) = verienv.rows(WORDS, n=1)
    table = {**row, "target": 24.0, "attempts": 5.0, "seed": float(row["seed"]), "step": 0.0, "waypoint": float("nan")}
    table["rule"] = {"J": 10.0, "Q": 10.0, "K": 10.0, "correct": None}
    assert Episode.of(table).question == Episode.of(row).question
    assert verienv.judge(table, "{}") == verienv.judge(row, "{}")


def test_a_row_whose_columns_contradict_its_seed_and_settings_is_no_episode() -> None:
    (row,) = verienv.rows(WORDS, n=1)
    for name, value in (
        ("rewards", {"base": "paper", "correct": 1.0}),
        ("attempts", 2),
        ("target", 36),
        ("strict", True),
    ):
        with pytest.raises(ValueError, match=f"{name}=.*: the row's seed and settings deal"):
            Episode.of({**row, name: value})
        assert Episode.of({**row, "seed": None, "values": None, "instance": None, name: value}).question.row()[name]


def test_the_words_of_a_verdict_in_a_row_are_no_setting() -> None:
    hand = {"cards": ["4", "3", "2", "K"], "feedback": "Correct.", "reward": 5.0}
    assert verienv.judge(hand, '{"formula": "4*3+2+10"}').is_correct
