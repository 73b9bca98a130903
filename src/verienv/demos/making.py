"""Making demonstrations: the arguments, and who writes the responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Literal, get_args

from verienv.core import tasks
from verienv.core.config import UnknownSettingError
from verienv.core.counts import check_count
from verienv.core.env import VerifiedEnv
from verienv.core.make import make_env
from verienv.core.policy import Policy
from verienv.core.question import Question
from verienv.core.shown import shown
from verienv.core.task import Task
from verienv.core.writing import Writing
from verienv.demos.from_expert import expert_rows
from verienv.demos.from_policy import Keep, Sampling, sampled

Kind = Literal["sft", "revision", "preference"]


class Demonstrations(Iterator[dict[str, Any]]):
    """Rows, made one by one as they are asked for.

    Attributes:
        tally: with a teacher, the number of its responses so far by outcome: "correct", or the kind of failure.
    """

    def __init__(self, rows: Iterator[tuple[dict[str, Any], Question]], tally: Counter[str]) -> None:
        self._rows = rows
        self.tally = tally

    def __next__(self) -> dict[str, Any]:
        return next(self._rows)[0]


def demonstrations(
    env_id: str,
    kind: Kind = "sft",
    n: int = 1000,
    seed: int = 0,
    split: str = "train",
    *,
    steps: bool = False,
    wrong_attempts: int = 1,
    teacher: Policy | None = None,
    samples: int = 1,
    keep: Keep = "correct",
    batch_size: int = 64,
    patience: int = 2000,
    tries: int | None = None,
    **settings: Any,
) -> Demonstrations:
    """``n`` rows of chat messages, made one by one as they are asked for.

    Args:
        env_id: a verienv environment.
        kind: "sft": the question and a correct response (``prompt``, ``completion``). "revision": the question, one
            or more wrong attempts each with its real feedback, and the correct response (``prompt``,
            ``completion``). "preference": the question, a correct and a wrong response (``prompt``, ``chosen``,
            ``rejected``), the wrong ones spread evenly over the kinds of failure.
        n: the number of rows. Where an episode holds several questions, each is a row: see below.
        seed: fixes every row; with a teacher, every question.
        split: and further ``settings``: as for ``gym.make``. The task's options of writing may stand among them. In
            GeneralPoints ``solution="random"`` draws from all solutions of the hand, by default the shortest is
            written, and ``equation=True`` writes the target after the formula, "8/(3-8/3)=24". V-IRL has none: its
            expert takes one action at a waypoint.
        steps: write the steps of the derivation before the answer; the setting ``think_first`` lets the question ask
            for it.
        wrong_attempts: for "revision", the greatest number of wrong attempts; each row draws from 1 to it.
        teacher: a policy (see ``verienv.evaluation.Policy``) that writes the correct responses in the expert's place,
            for "sft" and "revision". What it wrote is the completion, its reasoning included; of more than 64 Ki
            characters the last. The prompts are those of the expert's rows.
        samples: the number of responses that are drawn from the teacher to each question.
        keep: the responses that become rows: "correct" for each correct one, "first" for the first correct one to a
            question (no further ones are then drawn), "all" for each.
        batch_size: the most dialogues put to the teacher at once, each of another question; fewer where fewer promise
            to be enough.
        patience: the number of responses in a row without a correct one after which to give up.
        tries: the most responses to draw in all, after which there may be fewer rows than ``n``; None for no bound.

    Returns:
        An iterator of dicts with the messages, ``instance`` and ``reward`` (of the correct response); "revision" and
        "preference" rows name the ``failure`` of the newest wrong response. Rows with pictures bring ``images``,
        a list of PIL images, one for each ``{"type": "image"}`` in the prompt; in them the content of every message is
        a list of parts, since a table's column holds texts or lists, not both.

        Rows of a teacher hold besides: ``outcome`` ("correct", or the kind of failure), ``question`` and ``sample``
        (their numbers, from 0), and ``tried``, the number of responses drawn up to this one: the share of rows in it
        is the rate of acceptance. The iterator's ``tally`` counts the outcomes of all responses so far.

        Where an episode holds several questions, the rows follow the expert from one to the next: in V-IRL a row is a
        waypoint, with "revision" one with wrong attempts first and then the right one, and the waypoints of a route
        follow one another. Shuffle such rows before training. For more routes than fit in ``n`` rows, make more rows,
        shuffle and keep ``n``: ``dataset.shuffle(seed=0).select(range(n))`` with Hugging Face's datasets. The last
        route may not be whole.

    Raises:
        ValueError: at once, for arguments out of range; later, if a teacher does not answer each dialogue with a
            string.
        RuntimeError: later, if a response meant to be correct does not score maximal, or a wrong one is not as wrong
            as meant; ``InVainError``, if a teacher's responses were wrong for as long as ``patience`` says.
    """
    tally = Counter[str]()
    teaching = _sampling(teacher, samples, keep, batch_size, patience, tries)
    made = demonstrations_with_questions(
        env_id, kind, n, seed, split, steps=steps, wrong_attempts=wrong_attempts, teaching=teaching, tally=tally,
        **settings,
    )  # fmt: skip
    return Demonstrations(made, tally)


def demonstrations_with_questions(
    env_id: str,
    kind: Kind,
    n: int,
    seed: int,
    split: str,
    *,
    steps: bool = False,
    wrong_attempts: int = 1,
    teaching: Sampling | None = None,
    tally: Counter[str] | None = None,
    **settings: Any,
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield rows as ``demonstrations`` does, each with its question."""
    how, rest = _read_writing(env_id, steps, settings)
    if teaching and how != type(how)():
        raise ValueError(
            "steps and options of writing are the expert's, and a teacher writes as it does: leave them out"
        )
    env = make_env(env_id, split=split, **rest)
    return demonstrations_in(env, kind, n, seed, how=how, wrong_attempts=wrong_attempts, teaching=teaching, tally=tally)


def demonstrations_in(
    env: VerifiedEnv,
    kind: Kind,
    n: int,
    seed: int,
    *,
    how: Writing | None = None,
    wrong_attempts: int = 1,
    teaching: Sampling | None = None,
    tally: Counter[str] | None = None,
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield rows as ``demonstrations`` does, of the questions that an environment deals, each with its question."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind={shown(kind)}: expected one of {', '.join(get_args(Kind))}")
    for name, count in (("n", n), ("seed", seed)):
        check_count(name, count, 0)
    if kind == "revision" and not 1 <= wrong_attempts < env.attempts:
        if env.attempts == 1:
            raise ValueError(
                "attempts=1 leaves no room for a wrong attempt before the right one; set attempts=2 or more"
            )
        raise ValueError(f"wrong_attempts={wrong_attempts}: expected 1 to {env.attempts - 1}, fewer than the attempts")
    if kind != "sft" and not env.measures.failures:
        raise ValueError(
            f"kind={shown(kind)}: {env.task.title} names no failures in its measures, so none can be written"
        )
    if teaching is None:
        return expert_rows(env, kind, n, seed, how or env.task.question.writing(), wrong_attempts)
    if kind == "preference":
        raise ValueError("kind='preference': expected 'sft' or 'revision' with a teacher; keep='all' brings both sides")
    return sampled(env, kind, n, seed, teaching, wrong_attempts, Counter[str]() if tally is None else tally)


def _sampling(
    teacher: Policy | None, samples: int, keep: Keep, batch_size: int, patience: int, tries: int | None
) -> Sampling | None:
    """Return how a teacher is sampled, None without one. Raises ValueError for arguments out of range."""
    if keep not in get_args(Keep):
        raise ValueError(f"keep={shown(keep)}: expected one of {', '.join(get_args(Keep))}")
    bound = {} if tries is None else {"tries": tries}
    for name, count in {"samples": samples, "batch_size": batch_size, "patience": patience, **bound}.items():
        check_count(name, count)
    if teacher is None:
        if samples != 1 or keep != "correct":
            given = f"samples={samples}" if samples != 1 else f"keep={keep!r}"
            raise ValueError(f"{given}: this is about the responses of a teacher; give teacher=, a policy")
        return None
    if not callable(teacher):
        raise ValueError(f"teacher={shown(teacher)}: expected a policy, a callable from dialogues to responses")
    return Sampling(teacher, samples, keep, batch_size, patience, tries)


def _read_writing(env_id: str, steps: bool, settings: dict[str, Any]) -> tuple[Writing, dict[str, Any]]:
    """Read the options of writing from among ``settings``; return them, and the settings that are left.

    Raises:
        ValueError: for an option that only another task has, or a wrong value.
    """
    try:
        task = tasks.of_env_id(tasks.imported_id(env_id))
    except ValueError:  # make_env says what is wrong with it
        return Writing(steps=steps), settings
    kind = task.question.writing
    own = {name: settings[name] for name in kind.options() if name in settings}
    rest = {name: value for name, value in settings.items() if name not in own}
    accepted = task.environment_class(tasks.imported_id(env_id)).settings.model_fields
    for name in rest:
        if name not in accepted and (meant := get_close_matches(name, kind.options(), n=1, cutoff=0.85)):
            raise UnknownSettingError(
                f"unknown setting {shown(name)} (did you mean {meant[0]!r}, an option of the expert?): unexpected "
                f"keyword argument {shown(name)}"
            )
        if name not in accepted and _is_an_option_elsewhere(name, task):
            what = f"its options are {', '.join(kind.options())}" if kind.options() else "it has one way to answer"
            raise ValueError(f"{name}={shown(rest[name])}: {task.title}'s expert has no such option; {what}")
    return kind(steps=steps, **own), rest


def _is_an_option_elsewhere(name: str, task: Task) -> bool:
    return any(name in other.question.writing.options() for other in tasks.every() if other is not task)
