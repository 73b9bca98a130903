"""Loose JSON: what models write is read, what is no object is not, and depth is bounded."""

import re
from pathlib import Path
from typing import Any

import pytest

from verienv import core
from verienv.core.loose_json import nesting, read_object


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("{'a': 'b'}", {"a": "b"}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ("{cards: [A, K, 10]}", {"cards": ["A", "K", 10]}),
        ("{'a': (1, 2)}", {"a": [1, 2]}),
        ("{'a': True, 'b': None, 'c': false}", {"a": True, "b": None, "c": False}),
        (r"{'a': 'it\'s \x41\u0042'}", {"a": "it's AB"}),
        ("{'a': -1.5e3}", {"a": -1500.0}),
        ("{}", {}),
    ],
)
def test_the_json_that_models_write_is_read(text: str, read: dict[str, Any]) -> None:
    assert read_object(text, 8) == read


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{'a'}", "{'a': 1", "{'a': 1}}", "{'a': [1)}", "{'a': 'b}", "{1 + 1: 2}", "{'a': f(x)(y)}", "{,}"],
)
def test_what_is_no_object_is_none(text: str) -> None:
    assert read_object(text, 8) is None


def test_depth_is_bounded_and_an_endless_one_is_refused_at_once() -> None:
    assert read_object("{'a': [[1]]}", 3) == {"a": [[1]]}
    assert read_object("{'a': [[1]]}", 2) is None
    assert read_object("{'a': " + "[" * 60_000, 8) is None


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    assert nesting('{"a": "[[[["}') == 1
    assert nesting('{"a": [{"b": []}]}') == 4


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python 3.11.0 to 3.11.4 lose matches of a repeat in which something can backtrack (gh-106052).

    An atomic group around a repeat is the same, and right in all.
    """
    possessive = re.compile(r"\)(?:[*+?]|\{+[0-9,]+\}+)\+")
    written = [
        f"{path.name}:{number}"
        for path in sorted(Path(core.__file__).parent.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if possessive.search(line)
    ]
    assert not written
