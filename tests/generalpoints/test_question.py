"""The question of GeneralPoints, and the row it travels as."""

import json

import numpy as np
import pytest

from verienv.core.assets import asset_path
from verienv.generalpoints import GeneralPointsQuestion, GeneralPointsVisionEnv, Puzzle, expert_answer, verify
from verienv.generalpoints.question import GeneralPointsRow

PUZZLE = Puzzle(("4S", "3H", "2C", "KD"), rule={"J": 5, "Q": 6, "K": 7}, target=25, stated_rule="ten")
QUESTION = GeneralPointsQuestion.of(PUZZLE, rewards="binary", strict=True, attempts=3, phrasing=2)


def through_json(question: GeneralPointsQuestion) -> dict[str, object]:
    row: dict[str, object] = json.loads(json.dumps(question.row()))
    return row


def test_a_question_with_a_picture_keeps_the_suits_and_the_jitter_and_pays_for_misread_cards():
    question = GeneralPointsQuestion.of(PUZZLE, vision=True).but(jitter=2**63)
    again = GeneralPointsQuestion.from_row(through_json(question))
    right = json.loads(expert_answer(PUZZLE))
    assert again == question
    assert (again.puzzle.cards, again.vision, again.jitter) == (PUZZLE.cards, True, 2**63)
    assert again.judge(json.dumps(right)).reward == 5.0
    assert again.judge(json.dumps(right | {"cards": ["A", "3", "2", "K"]})).reward == -1.5


def test_columns_tell_the_values_under_the_scored_rule():
    assert QUESTION.row()["values"] == [4, 3, 2, 7]


def test_cards_alone_make_a_question_and_nulls_are_defaults():
    row = {"cards": ["4", "3", "2", "K"], "rule": None, "target": None, "question": "of another column"}
    question = GeneralPointsQuestion.from_row(row)
    assert question.puzzle == Puzzle(("4", "3", "2", "K"))
    assert question.judge('{"formula": "4*3+2+10"}').reward == 5.0


def test_an_instance_alone_makes_a_question():
    assert GeneralPointsQuestion.from_row({"instance": "generalpoints:4-3-2-K:36"}).puzzle == Puzzle(
        ("4", "3", "2", "K"), target=36
    )


def test_the_shipped_vectors_are_rows_and_are_judged_as_they_say():
    vectors = [json.loads(line) for line in asset_path("vectors/generalpoints.jsonl").read_text().splitlines()]
    assert len(vectors) > 100
    for vector in vectors:
        verdict = GeneralPointsQuestion.from_row(vector).judge(vector["response"])
        assert (vector["name"], verdict.reward) == (vector["name"], vector["expect"]["reward"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cards": None}, "field required"),
        ({"cards": "432K"}, "cards='432K'"),
        ({"cards": ["4"]}, "expected 2 to 6 cards"),
        ({"target": 0}, "target=0: expected an integer from 1"),
        ({"rule": "tenn"}, "not a preset"),
        ({"stated_rule": "tenn"}, "stated_rule='tenn': .*not a preset"),
        ({"strict": "no"}, "strict='no'"),
        ({"reasoning_tags": ["<think>"]}, "reasoning_tags=.*expected an opening and a closing tag"),
        ({"reasoning_tags": ["a" * 10**6, "b"]}, "reasoning_tags=.{1,200}expected an opening and a closing tag"),
        ({"vision": 1}, "vision=1"),
        ({"attempts": 0}, "attempts=0"),
        ({"phrasing": 99}, "phrasing=99"),
        ({"jitter": -1}, "jitter=-1"),
        ({"rewards": "papers"}, "not a preset"),
        ({"instance": "generalpoints:4-3-2-K:25"}, "is another puzzle"),
    ],
)
def test_a_wrong_column_is_named_in_one_line(wrong, message):
    row = {"cards": ["4", "3", "2", "K"], **wrong}
    for read in (GeneralPointsRow.read, GeneralPointsQuestion.from_row):
        with pytest.raises(ValueError, match=message) as caught:
            read(row)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rewards", ["paper", "binary", {"base": "paper", "correct": 2.5, "misread_penalty": 0.5}])
@pytest.mark.parametrize("vision", [False, True])
@pytest.mark.parametrize("strict", [False, True])
def test_a_question_judges_as_verify_does(vision, strict, rewards):
    puzzle = Puzzle(("4S", "3H", "2C", "KD"))
    question = GeneralPointsQuestion.of(puzzle, vision=vision, rewards=rewards, strict=strict)
    rng = np.random.default_rng(0)
    texts = [expert_answer(puzzle), "", "{'formula': '4*3+2+10'}", '{"formula": "4*3+2+10"}']
    texts += [question.wrong(failure, rng) or "" for failure in ("misread", "wrong_value", "false_equation", "illegal")]
    for text in texts:
        assert question.judge(text) == verify(text, puzzle, vision=vision, rewards=rewards, strict=strict)


def test_a_question_is_about_its_puzzle():
    assert QUESTION.facts is PUZZLE
    assert QUESTION.instance == PUZZLE.id
    assert QUESTION.cluster == PUZZLE.problem
    assert QUESTION.best_reward == 1.0


def test_neither_prices_nor_vision_stand_in_a_puzzle():
    of_question = {"vision", "rewards", "strict", "attempts", "phrasing", "jitter"}
    assert of_question <= set(GeneralPointsQuestion.__dataclass_fields__)
    assert not of_question & set(Puzzle.__dataclass_fields__)


def test_a_dealt_question_draws_its_picture_and_one_read_from_a_row_does_not():
    question = GeneralPointsVisionEnv(image_size=96).deal(np.random.default_rng(0))
    (picture,) = question.pictures
    assert (picture.shape, picture.dtype, picture.flags.writeable) == ((96, 96, 3), np.uint8, False)
    assert GeneralPointsQuestion.from_row(question.row()).pictures == []


def test_info_tells_suits_and_jitter_of_a_picture_alone():
    assert QUESTION.info(solved=False) == {}
    assert QUESTION.but(vision=True, jitter=7).info(solved=True) == {"suits": "SHCD", "jitter": 7}
