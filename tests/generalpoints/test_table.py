"""The shipped table of what four cards can reach, and the counts that it must reproduce."""

from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest

from verienv.arithmetic.solver import is_solvable, multisets
from verienv.core import assets
from verienv.generalpoints import table
from verienv.generalpoints.cards import FACES, RANKS
from verienv.generalpoints.rules import PRESETS
from verienv.generalpoints.table import load_table, reaches

HANDS = list(multisets(13, 4))
RANK_HANDS = list(combinations_with_replacement(RANKS, 4))


def solvable(hand: tuple[str, ...], rule: str) -> bool:
    return reaches([PRESETS[rule].values[rank] for rank in hand], 24)


@pytest.mark.parametrize(("largest", "reaching", "of"), [(13, 1362, 1820), (10, 566, 715), (9, 404, 495)])
def test_how_many_multisets_reach_24(largest: int, reaching: int, of: int) -> None:
    hands = list(multisets(largest, 4))
    assert (sum(reaches(hand, 24) for hand in hands), len(hands)) == (reaching, of)


def test_how_many_multisets_with_a_value_above_ten_reach_24() -> None:
    above = [hand for hand in HANDS if hand[-1] > 10]
    assert (sum(reaches(hand, 24) for hand in above), len(above)) == (796, 1105)


def test_how_many_rank_hands_reach_24_under_the_papers_rules() -> None:
    ten = {hand for hand in RANK_HANDS if solvable(hand, "ten")}
    rank = {hand for hand in RANK_HANDS if solvable(hand, "rank")}
    assert (len(ten), len(rank), len(ten & rank), len(RANK_HANDS)) == (1236, 1362, 1095, 1820)


def test_how_many_hands_with_a_face_card_reach_24_under_both_one_or_neither_rule() -> None:
    faces = [hand for hand in RANK_HANDS if set(hand) & set(FACES)]
    kinds = [(solvable(hand, "ten"), solvable(hand, "rank")) for hand in faces]
    assert [kinds.count(kind) for kind in ((True, True), (False, True), (True, False), (False, False))] == [
        529, 267, 141, 168,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "count"), [(24, 1362), (12, 1535), (18, 1397), (20, 1372), (36, 1270), (30, 1193), (40, 1157)]
)
def test_how_many_multisets_reach_other_targets(target: int, count: int) -> None:
    assert sum(reaches(hand, target) for hand in HANDS) == count


def test_the_solver_agrees_with_the_table_on_every_hand_for_24() -> None:
    assert [is_solvable(hand, 24) for hand in HANDS] == [reaches(hand, 24) for hand in HANDS]


def test_the_solver_agrees_with_the_table_on_a_sample_of_hands_and_targets() -> None:
    rng = np.random.default_rng(0)
    for row, target in zip(rng.integers(len(HANDS), size=3000), rng.integers(1, 257, size=3000), strict=True):
        assert is_solvable(HANDS[row], int(target)) == reaches(HANDS[row], int(target)), (HANDS[row], target)


@pytest.mark.parametrize(
    ("values", "target", "reached"),
    [((14, 19, 2, 7), 24, True), ((1, 1, 1, 1), 300, False), ((13, 13, 13, 13), 28561, True), ((4, 6, 1), 24, True)],
)
def test_what_the_table_does_not_hold_is_searched_for(values: tuple[int, ...], target: int, reached: bool) -> None:
    assert reaches(values, target) is reached


@pytest.fixture
def table_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A place for another table."""
    path = tmp_path / "four_cards.npz"
    monkeypatch.setattr(table, "asset_path", lambda name: path)
    load_table.cache_clear()
    yield path
    load_table.cache_clear()


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_a_damaged_table_is_named_with_what_to_do(table_at: Path, content: bytes) -> None:
    table_at.write_bytes(content)
    with pytest.raises(ValueError, match=r"four_cards.npz is damaged .* python tools/build_table.py") as caught:
        load_table()
    assert "\n" not in str(caught.value)


def test_a_table_with_a_flipped_byte_is_damaged(table_at: Path) -> None:
    np.savez_compressed(table_at, reaches=np.ones((1820, 32), np.uint8))
    content = bytearray(table_at.read_bytes())
    content[len(content) // 4] ^= 0xFF
    table_at.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_table()


def test_a_table_of_pickles_is_refused(table_at: Path) -> None:
    np.savez(table_at, reaches=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="damaged"):
        load_table()


def test_a_table_of_another_shape_is_refused(table_at: Path) -> None:
    np.savez(table_at, reaches=np.zeros((3, 32), np.uint8))
    with pytest.raises(ValueError, match=r"holds uint8 \(3, 32\); rebuild it with python tools/build_table.py"):
        load_table()


def test_a_missing_table_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "PACKAGE", tmp_path / "site-packages" / "verienv")
    load_table.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"'tables/four_cards.npz' is missing; reinstall verienv") as caught:
        load_table()
    assert "\n" not in str(caught.value)
