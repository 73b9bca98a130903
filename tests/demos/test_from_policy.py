"""Demonstrations that a policy has written."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import verienv
from verienv.core.dialogue import Message, parts_of
from verienv.demos import InVainError, demonstrations
from verienv.virl import VIRL

ENV_ID = "verienv/GeneralPoints-L-v0"
VISION_ID = "verienv/GeneralPoints-VL-v0"
ROUTES_ID = "verienv/VIRL-L-v0"

Teacher = Callable[[list[list[Message]]], list[str]]


def said(message: Message) -> str:
    return "".join(part.get("text", "") for part in parts_of(message))


def answers(env_id: str = ENV_ID, **settings: Any) -> dict[str, str]:
    """The expert's completion to each prompt of the first rows."""
    rows = demonstrations(env_id, n=200, **settings)
    return {said(row["prompt"][-1]): said(row["completion"][0]) for row in rows}


class Learner:
    """Right at each ``right``-th time that it sees a question, and wrong at others; thinks aloud."""

    def __init__(self, right: int = 3, env_id: str = ENV_ID, **settings: Any) -> None:
        self.known, self.right = answers(env_id, **settings), right
        self.times: dict[str, int] = {}
        self.sizes: list[int] = []

    def __call__(self, dialogues: list[list[Message]]) -> list[str]:
        self.sizes.append(len(dialogues))
        return [self.respond(said(dialogue[-1])) for dialogue in dialogues]

    def respond(self, question: str) -> str:
        self.times[question] = time = self.times.get(question, 0) + 1
        return f"<think>time {time}</think>" + ("I pass." if time % self.right else self.known[question])


def test_what_the_verifier_pays_is_kept_with_the_reasoning() -> None:
    rows = list(demonstrations(ENV_ID, n=5, teacher=Learner(), samples=7))
    assert [(row["question"], row["sample"], row["tried"]) for row in rows] == [
        (0, 2, 3), (0, 5, 6), (1, 2, 10), (1, 5, 13), (2, 2, 17),
    ]  # fmt: skip
    for row in rows:
        assert (row["reward"], row["outcome"]) == (5.0, "correct")
        assert said(row["completion"][0]).startswith(f"<think>time {row['sample'] + 1}</think>{{")


def test_the_prompts_are_those_of_the_expert() -> None:
    rows = demonstrations(ENV_ID, n=5, seed=4, teacher=Learner(1, seed=4))
    assert [row["prompt"] for row in rows] == [row["prompt"] for row in demonstrations(ENV_ID, n=5, seed=4)]


def test_first_keeps_one_a_question_and_draws_no_more() -> None:
    teacher = Learner()
    rows = list(demonstrations(ENV_ID, n=5, teacher=teacher, samples=7, keep="first", batch_size=1))
    assert [(row["question"], row["sample"]) for row in rows] == [(number, 2) for number in range(5)]
    assert sum(teacher.sizes) == 15


def test_all_keeps_wrong_ones_with_their_rewards_and_asks_no_more_than_it_needs() -> None:
    teacher = Learner(2)
    rows = list(demonstrations(ENV_ID, n=7, teacher=teacher, samples=3, keep="all"))
    assert [row["outcome"] for row in rows] == ["unreadable", "correct", "unreadable"] * 2 + ["unreadable"]
    assert [row["reward"] for row in rows][:2] == [verienv.judge({"cards": list("4327")}, "I pass.").reward, 5.0]
    assert teacher.sizes == [3, 3, 3]


@pytest.mark.parametrize("keep", ["correct", "first", "all"])
def test_the_rows_are_the_same_in_batches_of_any_size(keep: Any) -> None:
    one, other = (
        list(demonstrations(ENV_ID, n=9, teacher=Learner(), samples=4, keep=keep, batch_size=size)) for size in (1, 5)
    )
    assert one == other


def test_batches_are_full_until_fewer_questions_promise_to_be_enough() -> None:
    teacher = Learner()
    list(demonstrations(ENV_ID, n=20, teacher=teacher, samples=4, keep="first", batch_size=8))
    assert teacher.sizes == [8, 8, 8] * 2 + [4, 4, 4]


def test_a_teacher_that_is_seldom_right_is_asked_in_full_batches() -> None:
    teacher = Learner(10)
    list(demonstrations(ENV_ID, n=2, teacher=teacher, samples=5, keep="all", batch_size=8))
    assert teacher.sizes == [1, 1, 1, 1, 1]
    teacher = Learner(10)
    with pytest.raises(InVainError):
        next(demonstrations(ENV_ID, n=2, teacher=teacher, samples=5, batch_size=8, patience=200))
    assert teacher.sizes[:5] == [2] * 5
    assert set(teacher.sizes[5:]) == {8}


@pytest.mark.parametrize(("tries", "rows", "sizes"), [(10, 2, [4, 4, 2]), (12, 4, [4, 4, 4]), (13, 4, [4, 4, 4])])
def test_no_more_responses_are_drawn_than_may_be_tried(tries: int, rows: int, sizes: list[int]) -> None:
    teacher = Learner()
    made = demonstrations(ENV_ID, n=4, teacher=teacher, samples=3, batch_size=4, tries=tries)
    assert len(list(made)) == rows
    assert teacher.sizes == sizes
    assert made.tally.total() == min(tries, 12)


def test_the_tally_counts_every_outcome_up_to_the_last_row() -> None:
    rows = demonstrations(ENV_ID, n=4, teacher=Learner(), samples=4)
    assert len(list(rows)) == 4
    assert rows.tally == {"unreadable": 11, "correct": 4}


def test_a_revision_puts_the_wrong_attempts_to_the_teacher() -> None:
    class Repairing(Learner):
        def respond(self, question: str) -> str:
            assert question.endswith("Attempt 2 of 5.")
            return "I pass."

    [row] = demonstrations(ENV_ID, "revision", n=1, teacher=Repairing(), keep="all")
    assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "user"]
    assert (row["failure"] != "", row["outcome"]) == (True, "unreadable")


def test_with_pictures_the_teacher_is_shown_them_and_the_rows_bring_them() -> None:
    shown: list[Any] = []

    def teacher(dialogues: list[list[Message]]) -> list[str]:
        shown.extend(dialogue[0]["content"][0]["image"] for dialogue in dialogues)
        return ["I pass."] * len(dialogues)

    rows = list(demonstrations(VISION_ID, n=2, teacher=teacher, keep="all", image_size=96))
    assert [row["images"][0].tobytes() for row in rows] == [image.tobytes() for image in shown]
    assert rows[0]["prompt"][0]["content"][0] == {"type": "image"}
    assert rows[0]["completion"][0]["content"] == [{"type": "text", "text": "I pass."}]


def test_along_routes_the_expert_goes_on_whatever_the_teacher_says() -> None:
    rows = demonstrations(ROUTES_ID, n=12, teacher=lambda asked: ["forward()"] * len(asked), keep="all", city="grid-0")
    expert = demonstrations(ROUTES_ID, n=12, city="grid-0")
    assert [row["prompt"] for row in rows] == [row["prompt"] for row in expert]


def test_a_teacher_that_never_earns_is_given_up_with_numbers_and_its_newest_response() -> None:
    rows = demonstrations(ENV_ID, n=1, teacher=lambda asked: ['{"formula": "1+1"}'] * len(asked), patience=100)
    with pytest.raises(RuntimeError, match=r"last 100 responses is correct \(0 rows from 100 responses: 100 ") as told:
        next(rows)
    assert '{"formula": "1+1"}' in str(told.value)
    assert "patience" in str(told.value)


def test_patience_begins_anew_with_each_row() -> None:
    class Tiring(Learner):
        def respond(self, question: str) -> str:
            return self.known[question] if sum(self.sizes) <= 3 else "I pass."

    rows = demonstrations(ENV_ID, n=9, teacher=Tiring(), patience=5, batch_size=1)
    assert [next(rows)["tried"] for _ in range(3)] == [1, 2, 3]
    with pytest.raises(RuntimeError, match=r"last 5 responses is correct \(3 rows from 8 responses: 5 unreadable, 3"):
        next(rows)


def test_rows_come_while_the_teacher_is_still_at_work() -> None:
    teacher = Learner(1)
    rows = demonstrations(ENV_ID, n=100, teacher=teacher, batch_size=4)
    next(rows)
    assert teacher.sizes == [4]


def test_no_rows_ask_nobody() -> None:
    assert list(demonstrations(ENV_ID, n=0, teacher=lambda asked: 1 / 0)) == []  # type: ignore[arg-type,return-value]


def test_odd_responses_make_no_row_that_json_cannot_hold() -> None:
    [row] = demonstrations(ENV_ID, n=1, teacher=lambda asked: ["\ud800 " * 10**5] * len(asked), keep="all")
    content = row["completion"][0]["content"]
    assert json.dumps(row).encode()
    assert content.encode()
    assert len(content) == 64 * 1024


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (lambda asked: "no list", "the teacher returned a str; it must return a list"),
        (lambda asked: ["one"], "the teacher returned 1 responses to 64 dialogues"),
        (lambda asked: [None] * len(asked), "the teacher returned a NoneType as a response"),
    ],
)
def test_a_teacher_that_does_not_answer_each_is_told(teacher: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next(demonstrations(ENV_ID, teacher=teacher))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"teacher": "expert"}, "teacher='expert': expected a policy"),
        ({"samples": 2, "teacher": None}, "samples=2: this is about the responses of a teacher"),
        ({"keep": "all", "teacher": None}, "keep='all': this is about the responses of a teacher"),
        ({"keep": "best"}, "keep='best': expected one of correct, first, all"),
        ({"samples": 0}, "samples=0: expected an integer of at least 1"),
        ({"batch_size": 0.5}, "batch_size=0.5: expected an integer of at least 1"),
        ({"tries": 0}, "tries=0: expected an integer of at least 1"),
        ({"patience": True}, "patience=True: expected an integer of at least 1"),
        ({"kind": "preference"}, "kind='preference': expected 'sft' or 'revision' with a teacher"),
        ({"steps": True}, "a teacher writes as it does"),
        ({"solution": "random"}, "a teacher writes as it does"),
    ],
)
def test_wrong_arguments_are_told_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        demonstrations(**{"env_id": ENV_ID, "teacher": Learner(), **arguments})


def test_the_outcomes_are_the_failures_of_the_task() -> None:
    rows = demonstrations(ROUTES_ID, n=4, teacher=lambda asked: ['{"action": "jump()"}'] * len(asked), keep="all")
    assert {row["outcome"] for row in rows} <= set(VIRL.measures(vision=False).failures)
