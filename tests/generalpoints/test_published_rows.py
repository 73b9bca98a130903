"""Published rows of GeneralPoints as questions."""

import pytest
from tests.demos.published import ANSWER, MIXED, RANK, TEN, TWELVE, hand_prompt, table_row

from verienv.generalpoints.published_rows import published_question

RULES = [(TEN, (10, 10, 10)), (RANK, (11, 12, 13)), (TWELVE, (12, 12, 12)), (MIXED, (8, 9, 10))]


def read(prompt, answer="", **row):
    return published_question(prompt, answer, row)


@pytest.mark.parametrize(("told", "numbers"), RULES)
def test_the_rule_is_the_one_that_the_prompt_states(told, numbers):
    puzzle = read(hand_prompt(rule=told)).puzzle
    assert tuple(puzzle.rule.values[face] for face in "JQK") == numbers
    assert puzzle.stated_rule == puzzle.rule


def test_cards_and_target_are_the_prompts():
    puzzle = read(hand_prompt(("A", "10", "7", "Q", "5"), target=30)).puzzle
    assert (puzzle.cards, puzzle.target) == (("A", "10", "7", "Q", "5"), 30)


def test_the_prompt_is_asked_character_by_character():
    prompt = hand_prompt()
    question = read(prompt)
    assert question.opening(question.prompt) == prompt


def test_a_question_is_asked_once():
    assert read(hand_prompt()).attempts == 1


def test_the_published_answer_is_correct():
    assert read(hand_prompt()).judge(ANSWER).is_correct


def test_where_the_columns_score_otherwise_the_prompts_rule_is_only_stated():
    puzzle = read(**_row(table_row(hand_prompt(rule=RANK)))).puzzle
    assert (puzzle.rule.name, puzzle.stated_rule.name) == ("ten", "rank")


def _row(row):
    return {"prompt": row["question"], "answer": row["answer"], **row}


def test_a_number_card_above_ten_is_read():
    assert read(hand_prompt(("14", "2", "3", "K"))).puzzle.values == (14, 2, 3, 10)


def test_a_row_with_a_picture_has_the_cards_of_its_answer():
    prompt = hand_prompt().replace("Cards: ['4', '3', '2', 'K']", "They are in the picture.")
    question = read(prompt, ANSWER)
    assert (question.vision, question.puzzle.cards) == (True, ("4", "3", "2", "K"))


def test_a_question_comes_back_from_its_row():
    question = read(hand_prompt())
    assert type(question).from_row(question.row()) == question


def test_another_prompt_is_none_of_this_tasks():
    assert read("How many legs has an ant?") is None


FAULTS = [
    (table_row(hand_prompt(), numbers=(4, 3, 3, 10)), "2 counts 2, not 3"),
    (table_row(hand_prompt(), numbers=(4, 3, 2)), "expected a number for each"),
    (table_row(hand_prompt(), numbers=(4, 3, 2, "9" * 9)), "expected whole numbers"),
    (table_row(hand_prompt(), cards=("4", "3", "3", "K")), "where its prompt says"),
    (table_row(hand_prompt(), target=25), "target=25 where its prompt says 24"),
    (table_row(hand_prompt(rule="'J' is large")), "its prompt says of J, Q and K"),
    (table_row(hand_prompt(("4", "3", "2", "joker"))), "joker"),
    (table_row(hand_prompt().replace("Answer like", "é")), "not printable ASCII"),
    (table_row(hand_prompt().replace("{", "").replace("}", "")), "with its braces"),
]


@pytest.mark.parametrize(("row", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_a_row_that_contradicts_itself_is_refused_in_one_line(row, told):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is what is asked for
        read(**_row(row))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
