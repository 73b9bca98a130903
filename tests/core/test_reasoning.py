"""Reasoning tags: what stands between them is no answer, wherever they stand and however long the response is."""

import pytest

from verienv.core.reasoning import LONGEST_TAG, REASONING_TAGS, after_reasoning, parse_reasoning_tags
from verienv.core.response import MAX_CHARACTERS, clean_response, read_answer


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a", "a"),
        ("<think>a</think>b", "b"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        ("a<think>", ""),
        ("a<think>b</think>", ""),
        ("<think>a</think>b<think>c</think>d", "d"),
        ("<think>a</think>b<think>c", ""),
        ("<think>a<think>b</think>c", "c"),
        ("<Think>a</ THINK >b", "b"),
        ("<thinking>a<think", "<thinking>a<think"),
    ],
)
def test_reading_begins_behind_the_last_closing_tag(text: str, rest: str) -> None:
    assert after_reasoning(text, REASONING_TAGS) == rest
    assert after_reasoning(text, ()) == text


@pytest.mark.parametrize(
    "pair", [("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<a>", "<a>b"), ("x", "/x"), (".*", "(")]
)
def test_any_pair_of_tags_may_be_set(pair: tuple[str, str]) -> None:
    tags = parse_reasoning_tags(list(pair))
    assert tags == pair
    assert after_reasoning(f"{pair[0]} 1 {pair[1]} 2", tags) == " 2"
    assert after_reasoning(f"1 {pair[0]} 2", tags) == ""


@pytest.mark.parametrize("none", [None, (), [], ""])
def test_none_and_what_is_empty_are_no_tags(none: object) -> None:
    assert parse_reasoning_tags(none) == ()


@pytest.mark.parametrize(
    "wrong",
    ["<think>", ("<a>",), ("<a>", "<b>", "<c>"), ("<a>", "< A >"), ("", "</a>"), (" ", "</a>"), (1, 2), 5, True,
     {"a": "b"},
     ("<a>", None), (["<a>"], "b"), ("x" * (LONGEST_TAG + 1), "y"), {"<a>", "</a>"}, b"ab"],
)  # fmt: skip
def test_what_is_no_pair_of_tags_is_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected an opening and a closing tag") as caught:
        parse_reasoning_tags(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("extra", range(-20, 20))
def test_a_cut_within_reasoning_leaves_it_open(extra: int) -> None:
    answer = '{"key": 1}'
    thought = "<think>" + "x" * (MAX_CHARACTERS - len(answer) + extra) + answer
    cut = clean_response(thought, REASONING_TAGS)
    assert len(cut) <= MAX_CHARACTERS
    assert read_answer(thought, "key") is None
    assert read_answer(cut, "key") is None
    for text in (thought + "</think>" + answer, "<think></think>" + thought.removeprefix("<think>")):
        cut = clean_response(text, REASONING_TAGS)
        assert len(cut) <= MAX_CHARACTERS
        assert read_answer(text, "key") == read_answer(cut, "key") == {"key": 1}


def test_without_tags_the_cut_is_the_end_as_it_is() -> None:
    text = "<think>" + "x" * MAX_CHARACTERS
    assert clean_response(text) == text[-MAX_CHARACTERS:]
    assert read_answer('<think>{"key": 1}', "key", reasoning_tags=()) == {"key": 1}
