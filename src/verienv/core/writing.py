"""Writing: how an expert writes the responses of demonstrations."""

from __future__ import annotations

from dataclasses import dataclass, fields

from verienv.core.shown import shown


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How an expert writes. A task with options of its own adds them as fields, and checks them in ``__post_init__``.

    Name the subclass in ``Question.writing``, and heed it in ``Question.demonstration``: ``demonstrations`` and the
    command line then take the options.

    Attributes:
        steps: whether the derivation is written before the answer.
    """

    steps: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise ValueError(f"{field.name}={shown(value)}: expected True or False")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Return the names of the task's own options, besides ``steps``."""
        return tuple(field.name for field in fields(cls) if field.name != "steps")
