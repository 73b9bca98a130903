import json

import pytest

from verienv.core.assets import asset_path
from verienv.generalpoints import GeneralPointsConfig, Puzzle, expert_answer
from verienv.generalpoints.question import PuzzleRow

PUZZLE = Puzzle(("4S", "3H", "2C", "KD"), rule={"J": 5, "Q": 6, "K": 7}, target=25, stated_rule="ten")
CONFIG = GeneralPointsConfig(rewards="binary", strict=True, attempts=3)


def test_a_row_comes_back_from_json_unchanged():
    row = PuzzleRow.of(PUZZLE, CONFIG)
    again = PuzzleRow.read(json.loads(json.dumps(row.columns())))
    assert again == row
    assert again.puzzle == PUZZLE
    assert (again.rewards, again.strict, again.attempts) == (CONFIG.rewards, True, 3)


def test_a_row_by_sight_keeps_the_suits_and_pays_for_misread_cards():
    row = PuzzleRow.read(json.loads(json.dumps(PuzzleRow.of(PUZZLE, GeneralPointsConfig(), vision=True).columns())))
    right = json.loads(expert_answer(PUZZLE))
    assert (row.cards, row.vision) == (PUZZLE.cards, True)
    assert row.judge(json.dumps(right)).reward == 5.0
    assert row.judge(json.dumps(right | {"cards": ["A", "3", "2", "K"]})).reward == -1.5


def test_columns_tell_the_values_under_the_scored_rule():
    assert PuzzleRow.of(PUZZLE, CONFIG).columns()["values"] == [4, 3, 2, 7]


def test_cards_alone_make_a_row_and_nulls_are_defaults():
    row = PuzzleRow.read({"cards": ["4", "3", "2", "K"], "rule": None, "target": None, "question": "of another column"})
    assert row.puzzle == Puzzle(("4", "3", "2", "K"))
    assert row.judge('{"formula": "4*3+2+10"}').reward == 5.0


def test_the_shipped_vectors_are_rows_and_are_judged_as_they_say():
    vectors = [json.loads(line) for line in asset_path("vectors/generalpoints.jsonl").read_text().splitlines()]
    assert len(vectors) > 100
    for vector in vectors:
        verdict = PuzzleRow.read(vector).judge(vector["response"])
        assert (vector["name"], verdict.reward) == (vector["name"], vector["expect"]["reward"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cards": None}, "field required"),
        ({"cards": "432K"}, "cards='432K'"),
        ({"cards": ["4", "3"]}, "expected 3 to 6 cards"),
        ({"target": 0}, "target=0: expected an integer from 1"),
        ({"rule": "tenn"}, "not a preset"),
        ({"strict": "no"}, "strict='no'"),
        ({"attempts": 0}, "attempts=0"),
        ({"instance": "generalpoints:4-3-2-K:25"}, "is another puzzle"),
    ],
)
def test_a_wrong_column_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        PuzzleRow.read({"cards": ["4", "3", "2", "K"], **wrong})
