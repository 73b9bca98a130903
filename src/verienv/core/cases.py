"""What every task's cases have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from verienv.core.assets import asset_path

Made = TypeVar("Made", bound="AnyCase")
Task = Literal["generalpoints", "virl"]

CANARY = "VERIENV_MODEL_TEXT_WAS_RUN"
"""The environment variable that the code in hostile responses sets, and does nothing else."""


class AnyCase(Protocol):
    """A response to an instance and what is owed."""

    @property
    def name(self) -> str: ...
    @property
    def response(self) -> str: ...
    @property
    def failure(self) -> str:
        """ "" for a right answer, else why it is none."""

    @property
    def why(self) -> str:
        """The reason, for people."""

    @property
    def is_correct(self) -> bool: ...
    @property
    def is_heavy(self) -> bool:
        """Whether evaluating the response as code would never end."""

    @property
    def setting(self) -> str:
        """The instance, in a few words."""

    def handed_to(self, fn: Callable[..., Any]) -> Any:
        """What ``fn`` returns for this case."""


@dataclass(frozen=True)
class Material:
    """Everything that a verifier of one task is tried on.

    Attributes:
        right, wrong: answers as plain as can be: they show how a verifier pays.
        cases: whatever a policy might write.
        piles: families of one wrong answer with more and more faults of one kind.
    """

    right: list[AnyCase]
    wrong: list[AnyCase]
    cases: list[AnyCase]
    piles: list[list[AnyCase]]


def read_vectors(asset: str, make: Callable[[dict[str, Any]], Made], tool: str) -> tuple[Made, ...]:
    """The cases of a file of vectors, made of the fields of its lines.

    Raises:
        ValueError: the file is damaged; the error names it and the ``tool`` that builds it.
    """
    path = asset_path(asset)
    try:
        return tuple(make(json.loads(line)) for line in path.read_text(encoding="ascii").splitlines())
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); rebuild it with python {tool}") from None
