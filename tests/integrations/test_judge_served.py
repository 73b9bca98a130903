"""A built-in model judges behind transformers' own server."""

from pathlib import Path

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations


def test_a_judge_behind_a_real_server_is_asked_once_in_both_orders(in_library: InLibrary, tmp_path: Path) -> None:
    told = in_library("serving", "judge_served.py", tmp_path / "pairs")
    assert (told["labels"], told["answers"]) == ([3, 0], 6)
    assert told["prompt tokens"] == told["prompt tokens here"]
    assert told["said"] == told["said here"]
    assert all(told["said"])
    assert told["log-probabilities"] is None  # asked for, and left out without a word
    assert told["choices"] == ["skip"] * 3  # a model that plays and cannot judge
