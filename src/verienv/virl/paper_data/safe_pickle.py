"""Reading one kind of pickle without unpickling: a dict of (number, number) to str.

A pickle is a program, and ``pickle.load`` runs it. Here its instructions are only read (``pickletools.genops`` knows
their form), and the few that such a dict needs are carried out by the small machine below. It has numbers, strings,
flat tuples and one dict; it imports nothing and calls nothing. The two names that pickled numpy numbers hold are known
to it as marks, and their bytes are decoded with ``struct``. Anything else is an error that says what was found.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pickletools import genops
from typing import Any

MOST_STEPS = 5_000_000
"""Number of instructions, at most; each makes one small object at most. A mapping of 200,000 positions has fewer, and
one of 500,000 if they are plain numbers."""


class _Name(Enum):
    """The names that a pickled numpy number refers to."""

    SCALAR = "scalar"
    DTYPE = "dtype"


_NAMES = {
    ("numpy._core.multiarray", "scalar"): _Name.SCALAR,
    ("numpy.core.multiarray", "scalar"): _Name.SCALAR,
    ("numpy", "dtype"): _Name.DTYPE,
}

_FORMATS = {"f8": "d", "f4": "f", "i8": "q"}
"""Admitted types of numpy numbers, and their names in ``struct``."""


@dataclass(slots=True)
class _Type:
    """A type of numpy numbers."""

    format: str
    order: str = "<"


def read_mapping(raw: bytes) -> dict[tuple[float, float], str]:
    """Read the dict of (number, number) to str that ``raw`` pickles, in protocol 2 to 5.

    Raises:
        ValueError: for anything else, with the name, instruction or value that is not admitted.
    """
    machine = _Machine()
    try:
        for step, (instruction, argument, _) in enumerate(genops(BytesIO(raw))):
            if step >= MOST_STEPS:
                raise ValueError(f"it has more than {MOST_STEPS} instructions")
            machine.carry_out(instruction.name, argument)
    except (IndexError, KeyError, struct.error) as error:
        raise ValueError(f"it is damaged ({type(error).__name__})") from None
    return machine.result()


class _Machine:
    def __init__(self) -> None:
        self._mapping: dict[tuple[float, float], str] | None = None
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._instructions: dict[str, Callable[[Any], None]] = {
            **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda argument: None),
            **dict.fromkeys(("BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1"), self._stack.append),
            **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES"), self._stack.append),
            "NONE": self._stack.append,
            "NEWTRUE": lambda argument: self._stack.append(True),
            "NEWFALSE": lambda argument: self._stack.append(False),
            "MARK": lambda argument: self._marks.append(len(self._stack)),
            "EMPTY_DICT": self._empty_dict,
            "SETITEM": lambda argument: self._set_items(len(self._stack) - 2),
            "SETITEMS": lambda argument: self._set_items(self._marks.pop()),
            "TUPLE": lambda argument: self._tuple(self._marks.pop()),
            "TUPLE1": lambda argument: self._tuple(len(self._stack) - 1),
            "TUPLE2": lambda argument: self._tuple(len(self._stack) - 2),
            "TUPLE3": lambda argument: self._tuple(len(self._stack) - 3),
            "MEMOIZE": lambda argument: self._put(len(self._memo)),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._put),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda argument: self._stack.append(self._memo[argument])),
            "GLOBAL": lambda argument: self._name(*argument.split(" ", 1)),
            "STACK_GLOBAL": lambda argument: self._name(*self._pop(2)),
            "REDUCE": self._reduce,
            "BUILD": self._build,
        }

    def carry_out(self, instruction: str, argument: Any) -> None:
        known = self._instructions.get(instruction)
        if known is None:
            raise ValueError(f"the instruction {instruction} is not admitted")
        known(argument)

    def result(self) -> dict[tuple[float, float], str]:
        if self._mapping is None or len(self._stack) != 1 or self._stack[0] is not self._mapping or self._marks:
            raise ValueError("it holds no single dict")
        return self._mapping

    def _pop(self, count: int) -> list[Any]:
        return self._cut(len(self._stack) - count)

    def _cut(self, at: int) -> list[Any]:
        """Take what lies on the stack from ``at`` on."""
        if not (self._marks[-1] if self._marks else 0) <= at <= len(self._stack):
            raise ValueError("it is damaged (the stack is too short)")
        taken = self._stack[at:]
        del self._stack[at:]
        return taken

    def _put(self, number: int) -> None:
        self._memo[number] = self._stack[-1]

    def _empty_dict(self, _: Any) -> None:
        if self._mapping is not None:
            raise ValueError("it holds a dict inside the dict")
        self._mapping = {}
        self._stack.append(self._mapping)

    def _tuple(self, at: int) -> None:
        items = tuple(self._cut(at))
        if any(isinstance(item, (tuple, dict)) for item in items):
            raise ValueError("it holds a tuple that is not flat")
        self._stack.append(items)

    def _set_items(self, at: int) -> None:
        items = self._cut(at)
        if self._mapping is None or self._stack[-1] is not self._mapping or len(items) % 2:
            raise ValueError("it is damaged (items without a dict)")
        for key, value in zip(items[::2], items[1::2], strict=True):
            is_pair = isinstance(key, tuple) and len(key) == 2 and all(type(part) in (int, float) for part in key)
            if not is_pair or not isinstance(value, str):
                raise ValueError(f"it holds {_kind(key)}: {_kind(value)}; (number, number): str is accepted")
            self._mapping[key] = value

    def _name(self, module: Any, name: Any) -> None:
        known = _NAMES.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if known is None:
            given = ascii(f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else "no name")
            raise ValueError(f"the global {given[:80]} is forbidden")
        self._stack.append(known)

    def _reduce(self, _: Any) -> None:
        called, given = self._pop(2)
        if called is _Name.DTYPE and isinstance(given, tuple) and given and isinstance(given[0], str):
            if given[0] not in _FORMATS:
                raise ValueError(f"numbers of numpy's type {given[0][:20]!a} are not admitted")
            self._stack.append(_Type(_FORMATS[given[0]]))
        elif called is _Name.SCALAR and isinstance(given, tuple) and [type(part) for part in given] == [_Type, bytes]:
            self._stack.append(struct.unpack(given[0].order + given[0].format, given[1])[0])
        else:
            raise ValueError("a call is not admitted")

    def _build(self, _: Any) -> None:
        """Read the state of a numpy type: only its byte order counts."""
        kind, state = self._pop(2)
        order = state[1] if isinstance(kind, _Type) and isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">"):
            raise ValueError("the instruction BUILD is admitted for numpy's numbers alone")
        kind.order = order
        self._stack.append(kind)


def _kind(value: Any) -> str:
    return type(value).__name__ if not isinstance(value, tuple) else f"a tuple of {len(value)}"
