"""Templates with named slots: of prompts, and of lines of feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import Formatter


@dataclass(frozen=True)
class Template:
    """A template with named slots, such as ``Make {target} with {cards}.``; ``{{`` and ``}}`` are braces.

    Which slots it may name is for the reader to check. What is no plain name, such as an attribute or a conversion, is
    a slot as it is written, ``cards.x`` or ``cards!r``, and no mapping has it.

    Attributes:
        text: as the user gave it.

    Raises:
        ValueError: at the first use of its parts, for a brace without its other.
    """

    text: str

    @cached_property
    def parts(self) -> tuple[tuple[str, str | None], ...]:
        """Its literal texts, each with the slot that follows it, None after the last."""
        return _parts(self.text)

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Its slots in order."""
        return tuple([slot for _, slot in self.parts if slot is not None])

    def fill(self, slots: Mapping[str, str]) -> str:
        """Return the text with its slots filled."""
        return "".join([literal + (slots[slot] if slot is not None else "") for literal, slot in self.parts])


@lru_cache(maxsize=256)
def _parts(text: str) -> tuple[tuple[str, str | None], ...]:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}; write a brace that is no slot twice: {{{{ or }}}}") from None
    return tuple(
        [
            (literal, name and name + ("!" + conversion if conversion else "") + (":" + style if style else ""))
            for literal, name, style, conversion in parsed
        ]
    )
