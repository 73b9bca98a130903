"""The difficulty of hands: what the table tells, what is counted, and dealing by it."""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv.arithmetic.solver import multisets, solutions
from verienv.generalpoints import Dealing, Difficulty, GeneralPointsEnv, Puzzle, difficulty_of
from verienv.generalpoints import difficulty as room
from verienv.generalpoints.difficulty import UNKNOWN, Wanted, counted, looked_up
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.sampler import hands, sampler_for

HANDS = list(multisets(13, 4))
SOLVABLE = [hand for hand in HANDS if looked_up(hand, 24) is not UNKNOWN]
ENV_ID = "verienv/GeneralPoints-L-v0"


def test_how_many_hands_have_which_level() -> None:
    assert Counter(looked_up(hand, 24).level for hand in SOLVABLE) == {0: 435, 1: 728, 2: 183, 3: 16}


def test_the_table_is_what_the_solver_counts() -> None:
    for hand in HANDS[::25]:
        found = counted(hand, 24)
        assert looked_up(hand, 24) == (found if found.solutions else UNKNOWN)
        assert found.solutions == len(solutions(hand, 24))


@cache
def makes(numbers: tuple[Fraction, ...], divide: bool, fractions: bool) -> bool:
    """Whether numbers make 24, perhaps without dividing, or by dividing without a rest alone. Knows no solver."""
    if len(numbers) == 1:
        return numbers[0] == 24
    for i, j in combinations(range(len(numbers)), 2):
        a, b = numbers[i], numbers[j]
        made = {a + b, a - b, b - a, a * b}
        if divide:
            made |= {top / under for top, under in ((a, b), (b, a)) if under}
        rest = [number for place, number in enumerate(numbers) if place not in (i, j)]
        for value in made:
            is_allowed = fractions or value.denominator == 1
            if is_allowed and makes(tuple(sorted([*rest, value])), divide, fractions):
                return True
    return False


def test_levels_2_and_3_are_the_hands_that_need_a_division_and_a_fraction() -> None:
    for hand in SOLVABLE[::12] + [hand for hand in SOLVABLE if looked_up(hand, 24).level == 3]:
        numbers, level = tuple(map(Fraction, hand)), looked_up(hand, 24).level
        assert makes(numbers, divide=False, fractions=True) is (level < 2), hand
        assert makes(numbers, divide=True, fractions=False) is (level < 3), hand


@pytest.mark.parametrize(
    ("hand", "found"),
    [
        ((3, 3, 8, 8), Difficulty(1, 3)),  # 8/(3-8/3)
        ((4, 4, 10, 10), Difficulty(1, 2)),  # (10*10-4)/4
        ((1, 4, 5, 6), Difficulty(2, 3)),
        ((2, 3, 4, 10), difficulty_of((10, 4, 3, 2))),
    ],
)
def test_known_hands(hand: tuple[int, ...], found: Difficulty) -> None:
    assert difficulty_of(hand) == found


def test_few_solutions_are_at_most_three() -> None:
    plain = [looked_up(hand, 24) for hand in SOLVABLE if looked_up(hand, 24).level < 2]
    assert all((found.level == 1) is (found.solutions <= 3) for found in plain)


def test_a_hand_that_cannot_make_the_target_has_no_level() -> None:
    assert difficulty_of((1, 1, 1, 1)) == Difficulty(0, -1)


@pytest.mark.parametrize(
    ("values", "target"), [((4, 6, 1), 24), ((2, 3, 4, 10), 36), ((14, 2, 4, 10), 24), ((1, 2, 3, 4, 5), 24)]
)
def test_what_the_table_lacks_is_counted_only_if_asked_for(values: tuple[int, ...], target: int) -> None:
    assert looked_up(tuple(sorted(values)), target) is UNKNOWN
    assert difficulty_of(values, target).solutions == len(solutions(values, target))


@pytest.fixture
def table_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A place for another table."""
    path = tmp_path / "difficulties.npz"
    monkeypatch.setattr(room, "asset_path", lambda name: path)
    for cached in (room._table, looked_up):
        cached.cache_clear()
    yield path
    for cached in (room._table, looked_up):
        cached.cache_clear()


def test_a_damaged_table_is_named_with_what_to_do(table_at: Path) -> None:
    table_at.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match=r"difficulties.npz is damaged .* python tools/build_difficulties.py"):
        looked_up((1, 2, 3, 4), 24)


def test_a_table_of_another_shape_is_refused(table_at: Path) -> None:
    np.savez(table_at, solutions=np.ones(3, np.uint8), levels=np.ones(3, np.int8))
    with pytest.raises(ValueError, match=r"holds uint8 \(3,\) and int8 \(3,\); rebuild it"):
        looked_up((1, 2, 3, 4), 24)


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_range_keeps_the_hands_of_a_side_that_are_in_it_each_as_likely_as_before(side: Any) -> None:
    every, few = Dealing(side=side), Dealing(side=side, wanted=Wanted(difficulty=(2, 3), solutions=(1, 1)))
    kept = [hand for hand in hands(every) if difficulty_of(values(hand)) in (Difficulty(1, 2), Difficulty(1, 3))]
    assert kept
    assert hands(few) == tuple(kept)
    assert sampler_for(few)._upto == np.cumsum([every.ways(hand) for hand in kept]).tolist()


def values(ranks: tuple[str, ...]) -> tuple[int, ...]:
    return Puzzle(ranks).values


@pytest.mark.parametrize(
    "settings",
    [
        {"difficulty": 3},
        {"difficulty": (0, 1), "solutions": [2, 4]},
        {"solutions": (1, 2), "rule": "rank", "side": "test"},
        {"solutions": 1, "cards": 3},
        {"difficulty": (0, 3), "cards": 5},
        {"difficulty": 2, "stated_rule": "rank"},
        {"solutions": 1, "operators": "+*"},
        {"difficulty": (2, 3), "rule": ["ten", "rank"]},
        {"solutions": (1, 2), "numbers": (1, 20), "cards": 3},
    ],
)
def test_hands_in_the_range_alone_are_dealt_and_told(settings: dict[str, Any]) -> None:
    env = GeneralPointsEnv(**settings)
    dealings = [dealing for dealing, _ in env.config.dealings]
    for seed in range(5):
        info = env.reset(seed=seed)[1]
        found = difficulty_of(env.puzzle.values, 24, env.puzzle.operators)
        assert (info["solutions"], info["difficulty"]) == found
        assert dealings[0].wanted.admits(found)
        assert any(dealing.on_side(env.puzzle.ranks) for dealing in dealings)


def test_without_the_settings_nothing_is_counted() -> None:
    for settings in ({"cards": 5}, {"target": 36}, {"rule": {"J": 50, "Q": 60, "K": 70}, "face_cards": "condition"}):
        before = counted.cache_info().misses
        info = GeneralPointsEnv(**settings).reset(seed=0)[1]
        assert (info["solutions"], info["difficulty"]) == (-1, -1)
        assert counted.cache_info().misses == before


def test_the_scored_rule_tells_the_difficulty() -> None:
    puzzle = Puzzle(("3", "3", "J", "J"), {"J": 8, "Q": 9, "K": 10}, stated_rule="ten")
    assert GeneralPointsQuestion.of(puzzle).difficulty_measures == {"solutions": 1, "difficulty": 3}


def test_rows_tell_the_difficulty_and_hold_the_episode() -> None:
    for row in verienv.rows(ENV_ID, n=3, target=30, solutions=(1, 2)):
        episode = verienv.Episode.of(row)
        assert {name: row[name] for name in ("solutions", "difficulty")} == episode.question.difficulty_measures
        assert row["solutions"] in (1, 2)


def test_fewer_operators_leave_fewer_solutions() -> None:
    assert difficulty_of((1, 2, 3, 4)) > difficulty_of((1, 2, 3, 4), 24, "+*")
    assert GeneralPointsQuestion.of(Puzzle(("A", "2", "3", "4"), operators="+*")).difficulty_measures["solutions"] == -1


def test_a_row_of_ones_own_may_have_columns_of_these_names() -> None:
    assert verienv.judge({"cards": ["4", "3", "2", "K"], "difficulty": "easy", "solutions": ["x"]}, "").reward == -3.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"difficulty": 4}, r"difficulty=4: expected an integer from 0 to 3, or the fewest and the most, such as"),
        ({"difficulty": (3, 2)}, r"difficulty=\(3, 2\): expected an integer"),
        ({"difficulty": "hard"}, r"difficulty='hard': expected an integer"),
        ({"difficulty": True}, r"difficulty=True: expected an integer"),
        ({"solutions": (0, 2)}, r"solutions=\(0, 2\): expected an integer from 1 to"),
        ({"solutions": [1, 2, 3]}, r"solutions=\[1, 2, 3\]: expected an integer"),
        (
            {"difficulty": 3, "solutions": (3, 9)},
            r"difficulty 3 to 3, solutions 3 to 9; there are hands of difficulty 0 \(\d+\), 1 \(\d+\), 2 \(\d+\), "
            r"3 \(\d+\), with 1 to \d+ solutions",
        ),
        ({"difficulty": 3, "cards": 3, "target": 7}, "there were hands of difficulty 0"),
        (
            {"difficulty": 2, "operators": "+*"},
            r"operators \+\*, .* there are hands of difficulty 0 \(\d+\), 1 \(\d+\), w",
        ),
        ({"solutions": 1, "cards": 6}, "ask for a difficulty of at most 5 cards"),
    ],
)
def test_a_range_that_admits_no_hand_is_an_error_that_says_what_there_is(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        gym.make(ENV_ID, **settings)
    assert "\n" not in str(caught.value)


def test_a_dealing_takes_a_wanted_alone() -> None:
    with pytest.raises(ValueError, match="expected a Wanted"):
        Dealing(wanted=(1, 2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"solutions=\(2, 1\): expected an integer"):
        Wanted(solutions=(2, 1))
