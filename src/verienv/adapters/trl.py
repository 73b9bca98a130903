"""verienv in TRL: a reward function, datasets, and an environment for several attempts.

GRPO, one answer to each prompt::

    import torch
    from trl import GRPOConfig, GRPOTrainer
    from verienv.adapters.trl import dataset, reward

    trainer = GRPOTrainer(
        model="Qwen/Qwen2.5-0.5B-Instruct",
        reward_funcs=reward,
        train_dataset=dataset("verienv/GeneralPoints-L-v0", n=2000, attempts=1),
        args=GRPOConfig(output_dir="runs/grpo", max_completion_length=256, use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

SFT on demonstrations (``kind="revision"`` for repairs after real feedback; ``kind="preference"`` for DPOTrainer, or
``preferences(pairs, labels)`` of labelled pairs)::

    import torch
    from trl import SFTConfig, SFTTrainer
    from verienv.adapters.trl import dataset

    trainer = SFTTrainer(
        model="Qwen/Qwen2.5-0.5B-Instruct",
        train_dataset=dataset("verienv/GeneralPoints-L-v0", kind="sft", n=2000),
        args=SFTConfig(output_dir="runs/sft", use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

Vision-language models train in the same way on ``dataset("verienv/GeneralPoints-VL-v0", ...)``, with ``images`` in its
rows; give SFTConfig and DPOConfig ``max_length=None`` there, since TRL cuts off a longer row in its picture.

GRPO with several attempts and feedback between them, for models that call tools::

    import torch
    from trl import GRPOConfig, GRPOTrainer
    from verienv.adapters.trl import dataset, environment

    trainer = GRPOTrainer(
        model="Qwen/Qwen3-0.6B",
        environment_factory=environment("generalpoints"),
        train_dataset=dataset("verienv/GeneralPoints-L-v0", n=2000),
        args=GRPOConfig(output_dir="runs/grpo", use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

A row of V-IRL is one waypoint of a route, with the expert's way to it in its prompt. Rows of several tasks can be
mixed, and ``reward`` judges each as its task does::

    from datasets import concatenate_datasets
    from verienv.adapters.trl import dataset

    tasks = ("verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0")
    mixed = concatenate_datasets([dataset(env_id, n=2000, attempts=1) for env_id in tasks]).shuffle(seed=0)

One's own wording and answer format are settings: ``dataset(..., prompt="{cards}. {rule}. Make {target}. {format}",
answer_format="tags")``; the reward reads them from the rows.

Every row holds the instance and all settings that its reward depends on, so the completions of a GRPO group are
judged on the same question, in any process. Written for TRL 1.16; works from 1.8 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from verienv.adapters.trl_environments import TaskEnvironment, environment
from verienv.adapters.trl_preferences import preferences
from verienv.core import tasks
from verienv.core.dialogue import images_of, in_parts, png, response_of
from verienv.core.plain import PlainRow
from verienv.core.question import Question
from verienv.core.rows import judge_as, questions, with_columns
from verienv.core.shown import shown
from verienv.core.verdict import Rewards, Verdict
from verienv.demos import demonstrations_with_questions

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = [
    "Kind",
    "RewardFunction",
    "TaskEnvironment",
    "dataset",
    "environment",
    "preferences",
    "response_text",
    "reward",
    "reward_function",
]

Kind = Literal["prompt", "sft", "revision", "preference"]


def dataset(
    env_id: str,
    split: str = "train",
    n: int = 1000,
    seed: int = 0,
    kind: Kind = "prompt",
    *,
    steps: bool = False,
    wrong_attempts: int = 1,
    parts: bool = False,
    **settings: Any,
) -> Dataset:
    """Make rows for one of TRL's trainers.

    Args:
        env_id: e.g. "verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0", or "verienv/GeneralPoints-VL-v0" for
            vision-language models.
        split: and further ``settings``: as for ``gym.make``. The prompt names the number of ``attempts`` (in V-IRL 2,
            else 5, unless set): set 1 where each prompt is answered once.
        n: the number of rows. In V-IRL each is a waypoint, and those of a route follow one another: shuffle them
            (``dataset(...).shuffle(seed=0)``) where a trainer does not.
        seed: fixes every row.
        kind: "prompt" for GRPO and RLOO (``prompt``), "sft" and "revision" for SFT (``prompt``, ``completion``),
            "preference" for DPO (``prompt``, ``chosen``, ``rejected``).
        steps: write the steps of the derivation in demonstrations; the setting ``think_first`` lets the question ask
            for it.
        wrong_attempts: the greatest number of wrong attempts before the repair, for "revision".
        parts: whether rows in words have the shape of rows with pictures: contents of messages as lists of parts, and
            ``images``, without any. To concatenate the two for a vision-language model, set it for the words::

                words = dataset("verienv/GeneralPoints-L-v0", n=500, parts=True)
                both = concatenate_datasets([words, dataset("verienv/GeneralPoints-VL-v0", n=500)])

    Returns:
        A ``datasets.Dataset`` with chat messages and, in every row, ``instance``, the answer columns (``cards``,
        ``values``, ``target``) and the settings that the reward reads (``rule``, ``stated_rule``, ``vision``,
        ``rewards``, ``strict``, ``attempts``); in V-IRL ``instance``, ``step``, ``waypoint`` and ``actions``,
        ``rewards``, ``strict``, ``attempts``; the columns of the wording (``prompt_template``, ``system_prompt``,
        ``think_first``, ``answer_format``, ``feedback_lines``). Demonstrations bring their own columns besides. Rows
        with vision hold ``images`` too: a list of PIL images, stored as PNG, one for each ``{"type": "image"}`` in
        the prompt.

    Raises:
        ValueError: for settings out of range.
        ImportError: if ``datasets`` is not installed.
    """
    try:
        import datasets  # noqa: F401 - an error before any row is made
    except ImportError:
        raise ImportError("TRL's datasets need the package datasets: pip install trl") from None

    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(get_args(Kind))}")
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n={n!r}: expected a positive number of rows")
    if kind == "prompt" and steps:
        raise ValueError(
            "steps=True writes derivations in demonstrations; think_first=True lets the question ask for one"
        )
    if kind == "prompt":
        found = questions(env_id, split, n, seed, unit="question", **settings)
        return _table((row | _images(question) for row, question in found), parts)
    made = demonstrations_with_questions(
        env_id, kind, n, seed, split, steps=steps, wrong_attempts=wrong_attempts, **settings
    )
    return _table((with_columns(row, question) for row, question in made), parts)


def _images(question: Question) -> dict[str, Any]:
    return {"images": images_of(question.pictures)} if question.vision else {}


def _table(rows: Iterable[dict[str, Any]], parts: bool) -> Dataset:
    """Make a table of rows, each picture packed as soon as it is drawn: as pixels, 1,000 of 336 x 336 take 340 MB."""
    from datasets import Dataset, Image

    others, pictures = [], []
    for row in rows:
        pictures.append([{"bytes": png(image), "path": None} for image in row.pop("images", ())])
        others.append(in_parts(row) if parts else row)
    table = Dataset.from_list(others)
    return table.add_column("images", pictures, feature=[Image()]) if any(pictures) or parts else table


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
