"""Which cases a verifier is tried on, and which verdicts it owes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from verienv.core.cases import AnyCase, Level, Material
from verienv.core.shown import shown
from verienv.testing.report import Kind

SomeCase = TypeVar("SomeCase", bound=AnyCase)
LEVELS = ("full", "task")


@dataclass(frozen=True)
class Choice:
    """The choice of a user of check_verifier.

    Attributes:
        level: whose reading counts.
        kinds: kinds of fault that are left out.
        left_out: groups and reasons of cases that are.
    """

    level: Level
    kinds: frozenset[Kind]
    left_out: frozenset[str]

    @classmethod
    def of(cls, material: Material, level: str, ignore: Collection[str]) -> Choice:
        """Return the choice, checked. Raises ValueError that lists what there is."""
        if level not in LEVELS:
            raise ValueError(f"level={shown(level)}: expected {' or '.join(LEVELS)}")
        if isinstance(ignore, str) or not isinstance(ignore, Iterable):
            example = ignore if isinstance(ignore, str) and ignore else "slow"
            raise ValueError(f"ignore={shown(ignore)}: expected a list, such as [{shown(example)}]")
        cases = [*material.cases, *(case for pile in material.repeated_faults for case in pile)]
        cases += [case for pile in material.repeated_right for case in pile]
        groups, reasons = {case.group for case in cases}, {case.why for case in cases}
        kinds, left_out = set[Kind](), set[str]()
        for each in ignore:
            if kind := _kind(each):
                kinds.add(kind)
            elif each in groups or each in reasons:
                left_out.add(each)
            else:
                names = ", ".join(kind.name.lower() for kind in Kind)
                raise ValueError(
                    f"ignore=[{shown(each)}]: expected kinds of fault ({names}), groups of cases "
                    f"({', '.join(sorted(groups))}), or a reason as the report words it"
                )
        return cls("task" if level == "task" else "full", frozenset(kinds), frozenset(left_out))

    def is_owed(self, case: AnyCase) -> bool:
        """Whether the verdict of a case is owed, and not merely a finite reward."""
        return case.level == "task" or case.level == self.level == "full"

    def of_material(self, material: Material) -> Material:
        """Return the material without the cases that are left out."""

        def chosen(cases: list[SomeCase]) -> list[SomeCase]:
            return [case for case in cases if case.group not in self.left_out and case.why not in self.left_out]

        def whole(piles: list[list[AnyCase]]) -> list[list[AnyCase]]:
            return [pile for pile in piles if len(chosen(pile)) == len(pile)]

        return Material(
            material.right,
            material.wrong,
            chosen(material.cases),
            whole(material.repeated_faults),
            whole(material.repeated_right),
            [pair for pair in material.hedges if len(chosen([*pair])) == 2],
        )


def _kind(name: str) -> Kind | None:
    word = str(name).lower().replace(" ", "_").replace("-", "_")
    return next((kind for kind in Kind if name == kind or word == kind.name.lower()), None)
