"""verienv in verl: a reward function and rows for its parquet files.

    from verienv.adapters.verl import rows, write_parquet

    write_parquet("data/train.parquet", rows("verienv/GeneralPoints-L-v0", n=10_000, attempts=1))
    write_parquet("data/rule_ood.parquet", rows("verienv/GeneralPoints-L-v0", "rule_ood", n=500, attempts=1))

and on verl's command line (older versions have no ``reward.`` before it)::

    data.train_files=data/train.parquet data.val_files=data/rule_ood.parquet
    reward.custom_reward_function.path=$(python -c "import verienv.adapters.verl as v; print(v.__file__)")
    reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.rewards=binary    # optional
    +reward.custom_reward_function.reward_kwargs.metrics=false     # where files of several tasks are mixed

That is one answer to each prompt. Whole episodes, with feedback after a wrong answer, are rows for the agent loop of
``verienv.adapters.verl_loop``, with no reward function::

    write_parquet("data/train.parquet", rows("verienv/GeneralPoints-L-v0", n=10_000, episodes=True, attempts=3))

Demonstrations for its SFT trainer (``data.messages_key=messages``)::

    write_parquet("data/sft.parquet", map(sft_row, verienv.demonstrations("verienv/GeneralPoints-L-v0", n=10_000)))
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from verienv.core import tasks
from verienv.core.dialogue import DIALOGUES, images_of, png, tagged_text
from verienv.core.files import atomic_write
from verienv.core.rows import judge_as, questions
from verienv.core.verdict import Rewards


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    *,
    rewards: Rewards | None = None,
    strict: bool | None = None,
    metrics: bool = True,
    **_: Any,
) -> dict[str, float | str]:
    """Judge one response.

    Args:
        data_source: not read.
        solution_str: the response; or messages, of which the last of the assistant's counts.
        ground_truth: the entry of a row made by ``rows``: JSON with the question and the settings of its reward.
        extra_info: not read.
        rewards: a preset or a table, to overrule the row's own.
        strict: read plain JSON alone; overrules the row's own.
        metrics: add the task's metrics. Set it to False where rows of several tasks, or with and without vision, are
            mixed: verl wants the same keys throughout a batch.

    Further keywords, as verl gives them to reward functions that ask a model, are ignored.

    Returns:
        ``score``, the reward; ``acc``, 1.0 if correct, by which verl reports validation; the task's metrics as
        floats; ``failure``. The same keys for every response.

    Raises:
        ValueError: if ``ground_truth`` is not of that form. Never for a response, whatever it is.
    """
    verdict = judge_as(read_ground_truth(ground_truth), solution_str, rewards, strict)
    return {
        "score": verdict.reward,
        "acc": float(verdict.is_correct),
        **({name: float(value) for name, value in verdict.metrics.items()} if metrics else {}),
        "failure": verdict.failure,
    }


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


def read_ground_truth(ground_truth: str) -> dict[str, Any]:
    """Return the row in the ground truth of one of verl's. Raises ValueError for what ``rows`` does not put there."""
    try:
        columns = json.loads(ground_truth)
    except (TypeError, ValueError, RecursionError):
        columns = None
    if not isinstance(columns, dict):
        shown = repr(ground_truth)
        raise ValueError(
            f"ground_truth={shown if len(shown) <= 60 else shown[:57] + '...'}: expected the JSON object that "
            "verienv.adapters.verl.rows puts there"
        )
    return columns
