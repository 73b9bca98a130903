"""check_task: try a task of one's own on what every part of the suite expects of it, and report what does not hold."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import numpy as np

from verienv.core import tasks
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.feedback import LONGEST_FEEDBACK, LONGEST_LINE
from verienv.core.question import Question, check_question
from verienv.core.rows import rows
from verienv.core.shown import shown
from verienv.core.spaces import PRINTABLE
from verienv.core.task import Task
from verienv.core.verdict import Verdict
from verienv.core.wording import PLAIN

ODD_RESPONSES = ("", " ", "I do not know.", "{", '{"a": [', "\ud800", "\0", "é" * 999, "9" * 9999, "[" * 5000, "null")


class TaskFaults(AssertionError):
    """The faults of a task, each once, with the question at which it showed."""


def check_task(task: str | Task, questions: int = 20, seed: int = 0, **settings: Any) -> None:
    """Check a registered task: questions, verdicts, wrong answers, rows and instances of all its environments.

    One line in pytest: ``check_task("successor")``, or under settings of your own, such as
    ``check_task("generalpoints", answer_format="tags", prompt=MINE)``. Only the first question of an episode is tried,
    not those that ``Task.next`` asks after it.

    Args:
        task: its name, or itself; or the id of one of its environments, which alone is tried then.
        questions: the number of questions that are dealt in each environment.
        seed: fixes them.
        **settings: of every environment, as for ``gym.make``. Rows hold names, so that objects of your own must be
            registered. Kinds of failure that they rule out, such as a division by zero where ``operators`` has no /,
            are named as ones that no response was written for.

    Raises:
        TaskFaults: an AssertionError that names every fault.
        ValueError: for a name that no task has, or a wrong setting.
    """
    is_one = isinstance(task, str) and "/" in task
    found = task if isinstance(task, Task) else tasks.of_env_id(task) if is_one else tasks.named(task)
    faults: dict[str, str] = {}
    for env_id in [str(task)] if is_one else found.environments:
        for fault, where in _faults(found, env_id, questions, seed, settings):
            faults.setdefault(f"{env_id}: {fault}", where)
    if faults:
        lines = [f"- {fault} (at {where})" for fault, where in faults.items()]
        raise TaskFaults("\n".join([f"{found.title} has {len(faults)} kinds of faults:", *lines]))


def _faults(task: Task, env_id: str, count: int, seed: int, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    env = task.environment(env_id, **settings)
    rng, failures = np.random.default_rng(seed), env.measures.failures
    written = set[str]()
    for _ in range(count):
        try:
            question = check_question(env.deal(rng), env)
        except TypeError as error:
            yield str(error), f"seed {seed}"
            return
        where = question.instance
        for fault in (*_of_question(env, question), *_of_answers(env, question, failures, rng, written)):
            yield fault, where
    for failure in failures:
        if failure not in written:
            yield f"wrong({failure!r}) wrote no response that fails so", f"{count} questions"
    others = {name: value for name, value in settings.items() if name != "split"}
    for row in rows(env_id, settings.get("split", next(iter(env.splits))), min(count, 5), seed, **others):
        for fault in _of_row(task, row):
            yield fault, row["instance"]


def _of_question(env: VerifiedEnv, question: Question) -> Iterator[str]:
    if not isinstance(question, env.task.question):
        yield f"deal gave a {type(question).__name__}, but the task's question is {env.task.question.__name__}"
    observations: Any = env.observation_space
    if env.wording is PLAIN:
        if set(question.prompt) - set(PRINTABLE) or len(question.prompt) > env.longest_question:
            yield f"the prompt must be printable ASCII of at most longest_question={env.longest_question} characters"
    elif Episode(question, env.task).text not in observations["text"]:
        yield "the question and its system prompt must be printable ASCII, as long as the observation space allows"
    if question.attempts != env.attempts:
        yield f"the question has attempts={question.attempts}, the settings say {env.attempts}"
    if question.vision != env.vision:
        yield f"the question has vision={question.vision}, the environment {env.vision}"
    Episode(question, env.task).pictures  # noqa: B018 - raises for what are none
    try:
        check_question(env.deal(np.random.default_rng(1), question.instance), env, question.instance)
    except Exception as error:
        yield f"deal(rng, instance) of its own instance raised {error!r}"


def _of_answers(
    env: VerifiedEnv, question: Question, failures: tuple[str, ...], rng: np.random.Generator, written: set[str]
) -> Iterator[str]:
    for steps in (False, True):
        verdict = yield from _judged(env, question, question.expert(steps=steps), failures)
        if verdict is not None and (not verdict.is_correct or verdict.reward != question.best_reward):
            yield f"expert(steps={steps}) earned {verdict.reward:g}, not the best reward {question.best_reward:g}"
    for failure in failures:
        response = question.wrong(failure, rng)
        if response is None:
            continue
        verdict = yield from _judged(env, question, response, failures)
        if verdict is not None and verdict.failure == failure:
            written.add(failure)
        elif verdict is not None:
            yield f"wrong({failure!r}) was judged {verdict.failure!r}"
    for response in ODD_RESPONSES:
        yield from _judged(env, question, response, failures)


def _judged(
    env: VerifiedEnv, question: Question, response: str, failures: tuple[str, ...]
) -> Generator[str, None, Verdict | None]:
    try:
        verdict = question.judge(response)
    except Exception as error:
        yield f"judge raised {error!r}: a response must never do that"
        return None
    if not isinstance(verdict, Verdict):
        yield f"judge returned {shown(verdict)}, expected a Verdict"
        return None
    yield from _of_verdict(env, verdict, failures)
    return verdict


def _of_verdict(env: VerifiedEnv, verdict: Verdict, failures: tuple[str, ...]) -> Iterator[str]:
    if verdict.is_correct != (verdict.failure == ""):
        yield f"a verdict has is_correct={verdict.is_correct} and failure={verdict.failure!r}"
    if verdict.failure and verdict.failure not in failures:
        yield f"failure={verdict.failure!r} is none of the measures' {failures}"
    kinds = {name: type(value) for name, value in env.measures.metrics.items()}
    if {name: type(value) for name, value in verdict.metrics.items()} != kinds:
        yield f"the metrics {shown(verdict.metrics)} are not those of the measures, {shown(env.measures.metrics)}"
    said, most = verdict.feedback, LONGEST_FEEDBACK if env.wording is PLAIN else LONGEST_LINE
    if set(said) - set(PRINTABLE) or "\n" in said or len(said) > most:
        yield f"feedback={shown(said)} must be one line of at most {most} ASCII characters"


def _of_row(task: Task, row: dict[str, Any]) -> Iterator[str]:
    carried = json.loads(json.dumps(row))
    read = task.question.from_row(carried)
    dealt = Episode.of(carried).question
    if read != dealt:
        yield "a question read from its row is not the question: give its fields exact types, such as tuple[int, ...]"
    if task.column and task.column not in row:
        yield f"column={task.column!r} is no column of its rows"
    if read.judge(read.expert()) != dealt.judge(dealt.expert()):
        yield "a question read from its row judges otherwise"
