"""Mutations: verifiers that are wrong in one way each, as real reward functions are, and the share that is found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from verienv.testing import Kind, VerifierFaults, check_verifier

Verifier = Callable[[str, Any], Any]
LEVELS = ("full", "task")


@dataclass(frozen=True)
class Mutation:
    """One flawed verifier.

    Attributes:
        name: its name.
        text: one line on what is wrong.
        make: makes the verifier, with a state of its own.
        kind: the kind of fault that check_verifier must report.
        task: the task it judges.
        house: why it is right at level "task": it breaks a rule of verienv's own reading only. "" if it is not.
        harmless: why no answer can tell it from a right one. "" if some can.
        settings: other arguments of check_verifier.
    """

    name: str
    text: str
    make: Callable[[], Verifier]
    kind: Kind
    task: str
    house: str = ""
    harmless: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def owed(self, level: str) -> bool:
        """Whether check_verifier must find it at this level."""
        return not self.harmless and not (level == "task" and self.house)

    def kinds_found(self, level: str, questions: int = 10) -> set[Kind]:
        """The kinds of fault that check_verifier reports; none if the verifier passes."""
        try:
            with warnings.catch_warnings(), redirect_stdout(StringIO()):
                warnings.simplefilter("ignore")  # of the text that flawed verifiers evaluate, which may print as well
                check_verifier(self.make(), task=self.task, level=level, questions=questions, **self.settings)  # type: ignore[arg-type]
        except VerifierFaults as faults:
            return {fault.kind for fault in faults.faults}
        return set()


class Mutations(list[Mutation]):
    """The mutations of one task; its methods are decorators that add one."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self._task = task

    def maker(self, kind: Kind, **rest: Any) -> Callable[[Callable[[], Verifier]], Callable[[], Verifier]]:
        """Add a function that makes a verifier."""

        def add(make: Callable[[], Verifier]) -> Callable[[], Verifier]:
            text = (make.__doc__ or "").strip()
            self.append(Mutation(make.__name__, text, make, kind, self._task, **rest))
            return make

        return add

    def verifier(self, kind: Kind, **rest: Any) -> Callable[[Verifier], Verifier]:
        """Add a verifier without a state."""

        def add(fn: Verifier) -> Verifier:
            text = (fn.__doc__ or "").strip()
            self.append(Mutation(fn.__name__, text, lambda: fn, kind, self._task, **rest))
            return fn

        return add

    def decision(self, read: Callable[[Any], Verifier], kind: Kind, **rest: Any) -> Callable[[Any], Any]:
        """Add a verifier that ``read`` makes of the decision on one field of the answer."""

        def add(judge: Any) -> Any:
            text = (judge.__doc__ or "").strip()
            self.append(Mutation(judge.__name__, text, lambda: read(judge), kind, self._task, **rest))
            return judge

        return add


def report(mutations: list[Mutation]) -> Iterator[str]:
    """Yield a line for each mutation, and the share found at both levels."""
    found = dict.fromkeys(LEVELS, 0)
    owed = dict.fromkeys(LEVELS, 0)
    for mutation in mutations:
        marks = []
        for level in LEVELS:
            is_found = mutation.kind in mutation.kinds_found(level)
            owed[level] += mutation.owed(level)
            found[level] += mutation.owed(level) and is_found
            marks.append("found" if is_found else "MISSED" if mutation.owed(level) else "harmless")
        why = mutation.harmless or (f"level task: {mutation.house}" if mutation.house else "")
        yield f"{mutation.task:<14} {marks[0]:<9} {marks[1]:<9} {mutation.name}: {mutation.text}" + (
            f" [{why}]" if why else ""
        )
    for level in LEVELS:
        harmless = [mutation.name for mutation in mutations if not mutation.owed(level)]
        yield (
            f"level {level}: {found[level]} of {owed[level]} found ({found[level] / owed[level]:.0%}); argued harmless "
            f"there: {len(harmless)} ({', '.join(harmless)})"
        )
