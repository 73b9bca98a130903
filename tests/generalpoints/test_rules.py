"""Face rules: what J, Q and K count."""

import pickle

import pytest

from verienv.generalpoints.rules import PRESETS, FaceRule


def numbers(rule: FaceRule) -> tuple[int, int, int]:
    return rule.J, rule.Q, rule.K


def test_the_papers_rules_are_presets() -> None:
    assert numbers(PRESETS["ten"]) == (10, 10, 10)
    assert numbers(PRESETS["rank"]) == (11, 12, 13)


def test_presets_are_distinct() -> None:
    assert len(set(PRESETS.values())) == len(PRESETS)


def test_a_rule_is_meant_by_a_preset_a_mapping_or_itself() -> None:
    rule = FaceRule(J=5, Q=5, K=5)
    assert FaceRule.of("five") == FaceRule.of({"J": 5, "Q": 5, "K": 5}) == FaceRule.of(rule) == rule


def test_a_rule_gives_every_rank_its_number() -> None:
    assert FaceRule(J=5, Q=6, K=7).values == {
        "A": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9, "10": 10, "J": 5, "Q": 6, "K": 7,
        "14": 14, "15": 15, "16": 16, "17": 17, "18": 18, "19": 19,
    }  # fmt: skip


def test_a_rule_is_named_by_its_preset_or_its_numbers() -> None:
    assert FaceRule(J=11, Q=12, K=13).name == "rank"
    assert FaceRule(J=5, Q=5, K=6).name == "J=5,Q=5,K=6"


def test_a_used_rule_equals_a_fresh_one_and_survives_pickling() -> None:
    used, unused = FaceRule(J=5, Q=6, K=7), FaceRule(J=5, Q=6, K=7)
    assert used.values["J"] == 5
    assert used.text == "J = 5, Q = 6, K = 7"
    assert used == unused
    assert hash(used) == hash(unused)
    assert pickle.loads(pickle.dumps(used)) == unused  # noqa: S301 - our own bytes
    assert used.model_dump() == {"J": 5, "Q": 6, "K": 7}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("tens", r"rule='tens' is not a preset; use one of ten, rank, .*, or a mapping"),
        ({"J": 11, "K": 13}, r"rule=\{'J': 11, 'K': 13\} gives no number for Q; give all of J, Q and K"),
        ({"J": 11, "Q": 12, "K": 13, "A": 14}, r"unknown setting 'A' \(accepted: J, Q, K\)"),
        ({"J": 0, "Q": 12, "K": 13}, r"J=0: expected an integer from 1 to 99"),
        ({"J": 100, "Q": 12, "K": 13}, r"J=100: expected an integer from 1 to 99"),
        ({"J": 11.0, "Q": 12, "K": 13}, r"J=11.0: expected an integer from 1 to 99"),
        ({"J": True, "Q": 12, "K": 13}, r"J=True: expected an integer from 1 to 99"),
        (None, r"rule=None: expected a preset's name or a mapping of J, Q and K to numbers"),
    ],
)
def test_a_wrong_rule_is_told_what_is_accepted(rule: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        FaceRule.of(rule)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
