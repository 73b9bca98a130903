"""Rows and demonstrations as verl's datasets read them, and their parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from verienv.core import tasks
from verienv.core.dialogue import DIALOGUES, images_of, png, tagged_text
from verienv.core.files import atomic_write
from verienv.core.rows import questions


def rows(
    env_id: str, split: str = "train", n: int = 1000, seed: int = 0, *, episodes: bool = False, **settings: Any
) -> list[dict[str, Any]]:
    """Make rows as verl's dataset reads them.

    Args:
        env_id: e.g. "verienv/GeneralPoints-L-v0".
        split: and further ``settings``: as for ``gym.make``. The prompt names the number of ``attempts`` (in V-IRL 2,
            else 5, unless set): set 1 where each prompt is answered once.
        n: the number of rows; in V-IRL each is a waypoint, and those of a route follow one another.
        seed: fixes every row.
        episodes: whether a row is a whole episode, in V-IRL a route, which the agent loop of
            ``verienv.adapters.verl_loop`` plays; its prompt is the first question, and ``attempts`` are as in
            ``gym.make``.

    Returns:
        Dicts with ``data_source`` (id and split: verl reports validation by it), ``prompt`` (chat messages),
        ``ability``, ``reward_model`` (``style`` "rule" and ``ground_truth``, a JSON string) and ``extra_info``
        (``index``, ``split``, ``instance``, ``env_id``). With vision also ``images`` (dicts with ``bytes``, a
        PNG file), one for each "<image>" in the text of the prompt; with ``episodes`` also ``agent_name``, "verienv".

    Raises:
        ValueError: for settings out of range.
    """
    made = []
    unit = None if episodes else "question"
    for index, (row, question) in enumerate(questions(env_id, split, n, seed, unit=unit, **settings)):
        prompt = row.pop("prompt")
        made.append(
            {
                **({"agent_name": "verienv"} if episodes else {}),
                "data_source": f"{row['env_id']}/{split}",
                "prompt": [{"role": message["role"], "content": tagged_text(message)} for message in prompt],
                **(
                    {"images": [{"bytes": png(image)} for image in images_of(question.pictures)]}
                    if question.vision
                    else {}
                ),
                "ability": tasks.of_row(row).ability,
                "reward_model": {"style": "rule", "ground_truth": json.dumps(row)},
                "extra_info": {"index": index, "split": split, "instance": question.instance, "env_id": row["env_id"]},
            }
        )
    return made


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``verienv.demonstrations`` as verl's SFT trainer reads it.

    Returns:
        ``messages``, whose texts hold "<image>" for each picture; ``images`` (dicts with ``bytes``, a PNG file), if
        there are any; and the row's other columns, such as ``instance`` and ``reward``.

    Raises:
        ValueError: for a row that is no demonstration of kind "sft". verl trains on every turn of the assistant's, and
            those of a "revision" are wrong, all but the last.
    """
    messages = [*row["prompt"], *row.get("completion", ())]
    if "completion" not in row or len([message for message in messages if message["role"] == "assistant"]) != 1:
        raise ValueError("expected a demonstration of kind='sft': verl's SFT trainer trains on every assistant's turn")
    images = [{"bytes": png(image)} for image in row.get("images", ())]
    others = {name: value for name, value in row.items() if name not in (*DIALOGUES, "images")}
    said = [{"role": message["role"], "content": tagged_text(message)} for message in messages]
    return {"messages": said, **({"images": images} if images else {}), **others}


def write_parquet(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows to a parquet file, whole or not at all, and the folder it lies in if need be.

    Raises:
        ValueError: if there are no rows.
        ImportError: if ``datasets`` is not installed.
    """
    try:
        from datasets import Dataset
    except ImportError:
        raise ImportError("write_parquet needs datasets: pip install datasets") from None
    listed = [dict(row) for row in rows]
    if not listed:
        raise ValueError("there are no rows to write")
    names = dict.fromkeys(name for row in listed for name in row)  # those of all rows: the first may lack some
    path = Path(path)
    with atomic_write(path) as part:
        Dataset.from_dict({name: [row.get(name) for row in listed] for name in names}).to_parquet(part)
    return path
