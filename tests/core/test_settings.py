"""Settings as texts."""

import subprocess
import sys

import pytest

from verienv.core.settings import read_settings


def test_a_value_is_json_where_it_can_be_and_else_a_string() -> None:
    pairs = ("rule=rank", "attempts=1", "strict=true", 'rule2={"J": 5}', "city=grid-7", "sum=a=b", "none=")
    assert read_settings(pairs) == {
        "rule": "rank", "attempts": 1, "strict": True, "rule2": {"J": 5}, "city": "grid-7", "sum": "a=b", "none": "",
    }  # fmt: skip


def test_a_value_nested_too_deep_to_be_json_stays_a_string() -> None:
    assert read_settings(["rule=" + "[" * 100_000]) == {"rule": "[" * 100_000}


@pytest.mark.parametrize("pair", ["rule", "=rank", "two words=1", ""])
def test_a_text_that_is_no_setting_is_named_with_an_example(pair: str) -> None:
    with pytest.raises(ValueError, match="expected key=value"):
        read_settings([pair])


def test_it_needs_no_typer() -> None:
    code = "import sys, verienv.core.settings; assert 'typer' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
