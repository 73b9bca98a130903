"""Answer formats of one's own: what they may ask, read and write, whatever else their fields hold."""

from typing import Any

import gymnasium as gym
import pytest

from verienv.core.wording import LONGEST_TEMPLATE
from verienv.generalpoints import Puzzle, verify

CARDS = "verienv/GeneralPoints-L-v0"
PUZZLE = Puzzle(cards=("7", "9", "4", "9"))
RIGHT, WRONG = "4*(7-9/9)", "7+9+4+9"


class Own:
    """A format that asks, reads and writes what a test says."""

    def __init__(self, read: Any = None, instruction: str = "Answer.", **others: Any) -> None:
        self.read = lambda response: read
        self.instruction = instruction
        self.__dict__.update(others)


@pytest.mark.parametrize(
    "beside",
    [
        {"sure": float("nan")},
        {"sure": float("-inf")},
        {"name": "answer", "arguments": f'{{"formula": "{WRONG}"}}'},
        {"draft": {"formula": WRONG}, "said": '\\{"formula": "1"}'},
    ],
)
def test_the_field_that_the_reader_names_decides_whatever_stands_beside_it(beside: dict[str, Any]) -> None:
    assert verify("", PUZZLE, answer_format=Own({"formula": RIGHT, **beside})).is_correct
    swapped = {name: _swapped(value) for name, value in beside.items()}
    assert not verify("", PUZZLE, answer_format=Own({**swapped, "formula": WRONG})).is_correct


def _swapped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _swapped(each) for name, each in value.items()}
    return value.replace(WRONG, RIGHT) if isinstance(value, str) else value


@pytest.mark.parametrize("instruction", ["End with a caf\u00e9", "\x00", "a" * (LONGEST_TEMPLATE + 1)])
def test_an_instruction_is_printable_ascii_of_bounded_length(instruction: str) -> None:
    with pytest.raises(ValueError, match="the instruction of answer_format"):
        gym.make(CARDS, answer_format=Own(RIGHT, instruction))


@pytest.mark.parametrize("fields", ["cards", 5, [["cards"]], ["colour"]])
def test_fields_are_names_of_parts_of_an_answer(fields: Any) -> None:
    with pytest.raises(ValueError, match="its fields="):
        gym.make(CARDS, answer_format=Own(RIGHT, fields=fields))


def test_what_it_writes_is_a_text() -> None:
    env = gym.make(CARDS, answer_format=Own(RIGHT, write=lambda fields: None)).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="wrote None; expected a text"):
        env.expert_response()  # type: ignore[attr-defined]
