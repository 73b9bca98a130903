"""Published demonstrations of V-IRL as questions."""

import json

import pytest
from tests.demos.published import route_answer, route_prompt

from verienv.virl.paper_data.sft_rows import published_question

RELATIVE = "left, right, slightly left, slightly right"


def read(**changes):
    return published_question(route_prompt(), route_answer(**changes))


@pytest.mark.parametrize("action", ["forward()", "stop()", "turn_direction(southwest)"])
def test_the_action_that_is_due_is_the_answers(action):
    assert read(action=action).waypoint.action == action


@pytest.mark.parametrize("word", RELATIVE.split(", "))
def test_under_the_relative_rule_too(word):
    question = published_question(route_prompt(words=RELATIVE), route_answer(f"turn_direction({word})"))
    assert (question.waypoint.actions, question.waypoint.action) == ("relative", f"turn_direction({word})")


def test_the_published_answer_is_correct_in_all_its_fields():
    verdict = read().judge(route_answer())
    assert (verdict.is_correct, verdict.metrics["observation_correct"], verdict.metrics["instruction_correct"]) == (
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("seen", "crossing", "landmark"),
    [
        ("No landmarks nearby; ", False, ""),
        ("No landmarks nearby; You observe an intersection", True, ""),
        ("Joe's is on your left; ", False, "Joe's"),
        ("The destination Bar; Grill is on your left; ", False, "The destination Bar; Grill"),
    ],
)
def test_the_newest_observation_is_the_truth(seen, crossing, landmark):
    waypoint = published_question(route_prompt((seen,)), route_answer()).waypoint
    assert (waypoint.at_intersection, waypoint.landmark) == (crossing, landmark)


def test_with_a_picture_the_answers_observation_is_the_truth():
    prompt = route_prompt(("You observe an image of 4 views; You observe an intersection",))
    question = published_question(prompt, route_answer())
    assert (question.vision, question.waypoint.landmark, question.waypoint.at_intersection) == (True, "Joe's", True)


def test_the_prompt_is_asked_character_by_character():
    question = read()
    assert question.opening(question.prompt) == route_prompt()


def test_accents_are_dropped_from_what_is_asked():
    prompt = route_prompt(("Café is on your left; ",))
    assert published_question(prompt, route_answer()).prompt == prompt.replace("é", "e")


def test_rows_of_one_route_have_one_cluster():
    later = published_question(route_prompt(("No landmarks nearby; ",)), route_answer())
    assert read().cluster == later.cluster != ""


def test_a_question_comes_back_from_its_row():
    question = read()
    assert type(question).from_row(question.row()) == question


@pytest.mark.parametrize(
    ("prompt", "answer", "told"),
    [
        (route_prompt(), "I do not know", "its answer's action is None"),
        (route_prompt(), json.dumps({"action": "jump()"}), "its answer's action is 'jump()'"),
        (route_prompt(), route_answer("turn_direction(left)"), "is none of its action space"),
        (route_prompt().replace("O_2", "O_7"), route_answer(), "its sequence has the line"),
        (route_prompt().replace("A_1: forward()", "A_1: "), route_answer(), "2 observations and 0 actions"),
    ],
)
def test_a_row_that_lacks_something_is_refused(prompt, answer, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(").replace(")", r"\)")):
        published_question(prompt, answer)
