"""Objects of the user's own, each under the name by which rows, logs and command lines know it.

A row, a log or a request holds a name and never imports: the reader has registered the object under it before.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any, ClassVar, Literal, Self

from verienv.core.shown import shown

Kind = Literal["prompt", "format", "feedback", "rewards"]

_objects: dict[Kind, dict[str, Any]] = {"prompt": {}, "format": {}, "feedback": {}, "rewards": {}}
_NAME = re.compile(r"[A-Za-z_][\w.:-]{0,127}", re.ASCII)

BUILT_IN: dict[Kind, tuple[str, ...]] = {
    "prompt": ("default", "diverse"),
    "format": ("json", "tags", "boxed", "line"),
    "feedback": ("default", "none"),
    "rewards": (
        "paper",
        "paper_code",
        "first_fault",
        "binary",
        "binary_format",
        "partial",
        "success",
        "spl",
        "progress",
        "progress_kept",
    ),
}
"""Names that mean something of the suite's own."""
HANDED: dict[Kind, tuple[str, ...]] = {
    "prompt": ("slots",),
    "format": ("response",),
    "feedback": ("verdict", "prompt"),
    "rewards": ("verdict",),
}
"""The arguments of a function of each kind; of a format, those of its ``read``."""


def register_prompt(name: str, prompt: Callable[[Mapping[str, str]], str]) -> None:
    """Let ``prompt=name`` mean a function from the slots of a question, as texts, to the question in words.

    Registering the same object again changes nothing.

    Raises:
        ValueError: the name is no name, or means something else.
        TypeError: the object is not callable, or not with what it is handed.
    """
    _register("prompt", name, _callable("prompt", prompt))


def register_format(name: str, answer_format: Any) -> None:
    """Let ``answer_format=name`` mean an object with ``instruction`` and ``read(response)``.

    Errors as ``register_prompt``'s.
    """
    if not is_format(answer_format):
        raise TypeError(
            f"register_format: {shown(answer_format)}: expected an object with `instruction`, a text, and "
            "`read(response)`, which returns the fields of the answer, or None"
        )
    _register("format", name, answer_format)


def register_feedback(name: str, feedback: Callable[..., str]) -> None:
    """Let ``feedback=name`` mean a function from a verdict and what the prompt told to one line.

    Errors as ``register_prompt``'s.
    """
    _register("feedback", name, _callable("feedback", feedback))


def register_rewards(name: str, rewards: Callable[..., float]) -> None:
    """Let ``rewards=name`` mean a function from a verdict to a finite number. Errors as ``register_prompt``'s."""
    _register("rewards", name, _callable("rewards", rewards))


def is_format(value: Any) -> bool:
    """Whether an object has what an answer format of the user's own needs: ``instruction`` and ``read``."""
    return isinstance(getattr(value, "instruction", None), str) and callable(getattr(value, "read", None))


def _callable(kind: Kind, value: Any) -> Any:
    if not callable(value):
        raise TypeError(f"register_{kind}: {shown(value)}: expected a function")
    return value


def unfit(kind: Kind, value: Any) -> str:
    """Return why an object of the user's own cannot be handed what it will be, "" where it can or nobody knows.

    So that it is told when the object is given, not at the first response. The common case is a class in place of an
    object of it: its methods wait for ``self``.
    """
    function, called = (value.read, "read") if kind == "format" else (value, "a function")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some built-in functions
        return ""
    try:
        signature.bind(*HANDED[kind])
    except TypeError:
        hint = f"; it is a class: give an object of it, {value.__name__}()" if isinstance(value, type) else ""
        return f"expected {called}({', '.join(HANDED[kind])}), but it takes {signature}{hint}"
    return ""


def _register(kind: Kind, name: Any, value: Any) -> None:
    if why := unfit(kind, value):
        raise TypeError(f"register_{kind}: {shown(value)}: {why}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"register_{kind}: name={shown(name)}: expected a name such as 'my_{kind}'")
    if name in BUILT_IN[kind] or not _is_same(_objects[kind].get(name, value), value):
        changed = "" if name in BUILT_IN[kind] else "; an object that was changed since needs a new process or name"
        raise ValueError(f"register_{kind}: {name!r} means another {kind} already; choose another name{changed}")
    _objects[kind][name] = value


def find(kind: Kind, name: str) -> Any:
    """Return the object registered under a name, None if there is none."""
    return _objects[kind].get(name)


def means(kind: Kind, name: str) -> bool:
    """Whether a name is the suite's own, or registered."""
    return name in BUILT_IN[kind] or name in _objects[kind]


def names(kind: Kind) -> list[str]:
    """Return the names that may be given for a setting of this kind."""
    return [*BUILT_IN[kind], *_objects[kind]]


def name_of(kind: Kind, value: Any) -> str:
    """Return the name that an object is registered under, "" if there is none."""
    return next((name for name, known in _objects[kind].items() if _is_same(known, value)), "")


def _is_same(one: Any, other: Any) -> bool:
    """Whether two are one object; a method is another object each time it is named."""
    return one is other or (isinstance(one, MethodType) and bool(one == other))


def how_to_register(kind: Kind, given: Any) -> str:
    """Return the end of the error for a text that means nothing: how it comes to, "" where it can be no name."""
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        return ""
    return (
        f"; a name of your own must be registered in this process before: verienv.register_{kind}({shown(given)}, ...)"
    )


@dataclass(frozen=True)
class Own:
    """An object of the user's own as the value of a setting. In plain data it is its registered name."""

    kind: ClassVar[Kind]
    setting: ClassVar[str]

    value: Any

    @property
    def name(self) -> str:
        """The registered name. Raises ValueError if there is none, and says how to get one."""
        if name := name_of(self.kind, self.value):
            return name
        called = getattr(self.value, "__name__", "mine")
        called = called if called.isidentifier() else "mine"
        raise ValueError(
            f"{self.setting}={shown(self.value)}: rows and logs hold names, so give it one first: "
            f"verienv.register_{self.kind}({called!r}, ...), also where they are read"
        )

    @property
    def title(self) -> str:
        """The registered name, or else what Python calls the object: words for people, which nothing reads back."""
        return name_of(self.kind, self.value) or str(getattr(self.value, "__name__", type(self.value).__name__))

    @classmethod
    def of(cls, value: Any) -> Self | None:
        """Return the setting's value for an object that is callable, or a registered name; None for all else.

        Raises ValueError for a function that cannot be handed what it will be.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            found = find(cls.kind, value)
            return None if found is None else cls(found)
        if not callable(value):
            return None
        if why := unfit(cls.kind, value):
            raise ValueError(f"{cls.setting}={shown(value)}: {why}")
        return cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Hold an instance; in plain data it is its name."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(lambda own: own.name, when_used="json")
        )
