"""check_task: tasks that hold pass, and each slip is named."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.contract.playing import outside_tasks
from tests.core.next_number import NextNumber, NextNumberConfig, NextNumberEnv, NextNumberTask

import verienv
from verienv.core.task import Measures
from verienv.testing import TaskFaults, check_task


@pytest.mark.parametrize("task", verienv.tasks())
def test_the_shipped_tasks_have_no_faults(task: str) -> None:
    check_task(task, questions=3)


def test_countdown_has_no_faults() -> None:
    with outside_tasks():
        check_task("countdown", questions=5)


@dataclass(frozen=True, kw_only=True)
class Slip(NextNumber):
    """A question that slips as the class says."""


def slipping(**changes: Any) -> NextNumberTask:
    """Register a task whose question has these attributes in place of its own."""
    question = type("Slip", (Slip,), changes)

    class SlipEnv(NextNumberEnv):
        def deal(self, rng: np.random.Generator, instance: str | None = None) -> Any:
            number = int(rng.integers(100)) if instance is None else int(instance.removeprefix("next:"))
            return question(number=number, attempts=self.config.attempts)

    class SlipTask(NextNumberTask):
        name, title = "slip", "Slip"
        environments: ClassVar = {"tests/Slip-v0": f"{__name__}:SlipEnv"}

        def environment_class(self, env_id: str) -> Any:
            return SlipEnv

    SlipTask.question = question  # type: ignore[method-assign, assignment]
    SlipEnv.task, SlipEnv.settings = SlipTask(), NextNumberConfig
    return verienv.register_task(SlipEnv.task)  # type: ignore[return-value]


def verdict(self: Any, response: str, **changes: Any) -> verienv.Verdict:
    return NextNumber.judge(self, response).model_copy(update=changes)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"best_reward": 2.0}, r"expert\(steps=False\) earned 1, not the best reward 2"),
        ({"judge": lambda self, response: None}, "judge returned None, expected a Verdict"),
        ({"judge": lambda self, response: 1 / 0 if response == "{" else verdict(self, response)}, "judge raised Zero"),
        (
            {"judge": lambda self, response: verdict(self, response, feedback="No.\nNo.")},
            "feedback=.* must be one line",
        ),
        ({"judge": lambda self, response: verdict(self, response, metrics={"new": 1})}, "the metrics .* are not those"),
        ({"judge": lambda self, response: verdict(self, response, failure="odd")}, "failure='odd' is none of"),
        ({"wrong": lambda self, failure, rng: self.expert()}, r"wrong\('wrong'\) was judged ''"),
        ({"wrong": lambda self, failure, rng: None}, r"wrong\('wrong'\) wrote no response that fails so"),
        ({"prompt": "Quelle année ?"}, "the prompt must be printable ASCII"),
    ],
)
def test_each_slip_of_a_question_is_named(changes: dict[str, Any], told: str) -> None:
    slipping(**changes)
    with pytest.raises(TaskFaults, match=told):
        check_task("slip", questions=3)


@pytest.mark.usefixtures("listed")
def test_failures_that_no_measure_names_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    slipping()
    monkeypatch.setattr(NextNumberTask, "measures", lambda self, vision: Measures(failures=("other",)))
    with pytest.raises(TaskFaults, match="is none of the measures' \\('other',\\)"):
        check_task("slip", questions=3)


def test_an_unknown_name_lists_the_tasks_there_are() -> None:
    with pytest.raises(ValueError, match="task='nothing': expected generalpoints or virl"):
        check_task("nothing")


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("dealt", "told"),
    [
        (lambda question, instance: None, "deal returned None; expected a Question"),
        (lambda question, instance: question.but(number=5) if instance else question, "SlipEnv.deal gave 'next:5' in"),
    ],
)
def test_each_slip_of_a_deal_is_named(monkeypatch: pytest.MonkeyPatch, dealt: Any, told: str) -> None:
    env = slipping().environment_class("tests/Slip-v0")
    deal = env.deal
    monkeypatch.setattr(env, "deal", lambda self, rng, instance=None: dealt(deal(self, rng, instance), instance))
    with pytest.raises(TaskFaults, match=told):
        check_task("slip", questions=3)


TEMPLATES = {
    "generalpoints": "{cards} / {rule} / {target} / {format}",
    "virl": "{instructions} / {actions} / {history} / {view} / {format}",
}


@pytest.mark.parametrize("task", TEMPLATES)
@pytest.mark.parametrize("form", ["tags", "boxed", "line"])
def test_the_shipped_tasks_have_no_faults_in_other_formats(task: str, form: str) -> None:
    check_task(task, questions=3, answer_format=form)


@pytest.mark.parametrize("task", TEMPLATES)
def test_the_shipped_tasks_have_no_faults_in_words_of_ones_own(task: str) -> None:
    wrong = {"wrong": "No, " * 100 + "no."}
    prompt = TEMPLATES[task] + " and so on" * 300
    check_task(task, 3, prompt=prompt, system_prompt="Be brief. " * 300, think_first=True, feedback=wrong)


@pytest.mark.usefixtures("listed")
def test_a_fault_that_shows_under_some_settings_alone_is_named() -> None:
    slipping(wrong=lambda self, failure, rng: NextNumber.wrong(self, failure, rng) if self.attempts > 1 else None)
    check_task("slip", questions=2, attempts=2)
    with pytest.raises(TaskFaults, match="wrong\\('silent'\\) wrote no response"):
        check_task("slip", questions=2, attempts=1)


def test_one_environment_of_a_task_is_checked_by_its_id() -> None:
    check_task("verienv/GeneralPoints-L-v0", questions=3, numbers=(1, 13))
