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
from collections.abc import Mapping
from typing import Any

from verienv.adapters.verl_rows import rows as rows
from verienv.adapters.verl_rows import sft_row as sft_row
from verienv.adapters.verl_rows import write_parquet as write_parquet
from verienv.core.rows import judge_as
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
