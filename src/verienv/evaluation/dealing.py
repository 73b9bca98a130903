"""Dealing an episode of a log anew, as the evaluation dealt it, where the log may be anybody's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from verienv.core import registered, tasks
from verienv.core.config import plain_settings
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.shown import shown, shown_path
from verienv.core.typed import KINDS
from verienv.evaluation.cells import Cell
from verienv.evaluation.records import Setup

_NAME = re.compile(r"[A-Za-z_][\w.:-]*+", re.ASCII)


def cell_of(setup: Setup, cell: Any, log: object, own: VerifiedEnv | Mapping[str, Any] | None = None) -> Cell:
    """Return a cell of a log's setup, which deals its episodes. A log imports nothing and opens no path by itself.

    Args:
        setup: the header of the log.
        cell: the name of the cell.
        log: the log's path, for errors.
        own: settings that the caller trusts, or an environment that was made with them: paths among them may be opened.

    Raises:
        ValueError: for a cell that is not there, an environment that is not known, a path that is not trusted, rows
            that the log does not hold, or settings that mean nothing here.
    """
    log = shown_path(log)
    if not isinstance(cell, str) or cell not in setup.cells:
        raise ValueError(f"{log}: cell={shown(cell)} is no cell of its setup")
    kind = tasks.of_env_id(setup.env_id).environment_class(setup.env_id)
    settings = setup.cells[cell]
    if "rows" in settings:
        raise ValueError(f"{log}: its cell {shown(cell)} asked the rows of a file, which a log does not hold")
    _check_paths(kind, settings, log, own or {})
    try:
        return Cell(setup.env_id, settings, max(setup.episodes, 1), setup.seed)
    except ValueError:
        _check_names(settings, log)
        raise


def deal_logged(dealing: Cell, setup: Setup, cell: str, episode: int, instance: object, log: object) -> Episode:
    """Begin an episode of a log as the evaluation dealt it; ``dealing`` is its cell.

    Raises:
        ValueError: if there is no such episode, or this version deals another instance there.
    """
    if not 0 <= episode < setup.count(cell):
        raise ValueError(f"{shown_path(log)}: cell={shown(cell)}, episode={shown(episode)} is no episode of its setup")
    dealt = dealing.deal(episode)
    if dealt.question.instance != instance:
        raise ValueError(
            f"{shown_path(log)} holds {shown(instance)}, where this version deals {dealt.question.instance}"
        )
    return dealt


def _check_paths(
    kind: type[VerifiedEnv], settings: Mapping[str, Any], log: object, own: VerifiedEnv | Mapping[str, Any]
) -> None:
    """Raise ValueError if a log's settings open paths that the caller does not name too."""
    trusted = dict(own) if isinstance(own, Mapping) else dict(own.spec.kwargs) if own.spec else {}
    for name in kind.settings.paths(settings):
        if name in trusted:
            config = (kind(**{name: trusted[name]}) if isinstance(own, Mapping) else own).config
            if plain_settings(config, {name: trusted[name]})[name] == settings[name]:
                continue
        raise ValueError(
            f"{log} opens a path of this machine ({name}={shown(settings[name])}); if you trust the log, give "
            f"the same with -s {name}=..."
        )


def _check_names(settings: Mapping[str, Any], log: object) -> None:
    """Raise ValueError where a log's settings name an object of somebody's own that is not registered here."""
    for name, kind in KINDS.items():
        value = settings.get(name)
        if isinstance(value, str) and _NAME.fullmatch(value) and not registered.means(kind, value):
            typed = value if ":" in value else "module:name"
            raise ValueError(
                f"{log} names {name}={shown(value)}, which means nothing here, and a log imports nothing: if you trust "
                f"it, give -s {name}={typed} of the module that has it"
            )
