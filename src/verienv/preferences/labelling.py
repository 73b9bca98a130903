"""Labelling: which pair an annotator is shown next, in which order, and the label that comes of the answer.

All of it follows from the pairs and from the labels that are on disk, so that after any interruption it goes on where
it stopped. Nothing here has the verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from math import isfinite
from time import monotonic
from typing import Any, Literal, get_args

from verienv.core.shown import shown
from verienv.preferences.records import Choice, Label, Pair, Side, hash_of

Answer = Literal["left", "right", "tie", "skip"]

GAP = 10
"""Labels at least between a pair and the same pair asked again."""


class NotDueError(ValueError):
    """An answer to another pair than the one that is due, as of a page that was open twice."""


@dataclass(frozen=True)
class ShownPair:
    """A pair as an annotator is shown it, without its id.

    Attributes:
        token: names the showing, for the answer.
        left, right: responses; ``first`` is the side of the pair that is left.
        again: whether the annotator has answered it before.
        done, total: labels given, and those still due added to them.
    """

    pair: Pair
    token: str
    left: str
    right: str
    first: Side
    again: bool
    done: int
    total: int


class Labelling:
    """The labelling of pairs by several annotators.

    A share of the pairs is shown to everybody, so that agreement can be told; each of the others to whoever comes
    first. The order of pairs, and which response is left, are drawn by annotator and pair.

    Args:
        pairs: of ``read_pairs``.
        labels: those that count so far, of ``read_labels``.
        add: writes a label, to disk when it returns.
        overlap: share of the pairs that everybody is shown.
        repeats: share of the pairs that an annotator is asked again.
        guidelines: text that annotators are given; its hash goes into every label.
        seed: fixes what is drawn.
        clock: seconds.

    Raises:
        ValueError: for no pairs, or a share out of range.
    """

    def __init__(
        self,
        pairs: Mapping[str, Pair],
        labels: Iterable[Label],
        add: Callable[[Label], None],
        *,
        overlap: float = 0.2,
        repeats: float = 0.05,
        guidelines: str = "",
        seed: int = 0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if not pairs:
            raise ValueError("there are no pairs to label; make some with examples/pairs.py")
        for name, share in (("overlap", overlap), ("repeats", repeats)):
            if not (isfinite(share) and 0 <= share <= 1):
                raise ValueError(f"{name}={shown(share)}: expected a share from 0 to 1")
        self.guidelines, self._hash = guidelines, hash_of(guidelines)
        self._pairs, self._add, self._repeats, self._seed, self._clock = pairs, add, repeats, seed, clock
        self._everybodys = {name for name in pairs if self._draw("overlap", name) < overlap}
        self._given = dict[str, list[Label]]()
        self._owner = dict[str, str]()
        self._since = dict[tuple[str, str], float]()
        self._orders = dict[str, list[str]]()
        for label in labels:
            self._take(label)

    def next(self, annotator: str) -> ShownPair | None:
        """Return the pair that is due, the same until it is answered; None when there is none left.

        From the first time that it is returned the seconds of its label are counted.
        """
        due = self._due(annotator)
        if due is None:
            return None
        name, repeat = due
        pair, token = self._pairs[name], self._token(annotator, name, repeat)
        self._since.setdefault((annotator, token), self._clock())
        if name not in self._everybodys:
            self._owner[name] = annotator
        first: Side = "a" if self._draw("side", annotator, name, repeat) < 0.5 else "b"
        left, right = (pair.a, pair.b) if first == "a" else (pair.b, pair.a)
        done = len(self._given.get(annotator, ()))
        return ShownPair(pair, token, left, right, first, bool(repeat), done, done + self._left(annotator))

    def answer(self, annotator: str, token: str, said: str) -> Label:
        """Write the label of an answer to the pair that is due; it is on disk when this returns.

        Raises:
            ValueError: for another answer than left, right, tie or skip.
            NotDueError: if another pair is due.
            OSError: if it cannot be written; then it does not count.
        """
        if said not in get_args(Answer):
            raise ValueError(f"answer={shown(said)}: expected {', '.join(get_args(Answer))}")
        due = self.next(annotator)
        if due is None or due.token != token:
            raise NotDueError("another pair is due; look at that one")
        other: Side = "b" if due.first == "a" else "a"
        choices: dict[str, Choice] = {"left": due.first, "right": other, "tie": "tie", "skip": "skip"}
        label = self._label(
            choices[said],
            pair=due.pair.pair,
            annotator=annotator,
            repeat=int(due.again),
            shown_first=due.first,
            seconds=round(self._clock() - self._since[annotator, token], 2),
        )
        self._add(label)
        del self._since[annotator, token]
        self._take(label)
        return label

    def undo(self, annotator: str) -> bool:
        """Take back the annotator's newest label, whose pair is then due again; return whether there was one."""
        given = self._given.get(annotator)
        if not given:
            return False
        last = given[-1]
        self._add(self._label("undo", pair=last.pair, annotator=annotator, repeat=last.repeat))
        given.pop()
        self._since = {key: since for key, since in self._since.items() if key[0] != annotator}
        return True

    def _label(self, choice: Choice, **about: Any) -> Label:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return Label(kind="human", choice=choice, at=at, guidelines=self._hash, **about)

    def _take(self, label: Label) -> None:
        if label.kind == "human":
            self._given.setdefault(label.annotator, []).append(label)
            if label.pair not in self._everybodys:
                self._owner[label.pair] = label.annotator

    def _due(self, annotator: str) -> tuple[str, int] | None:
        """Return the next pair and whether it is asked again: a repeat as soon as it may be, else the next in order."""
        given = self._given.get(annotator, [])
        first = {label.pair: number for number, label in enumerate(given) if not label.repeat}
        again = {label.pair for label in given if label.repeat}
        skipped = {label.pair for label in given if label.choice == "skip"}
        repeats = [name for name in first if name not in again | skipped and self._is_repeated(annotator, name)]
        if repeats and len(given) - first[repeats[0]] > GAP:
            return repeats[0], 1
        order = self._order(annotator)
        for name in order:
            if name not in first and self._owner.get(name, annotator) == annotator:
                return name, 0
        labelled = {label.pair for some in self._given.values() for label in some}
        for name in order:  # shown to somebody who has left
            if name not in labelled and name not in self._everybodys:
                return name, 0
        return (repeats[0], 1) if repeats else None

    def _is_repeated(self, annotator: str, name: str) -> bool:
        return self._draw("repeat", annotator, name) < self._repeats

    def _left(self, annotator: str) -> int:
        """Count the pairs that are due to the annotator if nobody else labels any."""
        given = self._given.get(annotator, [])
        first, again = ({label.pair for label in given if label.repeat == number} for number in (0, 1))
        new = [name for name in self._pairs if name not in first and self._owner.get(name, annotator) == annotator]
        once = {label.pair for label in given if not label.repeat and label.choice != "skip"} - again
        return len(new) + sum(self._is_repeated(annotator, name) for name in (*once, *new))

    def _order(self, annotator: str) -> list[str]:
        if annotator not in self._orders:
            self._orders[annotator] = sorted(self._pairs, key=lambda name: self._draw("order", annotator, name))
        return self._orders[annotator]

    def _token(self, annotator: str, name: str, repeat: int) -> str:
        return sha256(repr((self._seed, "token", annotator, name, repeat)).encode()).hexdigest()[:16]

    def _draw(self, *what: object) -> float:
        """Return a number from 0 to 1 that is drawn by what it is for, the same in every process."""
        digest = sha256(repr((self._seed, *what)).encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56
