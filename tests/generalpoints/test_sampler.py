"""Dealing: the exact distributions, the sides, and the bound on rejection."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, product
from math import factorial, sqrt
from typing import Any

import numpy as np
import pytest

from verienv.generalpoints import sampler
from verienv.generalpoints.cards import FACES, RANKS, SUIT_LETTERS
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.sampler import Dealing, Sampler, hands
from verienv.generalpoints.suits import with_suits

TEN, RANK = PRESETS["ten"], PRESETS["rank"]
Hand = tuple[str, ...]


def dealing(rule: str = "ten", **settings: Any) -> Dealing:
    return Dealing(rule=PRESETS[rule], stated_rule=PRESETS[settings.pop("stated", rule)], **settings)


def drawn(sampling: str, face_cards: str, suits: str) -> Counter[Hand]:
    """How often each rank multiset comes up over all equally likely draws, counted by drawing them all."""
    deck = [rank for rank in RANKS for _ in SUIT_LETTERS[suits]]
    if face_cards != "force":
        draws: Iterable[Hand] = combinations(deck, 4) if sampling == "deck" else product(RANKS, repeat=4)
    elif sampling == "iid":
        draws = product(FACES, *[RANKS] * 3)
    else:
        rests = {face: [*deck[: deck.index(face)], *deck[deck.index(face) + 1 :]] for face in FACES}
        draws = ((face, *rest) for face in FACES for rest in combinations(rests[face], 3))
    counts: Counter[Hand] = Counter()
    for hand, count in Counter(draws).items():
        if face_cards == "any" or any(rank in FACES for rank in hand):
            counts[tuple(sorted(hand, key=RANKS.index))] += count
    return counts


@pytest.mark.parametrize("suits", ["all", "red"])
@pytest.mark.parametrize("face_cards", ["any", "condition", "force"])
@pytest.mark.parametrize("sampling", ["deck", "iid"])
def test_every_hand_has_exactly_its_probability(sampling: Any, face_cards: Any, suits: Any) -> None:
    counts = drawn(sampling, face_cards, suits)
    setting = dealing(sampling=sampling, face_cards=face_cards, suits=suits)
    admitted = hands(setting)
    ways = sum(map(setting.ways, admitted))
    total = sum(count for hand, count in counts.items() if setting.admits(hand))
    assert {hand for hand in counts if setting.admits(hand)} == set(admitted)
    assert all(Fraction(setting.ways(hand), ways) == Fraction(counts[hand], total) for hand in admitted)


@pytest.mark.parametrize(
    ("settings", "ten", "rank"),
    [
        ({"sampling": "iid"}, "20876/28561", "22615/28561"),
        ({"sampling": "iid", "face_cards": "force"}, "3876/6591", "4815/6591"),
        ({"sampling": "iid", "face_cards": "condition"}, "12318/18561", "14057/18561"),
        ({}, "201956/270725", "217817/270725"),
        ({"face_cards": "condition"}, "122020/179335", "137881/179335"),
        ({"suits": "black"}, "11392/14950", "12233/14950"),
        ({"suits": "red", "face_cards": "condition"}, "7057/10105", "7898/10105"),
    ],
)
def test_the_probability_that_a_hand_reaches_24(settings: dict[str, Any], ten: str, rank: str) -> None:
    for rule, probability in (("ten", ten), ("rank", rank)):
        setting = dealing(rule, **settings)
        counts = drawn(setting.sampling, setting.face_cards, setting.suits)
        ways = sum(setting.ways(hand) for hand in counts)
        assert Fraction(sum(setting.ways(hand) for hand in hands(setting)), ways) == Fraction(probability)


def test_1651_rank_hands_can_be_dealt_from_two_suits() -> None:
    two = dealing(suits="black")
    assert sum(two.ways(hand) > 0 for hand in drawn("iid", "any", "all")) == 1651


def assert_follows(observed: Counter[Any], expected: dict[Any, int]) -> None:
    """Chi-square within four standard deviations; cells that expect fewer than five are pooled."""
    draws, ways = observed.total(), sum(expected.values())
    assert set(observed) <= set(expected)
    cells = [(observed[cell], draws * weight / ways) for cell, weight in expected.items()]
    rare = [cell for cell in cells if cell[1] < 5]
    cells = [cell for cell in cells if cell[1] >= 5]
    if sum(expects for _, expects in rare) >= 5:
        cells.append((sum(saw for saw, _ in rare), sum(expects for _, expects in rare)))
    statistic, freedom = sum((saw - expects) ** 2 / expects for saw, expects in cells), len(cells) - 1
    assert freedom > 2
    assert abs(statistic - freedom) < 4 * sqrt(2 * freedom)


@pytest.mark.parametrize("face_cards", ["any", "condition", "force"])
@pytest.mark.parametrize("sampling", ["deck", "iid"])
def test_deals_follow_the_distribution(sampling: Any, face_cards: Any) -> None:
    setting = dealing(sampling=sampling, face_cards=face_cards, side="test")
    rng, dealt = np.random.default_rng(0), Sampler(setting)
    observed = Counter(tuple(sorted(dealt.deal(rng), key=RANKS.index)) for _ in range(20_000))
    assert_follows(observed, {hand: setting.ways(hand) for hand in hands(setting)})


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize(("sampling", "face_cards"), [("deck", "condition"), ("iid", "force")])
def test_deals_by_rejection_follow_the_same_distribution(
    count: int, sampling: Any, face_cards: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "reaches", lambda values, target, operators: sum(values) % 7 == 0)
    setting = dealing(count=count, sampling=sampling, face_cards=face_cards)
    hands.cache_clear()
    rng, dealt = np.random.default_rng(0), Sampler(setting)
    observed = Counter(tuple(sorted(dealt.deal(rng), key=RANKS.index)) for _ in range(2000))
    assert_follows(observed, {hand: setting.ways(hand) for hand in hands(setting)})
    hands.cache_clear()


@pytest.mark.parametrize("sampling", ["deck", "iid"])
@pytest.mark.parametrize("face_cards", ["any", "force"])
def test_each_choice_of_suits_of_a_hand_is_equally_likely(sampling: Any, face_cards: Any) -> None:
    setting = dealing(sampling=sampling, face_cards=face_cards)
    for hand in [("2", "J", "J", "J"), ("A", "6", "6", "K"), ("A", "6", "J", "K")]:
        faces = sum(rank in FACES for rank in hand) if face_cards == "force" else 1
        orders = factorial(max(hand.count(rank) for rank in hand))
        ways = setting.ways(hand) // faces * orders if sampling == "deck" else 4**4
        counts = Counter(with_suits(hand, setting, way) for way in range(3 * ways))
        assert set(counts.values()) == {3}
        assert len(counts) == ways
        assert all([card[:-1] for card in cards] == list(hand) for cards in counts)
        if sampling == "deck":
            assert all(len(set(cards)) == 4 for cards in counts)


def test_the_same_way_puts_like_suits_in_like_places_of_a_black_and_of_a_red_deck() -> None:
    black, red = dealing(suits="black"), dealing(suits="red")
    for way in range(64):
        cards = with_suits(("A", "6", "6", "K"), black, way)
        reddened = [card[:-1] + {"C": "D", "S": "H"}[card[-1]] for card in cards]
        assert list(with_suits(("A", "6", "6", "K"), red, way)) == reddened


def test_every_order_of_a_hand_is_equally_likely() -> None:
    rng, dealt = np.random.default_rng(2), Sampler(dealing())
    orders = Counter(
        tuple(sorted(range(4), key=[RANKS.index(rank) for rank in hand].__getitem__))
        for hand in (dealt.deal(rng) for _ in range(20_000))
        if len(set(hand)) == 4
    )
    assert_follows(orders, dict.fromkeys(orders, 1))
    assert len(orders) == 24


@pytest.mark.parametrize("count", [3, 5, 6])
@pytest.mark.parametrize("sampling", ["deck", "iid"])
def test_hands_of_another_size_are_dealt_by_rejection(count: int, sampling: Any) -> None:
    setting = dealing("rank", count=count, sampling=sampling, face_cards="condition", side="test", suits="black")
    rng, dealt = np.random.default_rng(0), Sampler(setting)
    for _ in range(10):
        ranks = dealt.deal(rng)
        assert len(ranks) == count
        assert setting.admits(ranks)


def test_rejection_gives_up_after_a_thousand_deals_and_names_target_and_rule() -> None:
    with pytest.raises(ValueError, match=r"1000 deals brought no hand with target 9999, rule seven, 3 cards.*choose"):
        Sampler(dealing("seven", count=3, target=9999)).deal(np.random.default_rng(0))


def test_a_setting_that_admits_no_hand_of_four_is_refused_at_once_and_names_target_and_rule() -> None:
    with pytest.raises(ValueError, match=r"no hand can be dealt: target 99999, rule seven, 4 cards.*change target"):
        Sampler(dealing("seven", target=99_999))


def test_hands_dealt_for_the_probe_are_solvable_under_both_rules_and_on_the_side_under_both() -> None:
    probe = set(hands(dealing("rank", stated="ten", side="test")))
    assert probe == set(hands(dealing("rank", side="test"))) & set(hands(dealing("ten", side="test")))
    assert len(probe) == 361


PER_RULE = {
    "ten": (827, 380, 409, 186), "rank": (916, 916, 446, 446), "five": (731, 380, 258, 186),
    "six": (768, 380, 277, 186), "seven": (712, 380, 252, 186), "eight": (843, 380, 267, 186),
    "nine": (675, 380, 237, 186), "eleven": (826, 505, 414, 251), "twelve": (1031, 546, 499, 270),
    "thirteen": (790, 497, 408, 250), "five_six_seven": (768, 380, 266, 186), "eight_nine_ten": (787, 380, 297, 186),
    "seven_nine_eleven": (744, 505, 302, 251), "reversed": (916, 916, 446, 446),
}  # fmt: skip
"""Rank hands and value multisets on the train side, then on the test side, for each preset rule."""


def value_multisets(rule: FaceRule, admitted: Iterable[Hand]) -> set[tuple[int, ...]]:
    return {tuple(sorted(rule.values[rank] for rank in hand)) for hand in admitted}


def test_the_number_of_hands_and_problems_per_side_and_rule_is_pinned() -> None:
    counts = {}
    for name, rule in PRESETS.items():
        sides = [hands(dealing(name, side=side)) for side in ("train", "test")]
        counts[name] = tuple(n for side in sides for n in (len(side), len(value_multisets(rule, side))))
    assert counts == PER_RULE


def test_the_rule_ood_split_has_260_problems_175_of_them_pairs() -> None:
    ood = hands(dealing("rank", face_cards="condition", side="test"))
    assert len(ood) == len(value_multisets(RANK, ood)) == 260
    assert len(set(ood) & set(hands(dealing(side="test")))) == 175


@pytest.mark.parametrize("target", [24, 12, 36])
def test_no_value_multiset_dealt_on_train_under_any_rule_is_dealt_on_test_under_any_rule(target: int) -> None:
    trained, tested = (
        {
            values
            for name, rule in PRESETS.items()
            for values in value_multisets(rule, hands(dealing(name, side=side, target=target)))
        }
        for side in ("train", "test")
    )
    assert trained
    assert tested
    assert not trained & tested


def test_no_rank_multiset_is_on_train_under_one_rule_and_on_test_under_another() -> None:
    trained, tested = (
        {hand for name in PRESETS for hand in hands(dealing(name, side=side))} for side in ("train", "test")
    )
    assert not trained & tested


def test_rules_of_ones_own_do_not_leak_either() -> None:
    rules = [FaceRule(J=j, Q=q, K=k) for j, q, k in ((2, 14, 99), (1, 1, 1), (19, 5, 13), (10, 11, 9))]
    sides = [
        {
            values
            for rule in rules
            for values in value_multisets(rule, hands(Dealing(rule=rule, stated_rule=rule, side=side)))
        }
        for side in ("train", "test")
    ]
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 1}, {"count": 4.0}, {"count": True}, {"target": 0}, {"target": float("nan")}, {"rule": "ten"},
        {"stated_rule": None}, {"sampling": "decks"}, {"face_cards": ["any"]}, {"suits": "blue"}, {"side": None},
    ],
)  # fmt: skip
def test_a_dealing_says_which_of_its_fields_is_wrong(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(fields))}=.*: expected "):
        Dealing(**fields)
