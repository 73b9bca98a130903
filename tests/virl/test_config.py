"""Settings: what splits stand for, and one-line errors for what is not accepted."""

import re
from typing import Any

import pytest

from verienv.virl import SPLITS, TEST_CITIES
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.sampler import CITIES, shipped_plans


def parts(**settings: Any) -> set[str]:
    env = VIRLEnv(**settings)
    return {env.reset(seed=seed)[1]["instance"].split(":")[1] for seed in range(40)}


def test_train_and_test_are_different_parts_of_a_city() -> None:
    assert parts() == {"montevideo-centre"}
    assert parts(split="test") == parts(split="rule_ood") == {"montevideo-north"}
    assert parts(side="all") == {"montevideo-centre", "montevideo-north"}


def test_the_unseen_cities_are_those_without_a_training_side() -> None:
    assert {city for city, sides in CITIES.items() if "train" not in sides} == set(TEST_CITIES)
    assert parts(split="visual_ood") == parts(split="rule_visual_ood") == set(TEST_CITIES)


def test_the_rule_is_the_action_space() -> None:
    assert {split: VIRLEnv(split=split).config.actions for split in SPLITS} == {
        "train": "absolute", "test": "absolute", "rule_ood": "relative", "visual_ood": "absolute",
        "rule_visual_ood": "relative",
    }  # fmt: skip


def test_an_explicit_setting_beats_the_splits() -> None:
    env = VIRLEnv(split="rule_visual_ood", actions="absolute", city="helsinki")
    assert (env.config.actions, env.config.city, env.config.side) == ("absolute", ("helsinki",), "test")


@pytest.mark.parametrize("split", ["visual_ood", "rule_visual_ood"])
@pytest.mark.parametrize("city", ["mine.json", "grid-7", "montevideo", ["astana", "montevideo"]])
def test_a_city_that_is_not_new_is_refused_where_the_split_promises_one(split: str, city: Any) -> None:
    without = {"visual_ood": "test", "rule_visual_ood": "rule_ood"}[split]
    message = (
        rf"split='{split}' stands for cities that have no train side: astana, helsinki; .* split='{without}', side="
    )
    with pytest.raises(ValueError, match=message):
        VIRLEnv(split=split, city=city)


def test_routes_of_data_are_refused_where_the_split_promises_a_new_city() -> None:
    with pytest.raises(ValueError, match=r"data='mine': split='visual_ood' stands for .* with split='test'$"):
        VIRLEnv(split="visual_ood", data="mine")


@pytest.mark.parametrize("city", ["astana", ["helsinki"], ["helsinki", "astana"]])
def test_a_new_city_may_be_named(city: Any) -> None:
    assert parts(split="visual_ood", city=city) == ({city} if isinstance(city, str) else set(city))


def test_a_city_of_ones_own_is_evaluated_whole() -> None:
    assert parts(split="test", side="all", city="grid-7") == {"grid-7"}


def test_enough_routes_are_shipped() -> None:
    counts = {part: len(shipped_plans(part)) for sides in CITIES.values() for part in sides.values()}
    assert counts == {"montevideo-centre": 1200, "montevideo-north": 300, "astana": 60, "helsinki": 60}


def test_every_number_of_turns_is_as_frequent() -> None:
    for sides in CITIES.values():
        for part in sides.values():
            plans = shipped_plans(part)
            assert {turns: sum(plan.turns == turns for plan in plans) for turns in range(1, 7)} == dict.fromkeys(
                range(1, 7), len(plans) // 6
            )


def test_routes_of_the_wanted_turns_alone_are_dealt() -> None:
    for city in ("montevideo", "grid-5"):
        env = VIRLEnv(city=city, turns=(4, 5))
        assert {env.reset(seed=seed) and env.route.turn_count for seed in range(30)} == {4, 5}


def test_halves_of_a_procedural_city_are_its_sides() -> None:
    assert parts(city="grid-2") == {"grid-2-west"}
    assert parts(city="grid-2", side="test") == {"grid-2-east"}
    assert parts(city="grid-2", side="all") == {"grid-2"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"split": "ood"}, "split='ood': expected one of train, test, rule_ood, visual_ood, rule_visual_ood"),
    ({"actions": "north"}, "actions='north'"),
    ({"spacing": 10}, "spacing=10: expected a number from 15 to 1000"),
    ({"spacing": float("nan")}, "spacing=nan"),
    ({"turns": (3, 2)}, "turns=(3, 2): expected the fewest and the most turns"),
    ({"turns": (7, 9)}, "no route of 7 to 9 turns is shipped for montevideo on the train side"),
    ({"city": "paris"}, "city='paris': expected one of montevideo, astana, helsinki; a procedural city such as"),
    ({"city": "helsinki"}, "astana and helsinki have a test side only"),
    ({"city": ("montevideo", "grid-1")}, "several cities can be named only among montevideo, astana, helsinki"),
    ({"city": ("grid-1", "paris")}, "city='paris': expected one of montevideo, astana, helsinki; a procedural city"),
    ({"city": ("grid-7", "grid-07")}, "city: two of grid-7, grid-7 have one name; leave one out"),
    ({"city": ()}, "several cities can be named only among montevideo, astana, helsinki, or among procedural"),
    ({"episode": "leg"}, "episode='leg'"),
    ({"city": "nowhere.json"}, "nowhere.json"),
    ({"data": "x", "side": "train"}, "side='train': routes from data= have no sides"),
    ({"data": "x", "city": "helsinki"}, "city='helsinki': routes come from a city or from data=, so give one of them"),
    ({"data": "x", "directions": "landmarks"}, "set 'both' or 'absolute'"),
    ({"data": "x", "directions": "relative"}, "set 'both' or 'absolute'"),
    ({"action": "absolute"}, "unknown setting 'action' (did you mean 'actions'?"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=str)
def test_a_wrong_setting_is_named_with_what_is_accepted(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)) as raised:
        VIRLEnv(**settings)
    assert "\n" not in str(raised.value)
