"""Reading answers in tags, in a box, and on the last line."""

# ruff: noqa: E501  (tables)

import time
from itertools import product

import pytest

from verienv.core.answer_format import Part, Shape
from verienv.core.formats import parse_format
from verienv.core.response import MAX_CHARACTERS
from verienv.core.text_format import read_list

SHAPE = Shape(
    Part("answer", "the answer"), (Part("items", "the items", "items", is_list=True), Part("note", "a note", "note"))
)
KINDS = ("tags", "boxed", "line")


def read(kind: str, text: str, strict: bool = False) -> str | None:
    fields = parse_format(kind).read(text, SHAPE, strict=strict)
    return None if fields is None else fields["answer"]


@pytest.mark.parametrize(
    ("text", "lenient", "strict"),
    [
        ("<answer>A</answer>", "A", "A"),
        ("<answer> A\r\n</answer>\r\n", "A", "A"),
        ("<ANSWER>A</Answer>", "A", None),
        ("< answer >A< / answer >", "A", None),
        (r"<answer>A<\/answer>", "A", None),
        ("<answer>B</answer> No. <answer>A</answer>", "A", "A"),
        ("<answer>A</answer> or <answer>B", "A", "A"),
        ("<answer>B <answer>A</answer>", "A", "A"),
        ("<answer>A</answer></answer>", "A", "A"),
        ("<answer>A</answer> in <answer>...</answer> tags, <answer></answer>, <answer> </answer>", "A", "A"),
        ("<answer>\n```\nA\n```\n</answer>", "A", "```\nA\n```"),
        ("```\n<answer>A</answer>\n```", "A", "A"),
        ("<answer>turn\\_direction(A)</answer>", "turn_direction(A)", "turn\\_direction(A)"),
        (r"<answer>4 \* A</answer>", "4 * A", r"4 \* A"),
        (r"<answer>\\frac{A}{B}</answer>", r"\frac{A}{B}", r"\\frac{A}{B}"),
        ("<think><answer>B</answer></think><answer>A</answer>", "A", "A"),
        ("<think><answer>A</answer></think>", None, None),
        ("<answer>A</answer><think>", None, None),
        ("<answer><think>hm</think>A</answer>", None, None),
        ("</answer>A<answer>", None, None),
        ("<answer>A", None, None),
        ("A", None, None),
        ("<answer>A<answer>", None, None),
        ("<answer>A</answer", None, None),
        ("<answers>A</answers>", None, None),
        ('<answer x="y">A</answer>', None, None),
        ("&lt;answer&gt;A&lt;/answer&gt;", None, None),
        ("<аnswer>A</аnswer>", None, None),  # Cyrillic
        ("<anſwer>A</anſwer>", None, None),  # a long s, which is an s to whoever ignores case
        ("＜answer＞A＜/answer＞", None, None),
        ("<answer\0>A</answer\0>", None, None),
        ("<answer>**A**</answer>", "**A**", "**A**"),
        ("<answer>`A`</answer>", "`A`", "`A`"),
        ("<answer>\xa0A</answer>", "\xa0A", "\xa0A"),
        ("<answer>\ud800</answer>", "\ufffd", "\ufffd"),
    ],
)  # fmt: skip
def test_the_last_pair_of_tags_holds_the_answer(text, lenient, strict):
    assert (read("tags", text), read("tags", text, strict=True)) == (lenient, strict)


@pytest.mark.parametrize(
    ("text", "lenient", "strict"),
    [
        (r"\boxed{A}", "A", "A"),
        (r"So \[ \boxed{A} \].", "A", "A"),
        (r"$\boxed{ A }$", "A", "A"),
        (r"\boxed {A}", "A", None),
        (r"\\boxed{A}", "A", "A"),
        (r"\fbox{A}", "A", None),
        (r"\fboxed{A}", None, None),
        (r"\Boxed{A}", None, None),
        (r"boxed{A}", None, None),
        (r"\boxed{B} No. \boxed{A}", "A", "A"),
        (r"\boxed{A} or \boxed{B", "A", "A"),
        (r"\boxed{B \boxed{A}", "A", "A"),
        (r"\boxed{\frac{A}{B}}", r"\frac{A}{B}", r"\frac{A}{B}"),
        (r"\boxed{A}} {", "A", "A"),
        (r"\boxed{A} in \boxed{...}, \boxed{}", "A", "A"),
        (r"\boxed{\{A\}}", r"\{A\}", r"\{A\}"),
        (r"\boxed{\text{forward()}}", "forward()", r"\text{forward()}"),
        (r"\boxed{\text{4*6}}", r"\text{4*6}", r"\text{4*6}"),
        (r"\boxed{\text{a}+\text{b}}", r"\text{a}+\text{b}", r"\text{a}+\text{b}"),
        (r"\boxed{turn\_direction(north)}", "turn_direction(north)", r"turn\_direction(north)"),
        (r"\boxed{\texttt{turn\_direction(north)}}", "turn_direction(north)", r"\texttt{turn\_direction(north)}"),
        (r"<think>\boxed{A}</think>", None, None),
        (r"\boxed{A", None, None),
        (r"\boxed A", None, None),
        (r"\boxed(A)", None, None),
        (r"}A\boxed{", None, None),
        (r"\boxed｛A｝", None, None),
        (r"\boxed{{A}", None, None),
        ("A", None, None),
    ],
)  # fmt: skip
def test_the_box_that_closes_last_holds_the_answer(text, lenient, strict):
    assert (read("boxed", text), read("boxed", text, strict=True)) == (lenient, strict)


@pytest.mark.parametrize(
    ("text", "lenient", "strict"),
    [
        ("A", "A", "A"),
        ("B\nA", "A", "A"),
        ("B\r\nA\r\n \r\n\t\n", "A", "A"),
        ("B\nA\n\xa0\n\u3000", "A", "A"),
        ("</think>A", "A", "A"),
        ("<think>B\n</think>\n", None, None),
        ("A\n<think>B", None, None),
        ("```\nA\n```", "A", "```"),
        ("~~~text\nA\n~~~\n", "A", "~~~"),
        ("A<|im_end|>\n</s>", "A", "</s>"),
        ("A </s></s> <eos>", "A", "A </s></s> <eos>"),
        ("Answer: A", "A", "Answer: A"),
        ("So the final answer is: A", "A", "So the final answer is: A"),
        ("**Answer:** A", "A", "**Answer:** A"),
        ("**Final answer: A**", "A", "**Final answer: A**"),
        ("The answer: is A", "is A", "The answer: is A"),
        ("action = A", "action = A", "action = A"),
        ("**A**", "**A**", "**A**"),
        ("A\xa0", "A\xa0", "A\xa0"),
        ("B\rA", "B\rA", "B\rA"),
        ("B\u2028A", "B\u2028A", "B\u2028A"),
        ("", None, None),
        (" \n\t\r\n", None, None),
        ("```\n```", None, "```"),
    ],
)  # fmt: skip
def test_the_last_line_that_is_not_blank_is_the_answer(text, lenient, strict):
    assert (read("line", text), read("line", text, strict=True)) == (lenient, strict)


@pytest.mark.parametrize("kind", KINDS)
def test_other_parts_stand_in_tags_of_their_own_wherever_they_are(kind):
    form = parse_format(f"{kind}+items+note")
    fields = {"answer": "A", "items": [4, "K", "10 of hearts"], "note": "a, b"}
    assert form.read(form.write(fields, SHAPE), SHAPE) == fields
    assert form.read(form.write(fields, SHAPE), SHAPE, strict=True) == fields


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_that_is_not_told_or_never_closed_is_left_out(kind):
    form = parse_format(f"{kind}+items+note")
    answer = form.write({"answer": "A"}, SHAPE)
    assert form.read(f"<note>b\n<items>...</items>\n{answer}", SHAPE) == {"answer": "A"}


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("4, 3, 2, K", [4, 3, 2, "K"]), ("4 3 2 K", [4, 3, 2, "K"]), ('[4, "3", \'2\', `K`]', [4, 3, 2, "K"]), ("4; 3 | 2\n\nK", [4, 3, 2, "K"]),
        ("", []), ("[]", []), ("...", ["..."]), ("10 of hearts, K of spades", ["10 of hearts", "K of spades"]), ("٣ ²", ["٣", "²"]),
        ("9" * 5000, ["9" * 5000]), ("-4 1.0", ["-4", "1.0"]), ("[[4]]", ["[4]"]),
    ],
)  # fmt: skip
def test_a_list_is_read_as_people_write_one(text, items):
    assert read_list(text) == items


def test_of_a_long_list_few_items_are_read():
    assert len(read_list("4, " * 20_000)) <= 65
    assert len(read_list("4 " * 20_000)) <= 65


UNITS = [
    "<answer>", "</answer>", "<answer></answer>", "<answer>A", "<answer>A</answer>", "<", "< ", "< /", "<answer", "<answer ", "</ answer ", "<\\/", "<items>", "<items>4,",
    "\\boxed{", "\\boxed{}", "\\boxed{A}", "\\boxed", "\\boxed ", "\\", "\\\\", "{", "}", "{}", "\\{", "\\text{", "\\boxed{\\text{", "\\fbox{",
    "\n", "\r\n", " ", "\xa0", "\xa0\n", "```\n", "```", "`", "~~~\n", "*", "**", "</s>", "</s> ", "<|a|>", "<|", "<|a", "Answer: ", "the final answer is ", "\\_", "\\\\a",
    "<think>", "</think>", "\0", "\ud800", "é", ",", "4 ", "[", '"', "A",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_time_grows_with_the_length_of_a_response_at_most_as_the_length_does(kind):
    form = parse_format(f"{kind}+items+note")
    opening, closing = form.write({"answer": "|"}, SHAPE).split("|")
    for unit, (before, after) in product(UNITS, (("", ""), (opening, closing))):
        text = before + unit * (MAX_CHARACTERS // len(unit) - 10) + after
        begin = time.thread_time()
        form.read(text, SHAPE)
        spent = time.thread_time() - begin
        assert spent < 1.0, (before, unit, after, spent)  # 10 ms; what is quadratic takes minutes


HOSTILE = [
    "", "\0", "\ud800", "\ud800<answer>\udfff", "<answer>" * 7500, "</answer>" * 6666, "\\boxed{" * 8571, "{" * 60_000, "}" * 60_000, "x" * 10**6, "<answer>" + "{" * 60_000,
    "\\boxed{" + "}" * 60_000, "<think>" * 8000, "\r\n" * 30_000, "<answer>\0</answer>", "\\boxed{\ud800}", "<answer><answer></answer></answer>", "<items>" * 9000,
]  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_raises_and_what_is_read_can_be_encoded(kind, strict):
    form = parse_format(f"{kind}+items+note")
    for text in HOSTILE:
        fields = form.read(text, SHAPE, strict=strict)
        assert fields is None or str(fields).encode()


@pytest.mark.parametrize("kind", ["tags", "boxed"])
def test_an_echo_of_the_instruction_is_no_answer_and_voids_none(kind):
    form = parse_format(f"{kind}+items+note")
    instruction = form.instruction(SHAPE)
    assert form.read(instruction, SHAPE) is None
    assert form.read(f"{form.write({'answer': 'A'}, SHAPE)}\n{instruction}", SHAPE) == {"answer": "A"}


def test_of_boxes_in_boxes_the_outermost_counts_and_an_empty_one_is_passed_over() -> None:
    depth = 4000
    nested = "\\boxed{" * depth + "4*6" + "}" * depth
    assert read("boxed", nested + " \\boxed{ ... } \\boxed{}") == nested[len("\\boxed{") : -1]
    assert read("boxed", "\\boxed{4*6} \\boxed{\\boxed{ }}") == "\\boxed{ }"
