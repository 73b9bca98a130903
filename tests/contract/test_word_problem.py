"""examples/my_word_problem.py: what its judge takes for an answer, and its chain."""

import re
from typing import Any

import pytest
from tests.contract.playing import Case

from verienv import Question

CASE = Case("word_problem", "mine/WordProblem-v0", {})


def question(**settings: Any) -> Question:
    env = CASE.make(**settings)
    env.reset(options={"instance": "word_problem:0:5:4:6"})  # 5 * 4 - 6 cups
    return env.episode.question


@pytest.mark.parametrize(
    "text", ["14", "14.0", "28/2", "14 cups.", r"$\boxed{14}$", r"\frac{28}{2} \text{cups}", "1.4e1"]
)
def test_an_answer_is_right_in_any_spelling(text: str) -> None:
    assert question(answer_format="line").judge(f"5 * 4 = 20\nAnswer: 3\nAnswer: {text}\n").is_correct


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        ("Answer: 14 km", "unreadable"),
        ("14\nor so", "unreadable"),
        ("Answer: 14\nAnswer: 13", "wrong_number"),
        ("Answer: 14 or 15", "unreadable"),
        ("Answer: nan", "unreadable"),
    ],
)
def test_an_answer_of_another_unit_number_or_form_is_wrong(response: str, failure: str) -> None:
    assert question(answer_format="line").judge(response).failure == failure


def test_the_chain_ends_in_the_answer_and_holds_its_two_steps() -> None:
    for row in CASE.rows(n=20):
        chain = Question.from_row(row).expert(steps=True)
        assert len(re.findall("^[0-9]+ [-+*] [0-9]+ = [0-9]+$", chain, re.MULTILINE)) == 2
        assert Question.from_row(row).judge(chain).is_correct


@pytest.mark.parametrize(
    ("answer_format", "response"),
    [
        ("json", '{"answer": 14}'),
        ("tags", "<answer>14 cups</answer>"),
        ("boxed", r"so it is $\boxed{\frac{28}{2}}$"),
        ("line", "20 - 6\n14"),
    ],
)
def test_a_task_from_outside_is_answered_in_every_format(answer_format: str, response: str) -> None:
    asked = question(answer_format=answer_format)
    assert asked.judge(response).is_correct
    assert asked.judge(asked.expert(steps=True)).is_correct


def test_a_task_from_outside_is_worded_and_replied_to_in_ones_own_way_and_so_are_its_rows() -> None:
    settings = {"prompt": "Q: {story}\nA:", "feedback": {"wrong_number": "Count again."}, "answer_format": "line"}
    (row,) = CASE.rows(n=1, **settings)
    assert row["prompt"][0]["content"].startswith("Q: ")
    read = Question.from_row(row)
    assert read.prompt.endswith("\nA:")
    assert read.judge("0").feedback == "Count again."


def test_a_template_without_the_story_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the slot \{story\} is missing"):
        question(prompt="Solve {format}")


def test_a_format_with_fields_that_the_task_does_not_have_is_refused_in_a_whole_sentence() -> None:
    with pytest.raises(ValueError, match="answers have no further fields here; use 'tags'"):
        question(answer_format="tags+cards")
