"""Rows hold episodes: there and back through JSON, an episode is the one that the environment deals."""

import json
from dataclasses import MISSING, fields
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from tests.contract.playing import Case, each_case, each_player, each_wording, mistaken, played

import verienv
from verienv import Episode, Question

UNITS = [None, "question"]
ABOUT = ("id", "env_id", "split", "seed", "step", "unit", "settings", "prompt")
"""The columns of every row that tell where its question comes from."""

each_setting = pytest.mark.parametrize("varied", [False, True], ids=["default", "varied"])
each_unit = pytest.mark.parametrize("unit", UNITS)


def through_json(row: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(row))
    return read


@each_wording
@each_setting
@each_unit
def test_json_holds_every_row(case: Case, unit: str | None, varied: bool) -> None:
    case = case.varied() if varied else case
    rows = case.rows(n=4, unit=unit)
    assert [through_json(row) for row in rows] == rows


@each_wording
@each_setting
@each_player
def test_the_episode_of_a_row_is_the_one_that_its_seed_deals(case: Case, player: Any, varied: bool) -> None:
    case = case.varied() if varied else case
    for row in map(through_json, case.rows()):
        env = gym.make(row["env_id"], **json.loads(row["settings"])).unwrapped
        observation, info = env.reset(seed=row["seed"])
        episode = Episode.of(row)
        assert_alike(episode, observation, info)
        for response, observation, reward, over, info in played(env, player):  # type: ignore[arg-type]
            assert episode.answer(response).reward == reward
            assert episode.is_over == over
            assert_alike(episode, observation, info)


def assert_alike(episode: Episode, observation: dict[str, Any], info: dict[str, Any]) -> None:
    assert episode.text == observation["text"]
    assert episode.info == info
    assert len(episode.pictures) == ("image" in observation)
    for picture in episode.pictures:
        assert np.array_equal(picture, observation["image"])


@each_case
def test_the_score_of_an_episode_sums_up_its_rewards(case: Case) -> None:
    for row in case.rows(n=1):
        episode, rewards = Episode.of(row), list[float]()
        keys = set(episode.score())
        while not episode.is_over:
            rewards.append(episode.answer(episode.expert()).reward)
        score = episode.score()
        assert (score["reward"], score["attempts"], score["success"]) == (sum(rewards), len(rewards), 1.0)
        assert set(score) == keys


@each_wording
@each_setting
@each_unit
def test_a_row_opens_with_the_words_of_its_episode(case: Case, unit: str | None, varied: bool) -> None:
    case = case.varied() if varied else case
    for row in case.rows(n=4, unit=unit):
        assert row["prompt"] == Episode.of(row).messages


@each_case
@each_unit
def test_a_row_does_not_depend_on_how_many_there_are(case: Case, unit: str | None) -> None:
    assert case.rows(n=3, unit=unit) == case.rows(n=9, unit=unit)[:3]


@each_case
@each_unit
def test_a_row_has_an_id_of_its_own(case: Case, unit: str | None) -> None:
    assert len({row["id"] for row in case.rows(n=9, unit=unit)}) == 9


@each_case
def test_a_row_of_one_question_ends_after_it(case: Case) -> None:
    for row in map(through_json, case.rows(n=3, unit="question")):
        episode = Episode.of(row)
        assert episode.answer(episode.expert()).is_correct
        assert episode.is_success


@each_case
@each_setting
def test_a_question_is_read_back_from_its_row(case: Case, varied: bool) -> None:
    case = case.varied() if varied else case
    for episode in map(Episode.of, case.rows()):
        while not episode.is_over:
            question = episode.question
            back = Question.from_row(through_json(question.row()))
            assert back == question
            assert back.prompt == question.prompt
            episode.answer(episode.expert())


@each_case
@each_setting
def test_a_row_is_judged_as_the_environment_judges(case: Case, varied: bool) -> None:
    case = case.varied() if varied else case
    for row in map(through_json, case.rows()):
        env = gym.make(row["env_id"], **json.loads(row["settings"])).unwrapped
        env.reset(seed=row["seed"])
        texts = [env.question.wrong(failure, np.random.default_rng(0)) for failure in env.measures.failures]  # type: ignore[attr-defined]
        for response in (env.expert_response(), *filter(None, texts), "", "\ud800"):  # type: ignore[attr-defined]
            assert verienv.judge(row, response) == env.judge(response)  # type: ignore[attr-defined]


@each_case
def test_columns_of_other_names_and_nulls_change_no_verdict(case: Case) -> None:
    for row in case.rows(n=2, unit="question"):
        question = Episode.of(row).question
        mixed = {"reward": 3, "waypoint": None, "cards": None, "numbers": None, **row, "answer": None}
        for response in (question.expert(), "nothing"):
            assert verienv.judge(mixed, response) == verienv.judge(row, response)


@each_case
def test_the_columns_of_the_facts_alone_are_judged(case: Case) -> None:
    kind = case.task.question
    needed = {each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING}
    for row in case.rows(n=2, unit="question"):
        hand = {name: row[name] for name in {*needed, case.task.column} if name in row}
        question = Episode.of(row).question
        assert not set(hand) & set(ABOUT)
        assert verienv.judge(hand, question.expert()).is_correct
        assert not verienv.judge(hand, mistaken(question, ("unreadable",))).is_correct


@each_case
def test_a_row_that_misses_its_facts_is_refused_in_one_line(case: Case) -> None:
    row = case.rows(n=1, unit="question")[0]
    for name in (case.task.column,):
        broken = {key: value for key, value in row.items() if key not in (name, "instance")}
        with pytest.raises(ValueError, match=name) as caught:
            verienv.judge(broken, "")
        assert "\n" not in str(caught.value)


@each_case
def test_a_row_whose_seed_deals_another_instance_is_refused(case: Case) -> None:
    one, other = case.rows(n=2)
    with pytest.raises(ValueError, match="where its seed deals"):
        Episode.of({**one, "seed": other["seed"]})


@each_case
@pytest.mark.parametrize(("n", "seed"), [(0, 0), (True, 0), (1, -1), (1, 0.5)])
def test_numbers_out_of_range_are_refused(case: Case, n: Any, seed: Any) -> None:
    with pytest.raises(ValueError, match="expected an integer of at least"):
        verienv.rows(case.env_id, n=n, seed=seed)
