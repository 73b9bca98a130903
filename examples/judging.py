"""The work of a judge: pairs asked about in both orders, each answer kept, and the labels that they come to.

Nothing here knows which model answers, nor which response is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from verienv.core.decoding import UnfitPictureError, decode_picture
from verienv.core.reading import file_within, read_bytes
from verienv.core.shown import shown_path
from verienv.preferences import Judgement, Label, Pair, RecordWriter
from verienv.preferences.judging import Answer, Question, annotator_of, label_of, relation_of
from verienv.preferences.records import Side

MOST_PIXELS = 2**25


@dataclass(frozen=True)
class Asked:
    """A pair as a judge is asked about it: in one order, under a key of its own."""

    key: str
    pair: Pair
    first: Side
    question: Question
    folder: Path

    @property
    def dialogue(self) -> list[dict[str, Any]]:
        pictures = [picture(self.folder / name) for name in self.pair.images]
        return self.question.dialogue(self.pair, self.first, pictures)


class Judge(Protocol):
    """A model that answers.

    Attributes:
        asks: the sentence that ends its question.
        about: the model and its sampling, as far as an answer hangs on them.
    """

    asks: str
    about: dict[str, Any]

    def answers(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Answer]]:
        """Yield answers as they come."""


def picture(path: Path) -> Any:
    """Return the picture of a file, a PIL image. Raises ValueError for what is none, or a huge one."""

    def check(size: tuple[int, int], _: str) -> None:
        if size[0] * size[1] > MOST_PIXELS:
            raise UnfitPictureError(f"has more than {MOST_PIXELS:,} pixels")

    try:
        return decode_picture(read_bytes(path), ("PNG", "JPEG", "WEBP"), check).convert("RGB")
    except UnfitPictureError as error:
        raise ValueError(f"{shown_path(path)}: {error}") from None


def both_orders(pairs: Iterable[Pair], judge: Judge, guidelines: str, folder: Path) -> list[tuple[Asked, Asked]]:
    """Return what a judge is asked about each pair: with a shown first, and with b."""
    question, found = Question(guidelines, judge.asks), list[tuple[Asked, Asked]]()
    for pair in pairs:
        seen = [read_bytes(file_within(folder, name)) for name in pair.images]
        one, other = (
            Asked(question.key(pair, first, seen, judge.about), pair, first, question, folder) for first in ("a", "b")
        )
        found.append((one, other))
    return found


def ask(judge: Judge, asked: Iterable[Asked], model: str, known: dict[str, Judgement], file: RecordWriter) -> int:
    """Ask what is not ``known`` yet, once; each answer is on disk, and known, before the next. Return how many."""
    due = {each.key: each for each in asked if each.key not in known}
    answers = judge.answers(list(due.values()))
    for each, answer in tqdm(answers, total=len(due), unit="answer", desc=annotator_of(model)):
        known[each.key] = Judgement(
            key=each.key, pair=each.pair.pair, model=model, shown_first=each.first, **answer._asdict()
        )
        file.add(known[each.key])
    return len(due)


def labels_of(
    asked: Iterable[tuple[Asked, Asked]], known: Mapping[str, Judgement], model: str, margin: float
) -> list[Label]:
    """Return the labels of the pairs whose answers are known in both orders."""
    return [
        label_of(
            one.pair, known[one.key], known[other.key], annotator=annotator_of(model), margin=margin,
            guidelines=one.question.guidelines, relation=relation_of(model, one.pair.policy),
        )
        for one, other in asked
        if one.key in known and other.key in known
    ]  # fmt: skip


def unlike(labels: Iterable[Label], there: Iterable[Label]) -> list[Label]:
    """Return the labels of a judge that are not there yet, or say something else than the ones there."""
    before = {label.key: label.model_copy(update={"at": ""}) for label in there}
    return [label for label in labels if label.model_copy(update={"at": ""}) != before.get(label.key)]


def told(judge: Judge, answers: Sequence[Judgement], new: int) -> str:
    """Return what was asked, and how far the answers were answers."""
    lines = [f"{new} answers asked for, {len(answers) - new} known before; {judge}"]
    if none := sum(answer.p is None for answer in answers):
        lines.append(f"{none} of {len(answers)} answers name no response; their pairs are skipped")
    if masses := [answer.mass for answer in answers if answer.mass is not None]:
        lines.append(f"probability of the answers that count, on average {sum(masses) / len(masses):.3g}")
    return "\n".join(lines)
