"""The hash that splits instances."""

import subprocess
import sys

import pytest

from verienv.core.sides import on_side, side_of_key

SIDES = {"1,1,1,8": "train", "1,4,10,10": "test", "2,3,4,10": "train", "": "test"}
"""Pinned: a change here moves hands between the sides of every published split."""


def test_the_side_of_a_key_is_pinned() -> None:
    assert {key: side_of_key(key) for key in SIDES} == SIDES


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_side_of_a_key_is_the_same_in_every_process(hash_seed: str) -> None:
    code = f"from verienv.core.sides import side_of_key as s; print([s(k) for k in {list(SIDES)}])"
    out = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == str(list(SIDES.values()))


def test_one_key_in_three_is_on_the_test_side() -> None:
    share = sum(side_of_key(str(key)) == "test" for key in range(9000)) / 9000
    assert abs(share - 1 / 3) < 0.02


def test_an_instance_with_keys_on_both_sides_belongs_to_neither() -> None:
    train, test = "1,1,1,8", "1,4,10,10"
    assert not on_side((train, test), "train")
    assert not on_side((train, test), "test")
    assert on_side((train, test), "all")


def test_an_instance_lies_on_a_side_when_all_its_keys_do() -> None:
    assert on_side(("1,1,1,8", "2,3,4,10"), "train")
    assert not on_side(("1,1,1,8", "2,3,4,10"), "test")
