"""Settings of the environment: what splits stand for, and kind errors."""

from typing import Any

import gymnasium as gym
import pytest

from verienv.generalpoints.config import SPLITS, GeneralPointsConfig
from verienv.generalpoints.rules import PRESETS

ENV_ID = "verienv/GeneralPoints-L-v0"


def test_the_splits_are_names_for_settings() -> None:
    named = {split: GeneralPointsConfig(split=split) for split in SPLITS}
    assert {split: (config.side, config.rule.name, config.face_cards) for split, config in named.items()} == {
        "train": ("train", "ten", "any"),
        "test": ("test", "ten", "any"),
        "rule_ood": ("test", "rank", "condition"),
    }


def test_the_default_split_is_train() -> None:
    assert GeneralPointsConfig() == GeneralPointsConfig(split="train")


def test_an_explicit_setting_beats_the_splits() -> None:
    config = GeneralPointsConfig(split="rule_ood", side="train", rule={"J": 5, "Q": 6, "K": 7})  # type: ignore[arg-type]
    assert (config.side, config.rule.name, config.face_cards) == ("train", "five_six_seven", "condition")


def test_the_stated_rule_is_the_scored_rule_unless_given() -> None:
    assert GeneralPointsConfig(split="rule_ood").dealing.stated_rule == PRESETS["rank"]
    assert GeneralPointsConfig(stated_rule="five").dealing.stated_rule == PRESETS["five"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "valid"}, r"split='valid': expected one of train, test, rule_ood"),
        ({"split": ["train"]}, r"split=\['train'\]: expected one of train, test, rule_ood"),
        (
            {"split": "visual_ood"},
            r"split='visual_ood': .*no visual splits \(verienv/GeneralPoints-VL-v0 has\); use train",
        ),
        ({"split": "rule_visual_ood"}, r"no visual splits"),
        ({"rule": "eleventy"}, r"rule='eleventy' is not a preset; use one of ten, rank, .*, or a mapping"),
        ({"rule": {"J": 11, "K": 13}}, r"gives no number for Q; give all of J, Q and K"),
        ({"rule": {"J": 11, "Q": "12", "K": 13}}, r"Q='12': expected an integer from 1 to 99"),
        ({"stated_rule": "tens"}, r"stated_rule='tens': .*not a preset; use one of ten"),
        ({"sampling": "bag"}, r"sampling='bag': input should be 'deck' or 'iid'"),
        ({"target": -24}, r"target=-24: expected an integer from 1 to 999999"),
        ({"target": 24.0}, r"target=24.0: expected an integer from 1 to 999999"),
        ({"target": 65521}, r"no hand can be dealt: target 65521, rule ten, 4 cards"),
        ({"cards": 7}, r"cards=7: expected an integer from 2 to 6"),
        ({"cards": 1}, r"cards=1: expected an integer from 2 to 6"),
        ({"attempts": 0}, r"attempts=0: expected an integer from 1 to 64"),
        ({"attempts": 65}, r"attempts=65: expected an integer from 1 to 64"),
        ({"face_cards": "always"}, r"face_cards='always': input should be 'any', 'condition' or 'force'"),
        ({"suits": "green"}, r"suits='green': input should be 'all', 'black' or 'red'"),
        ({"side": "dev"}, r"side='dev': input should be 'train', 'test' or 'all'"),
        ({"prompt": "long"}, r"prompt='long': expected default, diverse, .*a template with slots, or a function"),
        ({"strict": "yes"}, r"strict='yes': input should be a valid boolean"),
        ({"rewards": "papers"}, r"rewards='papers' is not a preset; use one of paper, binary, binary_format"),
        ({"rewards": {"corect": 1}}, r"unknown setting 'corect' \(did you mean 'correct'\? accepted: correct, "),
        ({"rewards": {"base": "paper", "correct": float("nan")}}, r"correct=nan: input should be a finite number"),
        ({"rewards": 5}, r"rewards=5: expected a preset's name, a GeneralPointsRewards or a dict"),
        ({"atempts": 3}, r"unknown setting 'atempts' \(did you mean 'attempts'\? accepted: split, attempts, prompt, "),
        ({"deck": "classic"}, r"unknown setting 'deck' \(.*accepted: split, attempts, prompt, "),
    ],
)
def test_a_wrong_argument_of_make_is_named_with_what_is_accepted(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        gym.make(ENV_ID, **settings)
    assert "\n" not in str(caught.value)
