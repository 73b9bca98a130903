"""Rows for TRL's trainers. Import from ``verienv.adapters.trl``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from verienv.core import tasks
from verienv.core.dialogue import images_of, in_parts, png
from verienv.core.question import Question
from verienv.core.rows import questions, with_columns
from verienv.demos import demonstrations_with_questions

if TYPE_CHECKING:
    from datasets import Dataset

Kind = Literal["prompt", "episode", "sft", "revision", "preference", "unpaired"]


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
            (``dataset(...).shuffle(seed=0)``) where a trainer does not. Of kind "episode" each is a whole route.
        seed: fixes every row.
        kind: "prompt" for GRPO and RLOO (``prompt``), "episode" for GRPO in an environment (``prompt`` and
            ``environment``, the task's name), "sft" and "revision" for SFT (``prompt``, ``completion``), "preference"
            for DPO and reward models (``prompt``, ``chosen``, ``rejected``), "unpaired" for KTO (``prompt``,
            ``completion``, ``label``), in which a right and a wrong answer to a question follow one another.
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
    if kind == "prompt" or kind == "episode":
        if steps:
            raise ValueError(
                "steps=True writes derivations in demonstrations; think_first=True lets the question ask for one"
            )
        found = questions(env_id, split, n, seed, unit="question" if kind == "prompt" else None, **settings)
        return _table((_asked(row, question, kind) for row, question in found), parts)
    demonstrated, count = (kind, n) if kind != "unpaired" else ("preference", (n + 1) // 2)
    options = {"steps": steps, "wrong_attempts": wrong_attempts, **settings}
    made = demonstrations_with_questions(env_id, demonstrated, count, seed, split, **options)
    rows: Iterable[dict[str, Any]] = (with_columns(row, question) for row, question in made)
    if kind == "unpaired":
        rows = islice((each for pair in rows for each in _unpaired(pair)), n)
    return _table(rows, parts)


def _asked(row: dict[str, Any], question: Question, kind: Kind) -> dict[str, Any]:
    pictures = {"images": images_of(question.pictures)} if question.vision else {}
    return {**row, **pictures, **({"environment": tasks.of_question(question).name} if kind == "episode" else {})}


def _unpaired(pair: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the two answers of a preference, each with a label and what is true of it."""
    chosen, rejected = pair.pop("chosen"), pair.pop("rejected")
    price, failure = pair.pop("rejected_reward"), pair.pop("failure")
    yield {**pair, "completion": chosen, "label": True, "failure": ""}
    yield {**pair, "completion": rejected, "label": False, "reward": price, "failure": failure}


def _table(rows: Iterable[dict[str, Any]], parts: bool) -> Dataset:
    """Make a table of rows, each picture packed as soon as it is drawn: as pixels, 1,000 of 336 x 336 take 340 MB."""
    from datasets import Dataset, Image

    others, pictures = [], []
    for row in rows:
        pictures.append([{"bytes": png(image), "path": None} for image in row.pop("images", ())])
        others.append(in_parts(row) if parts else row)
    table = Dataset.from_list(others)
    return table.add_column("images", pictures, feature=[Image()]) if any(pictures) or parts else table
