"""Cards as people and policies write them."""

import pytest

from verienv.generalpoints.cards import RANKS, read_rank, split_card


@pytest.mark.parametrize("rank", RANKS)
def test_every_rank_reads_as_itself_in_any_case_with_any_suit(rank):
    for written in (
        rank,
        rank.lower(),
        f" {rank} ",
        rank + "S",
        rank + "♥",
        f"{rank} of Clubs",
        f"{rank.lower()} d",
        f"{rank}♦️",
    ):
        assert read_rank(written) == rank


@pytest.mark.parametrize(
    ("written", "rank"),
    [("T", "10"), ("t", "10"), ("ten", "10"), (10, "10"), ("1", "A"), (1, "A"), ("Ace", "A"), ("ACE OF SPADES",
     "A"), (7, "7"),
     ("King of Spades", "K"), ("queen", "Q"), ("jackS", "J"), ("TH", "10"), ("seven of ♣", "7"), ("K of hearts", "K")],
)  # fmt: skip
def test_another_spelling_reads_as_the_rank(written, rank):
    assert read_rank(written) == rank


@pytest.mark.parametrize(
    "written",
    ["", "11", 11, 13, 0, -1, "0", "100", "1O", "B", "KK", "King of Nothing", "K of",
     None, True, False, 1.0, [], {}, "１", "А", "\u212a",
     "queen of ſ", "A" * 1000, "10\u0301", "K\0", "♠"],
)  # fmt: skip
def test_what_is_no_card_is_none(written):
    assert read_rank(written) is None


def test_a_card_of_a_hand_is_a_rank_with_or_without_a_suit():
    assert split_card("10S") == ("10", "S")
    assert split_card("K") == ("K", "")


@pytest.mark.parametrize("card", ["1", "T", "k", "10s", "KSS", "", "K♠", None, 4])
def test_a_wrong_card_is_an_error_that_says_what_is_accepted(card):
    with pytest.raises(ValueError, match=r"expected a rank \(A, 2"):
        split_card(card)
