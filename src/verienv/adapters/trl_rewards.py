"""The reward function of TRL's trainers. Import from ``verienv.adapters.trl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verienv.core import tasks
from verienv.core.dialogue import response_of
from verienv.core.plain import PlainRow
from verienv.core.rows import judge_as
from verienv.core.shown import shown
from verienv.core.verdict import Rewards, Verdict


class RewardFunction:
    """A reward function for GRPOTrainer and RLOOTrainer; see ``reward_function``. Can be pickled."""

    def __init__(self, rewards: Rewards | None, strict: bool | None, name: str) -> None:
        if rewards is not None:
            tasks.check_rewards(rewards)
        self.rewards = rewards
        self.strict = strict
        self.__name__ = name

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Pay one reward for each completion.

        Args:
            prompts: not read.
            completions: texts, or chat messages, of which the last of the assistant's counts.
            completion_ids: not read.
            columns: the dataset's columns, one value for each completion; and TRL's ``log_metric`` and
                ``log_extra``, which get the share of correct answers, the metrics, and each failure.

        Returns:
            Rewards, each as the row's task judges; None for a row of no known task.

        Raises:
            ValueError: if a column is missing or wrong. Never for a completion, whatever it is.
        """
        given = {name: list(values) for name, values in columns.items() if _is_column(name, values)}
        for name in _TEXTS:
            if isinstance(text := columns.get(name), str):
                raise ValueError(f"{name}={shown(text)}: expected a column: a list with one text for each completion")
        for name, values in given.items():
            if len(values) != len(completions):
                raise ValueError(
                    f"{name}: {len(values)} values for {len(completions)} completions; give one for each completion"
                )
        if not any(name in given for name in ("env_id", *(task.column for task in tasks.every()))):
            known = [f"{task.column} ({task.title})" for task in tasks.every() if task.column]
            raise ValueError(
                f"the dataset has no column of a known task, such as env_id, {', '.join(known)}; make it with "
                "verienv.adapters.trl.dataset or verienv.rows, or give it one of these columns"
            )
        verdicts = [
            self._verdict({name: values[index] for name, values in given.items()}, completion)
            for index, completion in enumerate(completions)
        ]
        self._log(verdicts, columns.get("log_metric"), columns.get("log_extra"))
        return [verdict.reward if verdict else None for verdict in verdicts]

    def _verdict(self, columns: Mapping[str, Any], completion: Any) -> Verdict | None:
        row = PlainRow(columns)
        if row.get("unit") not in (None, "question"):
            raise ValueError(
                f"unit={row['unit']!r}: one completion cannot answer a whole {row['unit']}; make rows with "
                "unit='question', or train in an environment"
            )
        if row.get("env_id") is None and not any(row.get(task.column) is not None for task in tasks.every()):
            return None
        return judge_as(row, completion, self.rewards, self.strict)

    def _log(self, verdicts: list[Verdict | None], log_metric: Any, log_extra: Any) -> None:
        judged = [verdict for verdict in verdicts if verdict]
        if log_metric is not None and judged:
            measures = [{"is_correct": verdict.is_correct, **verdict.metrics} for verdict in judged]
            for measure in dict.fromkeys(name for each in measures for name in each):
                found = [float(each[measure]) for each in measures if measure in each]  # not all rows have it
                log_metric(f"{self.__name__}/{measure}", sum(found) / len(found))
        if log_extra is not None:
            log_extra(f"{self.__name__}_failure", [verdict.failure if verdict else "" for verdict in verdicts])


def reward_function(
    rewards: Rewards | None = None, strict: bool | None = None, name: str | None = None
) -> RewardFunction:
    """Make a reward function for ``GRPOTrainer(reward_funcs=...)``, with no state: all it needs is in the row.

    Args:
        rewards: a preset such as "binary" or a table, to overrule the rows' own ("paper" where a row has
            none). A table must fit the task of every row. In TRL, several reward functions are added up.
        strict: read plain JSON alone; overrules the rows' own.
        name: its name in TRL's logs; "verienv", or e.g. "verienv_binary" where a preset is chosen.

    Raises:
        ValueError: for an unknown preset or a wrong table.
    """
    return RewardFunction(rewards, strict, name or (f"verienv_{rewards}" if isinstance(rewards, str) else "verienv"))


reward = reward_function()
"""The reward function that pays what the rows of ``dataset`` say."""


_TEXTS = ("prompt_template", "system_prompt", "answer_format", "feedback_lines", "instance", "rule", "env_id")
"""Columns that hold texts: given as one text, for all rows, they would be taken for a word of TRL's own."""


def _is_column(name: str, values: Any) -> bool:
    """Whether a keyword of TRL, or of another caller, is a column of the dataset: a list, an array, a series."""
    is_sized = hasattr(values, "__len__") and hasattr(values, "__getitem__")
    return is_sized and not isinstance(values, str | bytes | Mapping) and name != "environments"


def response_text(completion: Any) -> str:
    """Return the text to judge in a completion of TRL's: a string, or the last of the assistant's messages.

    Of a content in parts, those of type "text" alone count; the fields of the message's last tool call are its answer.
    Anything else is an empty response.
    """
    return response_of(completion)
