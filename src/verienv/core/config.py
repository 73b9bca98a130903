"""Settings: the base of every task's, and validation with errors of one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from verienv.core.reasoning import parse_reasoning_tags
from verienv.core.registered import Own
from verienv.core.shown import shown

Model = TypeVar("Model", bound=BaseModel)

ReasoningTags = Annotated[tuple[str, ...], BeforeValidator(parse_reasoning_tags)]
"""The tags around reasoning: a pair, or () for none; None is none too."""


class UnknownSettingError(TypeError, ValueError):
    """A setting that a model does not have. Also the TypeError that Python raises for a keyword a function lacks.

    Libraries that try keywords of their own on every environment go by that, and by its words.
    """


def plain_settings(config: BaseModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that were ``given`` for ``config`` as plain data, from which an equal one can be made.

    Raises:
        ValueError: names the setting that JSON cannot hold, or whose object has no registered name.
    """
    for name in given:
        if isinstance(chosen := getattr(config, name), Own):
            _ = chosen.name
    dumped = config.model_dump(mode="json")
    plain = {name: value if _is_plain(value) else dumped[name] for name, value in given.items()}
    again = validate(type(config), plain)
    for name in given:
        if getattr(again, name) != getattr(config, name):
            raise ValueError(f"{name}={shown(given[name])}: JSON cannot hold this value; give it in plain data")
    return plain


def _is_plain(value: Any) -> bool:
    if type(value) in (str, int, float, bool, type(None)):
        return True
    if type(value) is list:
        return all(map(_is_plain, value))
    return type(value) is dict and all(type(key) is str and _is_plain(part) for key, part in value.items())


def settings_named(settings_by_name: Mapping[str, Mapping[str, Any]], name: Any) -> Mapping[str, Any]:
    """The settings that a name stands for; none for an unknown one, which validation will refuse."""
    return settings_by_name.get(name, {}) if isinstance(name, str) else {}


def parse_name(name: Any, names: Iterable[str], otherwise: str = "") -> str:
    """``name`` if it is one of ``names``. Raises ValueError that lists them, and what may be given ``otherwise``."""
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"expected one of {', '.join(names)}" + (f"; {otherwise}" if otherwise else ""))
    return name


def parse_size(size: Any, smallest: int, largest: int, otherwise: str = "") -> tuple[int, int]:
    """Height and width in px: a pair of integers, or one integer for a square. JSON's lists are pairs too.

    Raises:
        ValueError: what is accepted: sides from ``smallest`` to ``largest``, and what may be given ``otherwise``.
    """
    sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, (list, tuple)) else ()
    if len(sides) != 2 or not all(type(side) is int and smallest <= side <= largest for side in sides):
        accepted = f"(height, width), each an integer from {smallest} to {largest} px, or one for both"
        raise ValueError(f"expected {otherwise}{accepted}")
    return sides[0], sides[1]


def parse_range(given: Any, least: int, most: int) -> tuple[int, int] | None:
    """The fewest and the most: a pair of integers, or one integer for both; None for no bounds. JSON's lists are pairs.

    Raises:
        ValueError: what is accepted: integers from ``least`` to ``most``, in order.
    """
    if given is None:
        return None
    ends = (given, given) if isinstance(given, int) else tuple(given) if isinstance(given, (list, tuple)) else ()
    if len(ends) != 2 or not all(type(end) is int for end in ends) or not least <= ends[0] <= ends[1] <= most:
        raise ValueError(
            f"expected an integer from {least} to {most}, or the fewest and the most, such as ({least}, {least + 1})"
        )
    return ends[0], ends[1]


def validate(model: type[Model], settings: Mapping[str, Any], name: str = "") -> Model:
    """Build ``model`` from keyword settings.

    Raises:
        ValueError: one line that names the field, what was given and what is accepted.
        UnknownSettingError: the same, for a setting that there is not.
    """
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=True)
        kind = UnknownSettingError if any(fault["type"] == "extra_forbidden" for fault in faults) else ValueError
        lines = [_sentence(model, fault) for fault in faults]
        raise kind(f"{name or model.__name__}: " + "; ".join(lines)) from None


def _sentence(model: type[BaseModel], detail: Any) -> str:
    field = ".".join(str(part) for part in detail["loc"])[:80]
    if detail["type"] == "extra_forbidden":
        close = get_close_matches(field, model.model_fields, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        accepted = ", ".join(model.model_fields)
        return (
            f"unknown setting {shown(field)} ({hint}accepted: {accepted}): unexpected keyword argument {shown(field)}"
        )
    message: str = detail["msg"]
    if detail["type"] == "value_error":  # a sentence of ours
        message = message.removeprefix("Value error, ").removeprefix(f"{field}: ")
        if not field or message.startswith(f"{field}="):
            return message
    else:
        message = _range(model, field) or message[:1].lower() + message[1:]
    return f"{field}={shown(detail.get('input'))}: {message}"


def _range(model: type[BaseModel], field: str) -> str:
    """Return the range that a number with two bounds accepts, else ""."""
    known = model.model_fields.get(field)
    bounds = {
        name: getattr(rule, name)
        for rule in (known.metadata if known else ())
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    kind = "a number" if known and known.annotation is float else "an integer"
    return f"expected {kind} from {bounds['ge']:g} to {bounds['le']:g}" if len(bounds) == 2 else ""


class TaskConfig(BaseModel):
    """The keyword arguments of ``gym.make`` for a task. Explicit ones beat those that a split stands for.

    Attributes:
        split: a name for some of the other settings.
        attempts: answers allowed to one question, 1 to 64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = {"train": {}, "test": {}}
    """The settings that each split stands for."""

    visuals: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """The settings that each ``visual`` stands for, where the task has pictures."""

    changeable: ClassVar[tuple[str, ...]] = ()
    """The settings that ``reset(options={...})`` may change: none that a space or the size of a picture depends on."""

    split: str = "train"
    attempts: int = Field(default=1, ge=1, le=64, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_names(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return {**cls.expand_names(settings), **settings}

    @classmethod
    def expand_names(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that the split and the visual among ``settings`` stand for."""
        split, visual = settings.get("split", "train"), settings.get("visual", "default")
        return {**settings_named(cls.splits, split), **settings_named(cls.visuals, visual)}

    @field_validator("split", mode="before")
    @classmethod
    def _parse_split(cls, split: Any) -> Any:
        return parse_name(split, cls.splits)

    @classmethod
    def paths(cls, settings: Mapping[str, Any]) -> list[str]:
        """Return the names of those of ``settings``, as given, that would open a path of this machine."""
        return []


def read_changes(options: Mapping[str, Any], settings: type[TaskConfig]) -> dict[str, Any]:
    """Return the settings that the options of a reset name. Raises ValueError for an unknown option."""
    accepted = ("instance", *settings.changeable)
    if unknown := sorted(map(str, set(options) - set(accepted))):
        raise ValueError(f"reset options {unknown} are unknown; accepted: {', '.join(map(repr, accepted))}")
    return {name: value for name, value in options.items() if name != "instance"}
