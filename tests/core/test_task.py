"""Task: what holds of a task that says no more than it must."""

from typing import Any

import numpy as np
import pytest
from tests.core.next_number import ENV_ID, FAILURES, TASK, NextNumber, NextNumberEnv

from verienv.core import tasks
from verienv.core.scene import Scene
from verienv.core.task import Measures, Task, answer
from verienv.testing import check_verifier

FIVE = NextNumber(number=5, attempts=3)


class Bare(Task):
    name, title = "bare", "Bare"


BARE = Bare()


def test_a_task_without_questions_is_an_error_that_says_what_to_give() -> None:
    with pytest.raises(NotImplementedError, match=r"Bare.question: give the class of its questions"):
        _ = BARE.question


def test_by_default_nothing_is_measured_but_success() -> None:
    assert BARE.measures(False) == BARE.measures(True) == Measures()
    assert (Measures().failures, Measures().metrics, Measures().headline) == ((), {}, "success")
    assert BARE.tables == {}


def test_by_default_a_wrong_response_is_followed_by_the_same_question_while_attempts_are_left() -> None:
    wrong, right = FIVE.judge("?"), FIVE.judge("6")
    assert BARE.next(FIVE, wrong) == FIVE.again()
    assert BARE.next(FIVE.but(attempt=2), wrong) == FIVE.but(attempt=3)
    assert BARE.next(FIVE.but(attempt=3), wrong) is None
    assert BARE.next(FIVE, right) is None


def test_by_default_rewards_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="Bare has one table of rewards only, so rewards='paper' cannot be chosen"):
        BARE.reward_table("paper")


def test_an_environment_is_built_by_its_id_and_another_id_is_an_error() -> None:
    env = TASK.environment(ENV_ID, attempts=2)
    assert (type(env).__name__, env.attempts) == (NextNumberEnv.__name__, 2)
    assert TASK.environment_class(ENV_ID).__name__ == NextNumberEnv.__name__
    with pytest.raises(KeyError):
        TASK.environment("verienv/VIRL-L-v0")
    with pytest.raises(ValueError, match="attempts=0"):
        TASK.environment(ENV_ID, attempts=0)


def test_by_default_a_person_types_the_answer_itself_and_is_shown_the_experts() -> None:
    assert BARE.typed(FIVE, "6") == "6"
    assert BARE.news(FIVE) == FIVE.prompt
    assert list(BARE.revealed(FIVE)) == ["The expert says: 6"]
    assert "give up" in BARE.help(FIVE)


def test_by_default_nothing_is_drawn() -> None:
    assert BARE.scene(FIVE) == Scene()
    assert BARE.map(FIVE) is None
    assert not BARE.has_map


def test_a_task_that_draws_maps_says_so() -> None:
    class Drawn(Bare):
        def map(self, question: Any, solved: bool = False, size: int | None = None) -> None:
            return None

    assert Drawn().has_map
    assert {task.name: task.has_map for task in tasks.every()}.items() >= {"generalpoints": False, "virl": True}.items()


def test_the_default_tool_hands_in_the_answer_and_documents_itself_for_models() -> None:
    assert BARE.tool("6") == "6"
    assert BARE.tool is answer
    assert "Args:\n        response: " in str(answer.__doc__)


def test_the_material_of_a_task_without_cases_has_verdicts_of_its_own_verifier() -> None:
    material = TASK.cases(vision=False, strict=False, questions=6, seed=0)
    assert {case.failure for case in material.cases} == {"", *FAILURES}
    assert len(material.right) == len(material.wrong) == 5
    for case in [*material.right, *material.wrong, *material.cases, *material.repeated_faults[0]]:
        verdict = case.call(lambda response, question: question.judge(response))
        assert (case.failure, case.is_correct) == (verdict.failure, verdict.is_correct)
    again = TASK.cases(vision=False, strict=False, questions=6, seed=0)
    assert [case.response for case in again.cases] == [case.response for case in material.cases]


def test_a_task_without_pictures_has_no_cases_with_vision() -> None:
    with pytest.raises(ValueError, match="vision=True: expected False for Next number, which has no environment with"):
        TASK.cases(vision=True, strict=False, questions=2, seed=0)


@pytest.mark.usefixtures("registered")
def test_verifiers_of_a_task_without_cases_are_checked_too() -> None:
    report = check_verifier(lambda response, question: question.judge(response), task="next")
    assert (report.right, report.wrong) == (1.0, 0.0)
    with pytest.raises(AssertionError, match="false accept"):
        check_verifier(lambda response, question: question.expert() in response, task="next")


@pytest.mark.parametrize("task", tasks.every(), ids=lambda task: task.name)
def test_a_shipped_task_says_all_that_a_person_and_a_tool_need(task: Task) -> None:
    question = task.environment(next(iter(task.environments))).deal(np.random.default_rng(0))
    assert isinstance(question, task.question)
    assert question.row()[task.column] is not None
    assert task.help(question)
    assert list(task.revealed(question))
    assert task.news(question)
    assert question.judge(task.typed(question, question.expert())).is_correct
    assert set(task.measures(False).failures) <= set(task.measures(True).failures)
