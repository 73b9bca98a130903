"""Rule, target and number of cards as lists or weighted mappings, drawn with the hand."""

import json
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv.generalpoints import PRESETS, GeneralPointsConfig
from verienv.generalpoints.mixture import Mixture, parse_rule, parse_target, shares
from verienv.generalpoints.sampler import Sampler, hands

WORDS, VISION = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
TEN, RANK = PRESETS["ten"], PRESETS["rank"]
OWN = {"J": 5, "Q": 6, "K": 7}


def env_of(env_id: str = WORDS, **settings: Any) -> Any:
    return gym.make(env_id, **settings).unwrapped


def puzzles_of(env: Any, count: int) -> list[Any]:
    return [env.reset(seed=seed) and env.puzzle for seed in range(count)]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("ten", TEN),
        (OWN, PRESETS["five_six_seven"]),
        (["ten"], TEN),
        (["ten", "rank"], ((TEN, 1.0), (RANK, 1.0))),
        ({"ten": 0.7, "rank": 3}, ((TEN, 0.7), (RANK, 3.0))),
        ({"ten": 1, json.dumps(OWN): 2}, ((TEN, 1.0), (PRESETS["five_six_seven"], 2.0))),
        ([["rank", 0.25], [OWN, 0.75]], ((RANK, 0.25), (PRESETS["five_six_seven"], 0.75))),
        (["ten", OWN], ((TEN, 1.0), (PRESETS["five_six_seven"], 1.0))),
    ],
)
def test_rules_are_read_as_one_a_list_pairs_or_weights(given: Any, read: Any) -> None:
    assert parse_rule(given) == read


@pytest.mark.parametrize("given", [{"24": 0.9, "36": 0.1}, {24: 0.9, 36: 0.1}, [[24, 0.9], [36, 0.1]]])
def test_targets_may_have_texts_for_keys(given: Any) -> None:
    assert parse_target(given) == ((24, 0.9), (36, 0.1))


def test_weights_are_proportions_however_large() -> None:
    assert shares(parse_target({24: 1e308, 36: 1e308})) == [(24, 0.5), (36, 0.5)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": []}, r"rule=\[\]: expected 1 to 256 values"),
        ({"rule": ["ten", "tenn"]}, "rule='tenn' is not a preset"),
        ({"rule": {"ten": 0, "rank": 1}}, "rule='ten' has the weight 0: expected a positive finite number"),
        ({"rule": {"ten": float("nan")}}, "rule='ten' has the weight nan"),
        ({"rule": {"ten": True}}, "rule='ten' has the weight True"),
        ({"rule": {"ten": 10**400}}, "rule='ten' has the weight"),
        ({"rule": {"{": 1}}, "a key is no JSON"),
        ({"rule": "any", "target": [24, 36], "cards": [3, 4, 5]}, "make 4368 combinations: expected at most 4096"),
        ({"rule": "any", "held_out_rules": ["tenn"]}, "rule='tenn' is not a preset"),
        ({"rule": {"J": 5, "ten": 1}}, "gives no number for Q, K"),
        ({"target": [24, 0]}, "target=0: expected an integer from 1 to 999999"),
        ({"target": {"x": 1}}, "target='x': expected an integer from 1 to 999999"),
        ({"cards": [3, 7]}, "cards=7: expected an integer from 2 to 6"),
        ({"target": list(range(1, 101)), "cards": [3, 4, 5]}, "make 300 combinations: expected at most 256"),
        ({"target": [24, 999_983]}, "no hand can be dealt: target 999983, rule ten, 4 cards"),
        ({"target": [24, 999_983], "cards": 5}, "1000 deals brought no hand with target 999983, rule ten, 5 cards"),
    ],
)
def test_what_is_wrong_is_named_when_the_environment_is_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        env_of(**settings)
    assert len(str(caught.value)) < 400


def test_one_value_in_a_list_deals_as_it_does_alone() -> None:
    one, alone = env_of(rule=["ten"], target={"24": 3}, cards=[4]), env_of()
    assert puzzles_of(one, 20) == puzzles_of(alone, 20)


def test_each_value_is_drawn_as_often_as_its_weight_says_and_stated() -> None:
    env = env_of(rule={"ten": 0.8, "rank": 0.2}, target=[24, 36])
    counts = Counter[Any]()
    for seed in range(500):
        text = env.reset(seed=seed)[0]["text"]
        counts[env.puzzle.rule.name, env.puzzle.target] += 1
        assert f"Make {env.puzzle.target} " in text
        assert env.puzzle.rule.text in text
    assert set(counts) == {(rule, target) for rule in ("ten", "rank") for target in (24, 36)}
    assert abs(counts["rank", 24] + counts["rank", 36] - 100) < 40
    assert abs(counts["ten", 36] + counts["rank", 36] - 250) < 50


def test_the_hand_is_one_that_its_combination_admits_on_its_side() -> None:
    config = GeneralPointsConfig(rule=["ten", "rank"], side="test")  # type: ignore[arg-type]
    admitted = {dealing.rule.name: {tuple(sorted(hand)) for hand in hands(dealing)} for dealing, _ in config.dealings}
    for puzzle in puzzles_of(env_of(rule=["ten", "rank"], side="test"), 60):
        assert tuple(sorted(puzzle.ranks)) in admitted[puzzle.rule.name]


@pytest.mark.parametrize("env_id", [WORDS, VISION])
def test_rows_hold_what_was_drawn_and_deal_it_again(env_id: str) -> None:
    settings = {"rule": {"ten": 0.5, "rank": 0.5}, "target": (24, 36), "cards": [3, 4, 5]}
    rules = set()
    for row in verienv.rows(env_id, n=8, seed=1, **settings):
        row = json.loads(json.dumps(row))
        episode, env = verienv.Episode.of(row), env_of(env_id, **settings)
        env.reset(seed=row["seed"])
        assert episode.question.facts == env.puzzle
        assert verienv.Question.from_row(row).facts == env.puzzle
        assert verienv.judge(row, env.expert_response()).is_correct
        assert [picture.tolist() for picture in episode.pictures] == [each.tolist() for each in env.pictures]
        rules.add((env.puzzle.rule.name, len(env.puzzle.cards)))
    assert len(rules) > 2


def test_an_instance_fixes_target_and_cards_and_the_rule_is_drawn_among_those_that_admit_it() -> None:
    env = env_of(rule=["ten", "rank"], target=[24, 36], cards=[3, 4], side="all")
    both, only_ten = "generalpoints:4-3-2-9:24", "generalpoints:4-3-2-K:36"
    rules = Counter[str]()
    for seed in range(40):
        env.reset(seed=seed, options={"instance": both})
        assert (env.puzzle.target, len(env.puzzle.ranks)) == (24, 4)
        rules[env.puzzle.rule.name] += 1
    assert min(rules["ten"], rules["rank"]) > 8
    admitting = {dealing.rule.name for dealing in env._mixture.dealings if dealing.holds(("4", "3", "2", "K"))}
    assert {env.reset(seed=seed, options={"instance": only_ten}) and env.puzzle.rule.name for seed in range(9)} <= (
        admitting
    )
    env.reset(options={"instance": both})
    first = env.puzzle
    env.reset(options={"instance": both})
    assert env.puzzle == first
    with pytest.raises(ValueError, match=r"cannot be dealt here .* or any of 7 other combinations"):
        env.reset(options={"instance": "generalpoints:4-3-2-9:25"})


def test_no_rounding_leads_to_a_dealing_that_does_not_admit_the_instance() -> None:
    class Top:
        def random(self) -> float:
            return 1.0

    config = GeneralPointsConfig(target=[24, 36])  # type: ignore[arg-type]
    number, _ = Mixture(config.dealings).given("generalpoints:4-3-2-K:24", Top())  # type: ignore[arg-type]
    assert number == 0


def test_hands_solvable_under_the_scored_rule_alone_are_dealt_if_asked_for() -> None:
    both, scored = (
        GeneralPointsConfig(rule="rank", stated_rule="ten", solvable=solvable).dealing  # type: ignore[arg-type]
        for solvable in ("both", "scored")
    )
    assert set(hands(both)) < set(hands(scored))
    alone = next(hand for hand in hands(scored) if hand not in set(hands(both)))
    env = env_of(rule="rank", stated_rule="ten", solvable="scored")
    env.reset(options={"instance": f"generalpoints:{'-'.join(alone)}:24"})
    assert env.step(env.expert_response())[1] == 5.0


def test_hands_solvable_under_one_rule_alone_keep_all_keys_on_their_side() -> None:
    dealt = {
        side: hands(GeneralPointsConfig(rule="rank", stated_rule="ten", solvable="scored", side=side).dealing)  # type: ignore[arg-type]
        for side in ("train", "test")
    }
    values = {
        side: {tuple(sorted(rule.values[rank] for rank in hand)) for hand in found for rule in (TEN, RANK)}
        for side, found in dealt.items()
    }
    assert not values["train"] & values["test"]


def test_the_plain_settings_of_a_mixture_are_json() -> None:
    row = verienv.rows(WORDS, n=1, rule=(("ten", 1), ("rank", 2.5)), cards=(3, 4))[0]
    settings = json.loads(row["settings"])
    assert settings["cards"] == [[3, 1.0], [4, 1.0]]
    assert [weight for _, weight in settings["rule"]] == [1.0, 2.5]


def test_tokens_play_several_rules_and_refuse_several_targets_or_numbers_of_cards() -> None:
    env = gym.make("verienv/GeneralPoints-Tokens-v0", rule=["ten", "rank"]).unwrapped
    for seed in range(4):
        env.reset(seed=seed)
        assert [env.step(token)[1] for token in env.expert_actions()][-1] == 5.0
    for settings in ({"target": [24, 36]}, {"cards": [3, 4]}):
        with pytest.raises(ValueError, match="give one of cards and of target"):
            gym.make("verienv/GeneralPoints-Tokens-v0", **settings)


def test_one_draw_chooses_the_combination() -> None:
    config = GeneralPointsConfig(rule=["ten", "rank"])  # type: ignore[arg-type]
    used, other = np.random.default_rng(5), np.random.default_rng(5)
    number, ranks = Mixture(config.dealings).deal(used)
    other.random()
    assert Mixture(config.dealings)._samplers[number].deal(other) == ranks


def test_any_rule_is_drawn_with_each_hand_from_5_to_13_but_for_those_held_out() -> None:
    env = env_of(rule="any", held_out_rules=["ten", OWN])
    rules = {one for dealing in env._mixture.dealings for one in [dealing.rule]}
    assert len(rules) == len(env._mixture.dealings) == 727
    assert not rules & {TEN, PRESETS["five_six_seven"]}
    assert {value for rule in rules for value in (rule.J, rule.Q, rule.K)} == set(range(5, 14))
    met = puzzles_of(env, 40)
    assert len({puzzle.rule for puzzle in met}) > 30
    for seed, puzzle in enumerate(met):
        assert puzzle.rule.text in env.reset(seed=seed)[0]["text"]
        assert env.step(env.expert_response())[1] == 5.0


def test_any_rule_is_never_that_of_the_rule_ood_split_unless_it_is_asked_for() -> None:
    rules = {dealing.rule for dealing, _ in GeneralPointsConfig(rule="any").dealings}  # type: ignore[arg-type]
    assert RANK not in rules
    assert len(rules) == 728
    assert RANK in {dealing.rule for dealing, _ in GeneralPointsConfig(rule="any", held_out_rules=()).dealings}  # type: ignore[arg-type]


def test_replay_is_a_share_of_hands_under_any_other_rule() -> None:
    settings = {"rule": {"ten": 0.9, "any": 0.1}, "target": [24]}
    rules = Counter(puzzle.rule.name for puzzle in puzzles_of(env_of(**settings), 300))
    assert 250 <= rules["ten"] < 290
    assert max(count for name, count in rules.items() if name != "ten") <= 3
    row = json.loads(json.dumps(verienv.rows(WORDS, n=1, **settings)[0]))
    assert verienv.Episode.of(row).question.facts == verienv.Question.from_row(row).facts


@pytest.mark.parametrize("cards", [3, 4])
def test_hands_that_are_not_listed_are_dealt_as_often_as_those_that_are(cards: int) -> None:
    dealing = GeneralPointsConfig(cards=cards, face_cards="force", suits="red").dealing  # type: ignore[arg-type]
    chances, drawn = np.random.default_rng(3), Counter[Any]()
    sampler = Sampler(dealing, lists=False)
    for _ in range(400):
        drawn[tuple(sorted(sampler.deal(chances), key=dealing.ranks.index))] += 1
    ways = {hand: dealing.ways(hand) for hand in hands(dealing)}
    assert drawn.keys() <= ways.keys()
    faces = [sum(rank in ("J", "Q", "K") for rank in hand) for hand in ways]
    expected = np.average(faces, weights=[*ways.values()])
    found = sum(count * sum(rank in ("J", "Q", "K") for rank in hand) for hand, count in drawn.items()) / 400
    assert abs(found - expected) < 0.15
