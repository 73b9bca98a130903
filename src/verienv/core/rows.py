"""Rows: questions as flat dicts, to be carried anywhere, judged there, and dealt again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from verienv.core import question as room
from verienv.core import tasks
from verienv.core.config import UnknownSettingError, plain_settings
from verienv.core.counts import check_count
from verienv.core.dialogue import in_parts, response_of
from verienv.core.plain import PlainRow, are_alike, plain_value, with_whole_numbers
from verienv.core.question import Question, check_question
from verienv.core.shown import shown
from verienv.core.task import Task
from verienv.core.verdict import Rewards, Verdict

MOST_STEPS = 10_000
"""The farthest question of an episode that a row may name."""


def rows(
    env_id: str,
    split: str = "train",
    n: int = 1000,
    seed: int = 0,
    *,
    unit: str | None = None,
    parts: bool = False,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Return ``n`` questions as rows: flat dicts of plain data, which JSON, Arrow and parquet can hold.

    Row k does not depend on ``n``, and holds the episode that ``reset(seed=row["seed"])`` deals under its settings.
    ``judge(row, response)`` judges an answer to it and ``Episode.of(row)`` plays it, in any process.

    Args:
        env_id: e.g. "verienv/GeneralPoints-L-v0"; with "module:id" the module is imported first, as by ``gym.make``.
        split: and further ``settings``: as for ``gym.make``.
        n: the number of rows.
        seed: fixes every row.
        unit: "question" for one row for each question. By default a row is a whole episode, which in V-IRL is a route;
            there with "question" the rows follow the expert from waypoint to waypoint: shuffle them before training.
        parts: whether the content of a prompt is a list of parts also where there is no picture, and not a text.

    Returns:
        Dicts with ``id``, ``env_id``, ``split``, ``seed``, ``step`` (which question of the episode, from 0), ``unit``,
        ``settings`` (JSON), ``prompt`` (chat messages), ``instance``, the columns of the task's question, and how
        difficult it is. Pictures
        are not held: ``Episode.of(row).pictures`` draws them. Rows of several tasks fit in one table; for rows with
        pictures and rows without in one table, make both with ``parts=True``: a column holds texts or lists, not both.

    Raises:
        ValueError: for arguments out of range, or settings that no row can hold.
    """
    made = questions(env_id, split, n, seed, unit=unit, **settings)
    return [in_parts(row) if parts else row for row, _ in made]


def questions(
    env_id: str, split: str, n: int, seed: int, *, unit: str | None = None, **settings: Any
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield the rows as ``rows`` does, each with its question, which draws the pictures. Raises at once, as it does."""
    for name, number, least in (("n", n, 1), ("seed", seed, 0)):
        check_count(name, number, least)
    env_id = tasks.imported_id(env_id)
    task = tasks.of_env_id(env_id)
    if unit not in (None, "question", task.unit):
        raise ValueError(f"unit={shown(unit)}: expected {' or '.join(dict.fromkeys(('question', task.unit)))}")
    given = {"split": split, **settings}
    env = task.environment(env_id, **given)
    written = json.dumps(plain_settings(env.config, given))
    return _questions(task, env, n, seed, unit or task.unit, {"env_id": env_id, "split": split}, written)


def _questions(
    task: Task, env: Any, n: int, seed: int, unit: str, about: dict[str, Any], settings: str
) -> Iterator[tuple[dict[str, Any], Question]]:
    count = episode = 0
    while count < n:
        own = row_seed(seed, episode)
        question: Question | None = check_question(env.deal(np.random.default_rng(own)), env)
        step = 0
        while question is not None and count < n:
            row = {
                "id": f"{about['env_id']}/{about['split']}/{seed}/{count}",
                **about,
                "seed": own,
                "step": step,
                "unit": unit,
                "settings": settings,
                "prompt": prompt_of(question),
            }
            yield with_columns(row, question), question
            count, step = count + 1, step + 1
            question = _following(task, question) if unit == "question" else None
        episode += 1


OWN_COLUMNS = (
    "id",
    "env_id",
    "split",
    "seed",
    "unit",
    "settings",
    "prompt",
    "completion",
    "chosen",
    "rejected",
    "images",
)
"""Columns of rows, which no field of a question may be named after."""


def with_columns(row: Mapping[str, Any], question: Question) -> dict[str, Any]:
    """Return a row with the columns of its question, and how difficult that is.

    Raises:
        ValueError: where a field is named as a column of rows.
    """
    columns = question.row()
    for name in columns:
        if name in OWN_COLUMNS or columns[name] != row.get(name, columns[name]):
            raise ValueError(f"{type(question).__name__}.{name}: rows have a column of this name; rename the field")
    return {**row, **question.difficulty_measures, **columns}


def row_seed(seed: int, episode: int) -> int:
    """Return the seed of the episode of a row: below 2^53, so that JSON, Arrow and float columns keep it whole."""
    return int(np.random.SeedSequence([seed, episode]).generate_state(1, np.uint64)[0]) >> 11


def prompt_of(question: Question) -> list[dict[str, Any]]:
    """Return the chat messages with which an episode of this question begins."""
    return question.messages(question.opening(question.prompt))


def judge(row: Mapping[str, Any], response: str) -> Verdict:
    """Judge a response to the question of a row, by the row's own task, rule and prices.

    For a row that is a whole route, its first question is judged.

    Args:
        row: of ``rows``, or any mapping with a task's columns, such as ``{"cards": ["4", "3", "2", "K"]}``; columns of
            other names are ignored, and None (a table's null) is the default.
        response: any string. Never raises on it.

    Raises:
        ValueError: if a column is missing or wrong, or the row is of no known task.
    """
    return read(row).judge(response if isinstance(response, str) else "")


def read(row: Mapping[str, Any]) -> Question:
    """Read the question of a row of any task. Raises ValueError as ``judge`` does."""
    return _of_known_row(row, lambda task, known: task.question.from_row(known))


def _of_known_row(row: Any, make: Callable[[Task, PlainRow], Question]) -> Question:
    """Return what ``make`` makes of the task of a row and its plain columns. Raises ValueError for what is no row."""
    if not isinstance(row, Mapping):
        raise ValueError(f"row={shown(row)}: expected a mapping, such as one of verienv.rows")
    try:
        known = PlainRow(row)
        return make(tasks.of_row(known), known)
    except RecursionError:
        raise ValueError("the row is nested too deeply to be one of verienv's") from None


def judge_as(row: Mapping[str, Any], said: Any, rewards: Rewards | None, strict: bool | None) -> Verdict:
    """Judge as ``judge`` does; ``rewards`` and ``strict``, where they are not None, overrule the row's own.

    Args:
        row: as ``judge``'s.
        said: the response, or messages that hold it, as ``response_of`` reads them.
        rewards: of the row's task.
        strict: whether plain JSON alone is read.

    Raises:
        ValueError: also if the task of the row has no such rewards.
    """
    question = read_as(row, rewards, strict)
    return question.judge(response_of(said, lambda answer: tasks.of_question(question).respell(question, answer)))


def read_as(row: Mapping[str, Any], rewards: Rewards | None, strict: bool | None) -> Question:
    """Read the question of a row; ``rewards`` and ``strict`` and errors as ``judge_as``'s."""

    def question(task: Task, known: PlainRow) -> Question:
        given = {} if strict is None else {"strict": strict}
        table = {} if rewards is None else {"rewards": task.reward_table(rewards)}
        return task.question.from_row(known.but({**given, **table}))

    return _of_known_row(row, question)


room.read_any = read


def deal_row(row: Mapping[str, Any], trusted: bool) -> Question:
    """Return the question of a row, dealt anew where it has a seed. Errors as ``Episode.of``'s."""
    return _of_known_row(row, lambda task, known: _dealt(task, known, trusted))


def _dealt(task: Task, row: Mapping[str, Any], trusted: bool) -> Question:
    seed, step = row.get("seed"), row.get("step")
    if seed is None or row.get("env_id") is None:
        return task.question.from_row(row)
    seed, step = _number("seed", seed, 2**64), 0 if step is None else _number("step", step, MOST_STEPS)
    settings, opened = _settings(task, row, trusted)
    make = _environment.__wrapped__ if opened else _environment  # what lies at a path may change from row to row
    env = make(task, row["env_id"], settings)
    question = check_question(env.deal(np.random.default_rng(seed)), env)
    if row.get("instance") not in (None, question.instance):
        raise ValueError(f"the row's instance is {shown(row['instance'])}, where its seed deals {question.instance!r}")
    for _ in range(step):
        following = _following(task, question)
        if following is None:
            raise ValueError(f"step={step}: expected a smaller number, since {question.instance} ends before it")
        question = following
    for name, value in question.row().items():
        if row.get(name) is not None and not are_alike(row[name], plain_value(value)):
            raise ValueError(
                f"{name}={shown(row[name])}: the row's seed and settings deal {shown(value)}; change the settings, or "
                "leave the seed out"
            )
    return question


def _following(task: Task, question: Question) -> Question | None:
    """Return the question to which the expert's response leads."""
    return task.next(question, question.judge(question.expert()))


def _number(name: str, number: Any, most: int) -> int:
    number = int(number) if isinstance(number, np.integer) else number
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < most:
        is_long = isinstance(number, int) and number.bit_length() > 128
        given = f"{'-' * (number < 0)}2**{number.bit_length()} or so" if is_long else shown(number)
        raise ValueError(f"{name}={given}: expected an integer from 0 to {most - 1}")
    return number


def _settings(task: Task, row: Mapping[str, Any], trusted: bool) -> tuple[str, list[str]]:
    """Return the row's settings as JSON, checked, and the names of those that open a path."""
    written = row.get("settings")
    try:
        settings = with_whole_numbers(json.loads("{}" if written is None else written))
    except (TypeError, ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(f"settings={shown(written)}: expected a JSON object, as verienv.rows writes it")
    opened = task.environment_class(row["env_id"]).settings.paths(settings)
    if opened and not trusted:
        raise ValueError(
            f"the row's settings open paths of this machine ({', '.join(opened)}); if you know where the row comes "
            "from, say Episode.of(row, trusted=True)"
        )
    return json.dumps(settings), opened


@lru_cache(maxsize=64)
def _environment(task: Task, env_id: str, settings: str) -> Any:
    try:
        return task.environment(env_id, **json.loads(settings))
    except UnknownSettingError:
        raise
    except TypeError as error:  # a name that Python itself has given away, such as "self"
        raise ValueError(f"settings={shown(settings)}: {error}") from None
