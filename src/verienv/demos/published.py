"""Rows of published data sets, as rows of questions with their prompts kept.

Read are ShareGPT conversations, as the demonstrations of arXiv 2501.17161 are (``conversations`` of "human" and "gpt"),
and tables of ``question``, ``answer`` and ``extra_info``, as those of arXiv 2510.00237 are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verienv.core import tasks
from verienv.core.dialogue import question_message
from verienv.core.question import Question
from verienv.core.shown import cut, shown, shown_path
from verienv.core.table_file import read_table

PUBLISHED = "conversations of human and gpt, or question and answer"


def read_published(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of published questions. Errors as ``published_rows``'; the first fault is one too."""
    for row in published_rows(path):
        if isinstance(row, ValueError):
            raise row
        yield row


def published_rows(path: str | Path) -> Iterator[dict[str, Any] | ValueError]:
    """Yield the rows of a file of published questions, and for each row that cannot be used its fault.

    Args:
        path: a JSON array, JSON lines or parquet; ``read_table`` says which.

    Yields:
        Dicts with ``id`` (the file's name and the number of the row), ``prompt`` and, where there is an answer,
        ``completion`` (chat messages, as ``demonstrations`` gives them, every character as published), ``images``
        where the row has pictures (paths as published), and the columns of the task's question, by which
        ``verienv.judge`` judges a response and ``Episode.of`` asks in the published words, once.

    Raises:
        ValueError: if the file cannot be read.
    """
    path = Path(path)
    for number, row in read_table(path):
        try:
            if isinstance(row, ValueError):
                raise row
            yield {"id": f"{path.stem}/{number}", **convert_row(row)}
        except (ValueError, RecursionError) as error:
            yield ValueError(f"{shown_path(path)}, row {number}: {cut(error)}")


def convert_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one published row as ``published_rows`` yields it, without ``id``. Raises ValueError for one of no use."""
    prompt, answer = _dialogue(row)
    images = _images(row)
    text = prompt.replace("<image>\n", "").replace("<image>", "") if images else prompt
    question = _question(text, answer, row)
    if question.vision != bool(images):
        raise ValueError(
            "its words say that the question is in a picture, and the row has none"
            if question.vision
            else f"it has {len(images)} pictures, and its words name what they show"
        )
    asked = question_message(text, len(images))
    said = [{"type": "text", "text": answer}] if images else answer
    return {
        "prompt": [asked],
        **({"completion": [{"role": "assistant", "content": said}]} if answer else {}),
        **({"images": images} if images else {}),
        **question.row(),
    }


def _question(prompt: str, answer: str, row: Mapping[str, Any]) -> Question:
    for task in tasks.every():
        question = task.published(prompt, answer, row)
        if question is not None:
            return question
    raise ValueError(f"its prompt {shown(prompt)} is of no published form of a task")


def _dialogue(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the words of the question and of the answer, "" where a table of questions has none."""
    if "conversations" in row:
        turns = row["conversations"]
        if not isinstance(turns, list) or [_of(turn, "from") for turn in turns] != ["human", "gpt"]:
            raise ValueError(f"conversations={shown(turns)}: expected one turn of human and one of gpt")
        return _text("value", _of(turns[0], "value")), _text("value", _of(turns[1], "value"))
    if "question" not in row:
        raise ValueError(f"it has the columns {shown(sorted(map(str, row)))}; expected {PUBLISHED}")
    asked, answer = row["question"], row.get("answer")
    if isinstance(asked, list):
        if [_of(message, "role") for message in asked] != ["user"]:
            raise ValueError(f"question={shown(asked)}: expected a text, or one message of the user's")
        asked = _of(asked[0], "content")
    return _text("question", asked), "" if answer is None else _text("answer", answer)


def _of(turn: Any, name: str) -> Any:
    return turn.get(name) if isinstance(turn, Mapping) else None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}={shown(value)}: expected a text")
    value.encode()  # half a character, as JSON can spell it, is no text
    return value


def _images(row: Mapping[str, Any]) -> list[str]:
    found = row.get("image") or row.get("images") or []
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(image, str) for image in listed):
        raise ValueError(f"image={shown(found)}: expected a path, or a list of paths")
    return listed
