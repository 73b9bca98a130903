"""Arguments that the scripts share: the device, and settings of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import tyro

from verienv.core.make import make_env
from verienv.core.settings import read_setting, read_settings
from verienv.evaluation.cells import Cell

Settings = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="setting", aliases=("-s",), metavar="KEY=VALUE"),
    tyro.conf.UseAppendAction,
]
"""Settings of the environment, given one by one, as ``read_settings`` reads them: -s cards=5 -s prompt=@FILE."""


def rewards_of(arguments: Any) -> Any:
    """Return the meaning of ``--rewards``: a preset's name, a table, or the name of a function of the user's own."""
    given = arguments.rewards
    return read_setting("rewards", given) if isinstance(given, str) else given


def settings_of(
    arguments: Any,
    own: Mapping[str, Any],
    cells: Mapping[str, Mapping[str, Any]] = {},
    make: Callable[..., Any] = make_env,
    *,
    are_own: bool = False,
) -> dict[str, Any]:
    """The settings of ``--setting``, after ``make`` took them with the script's ``own`` ones, and in every cell.

    Cells that ``are_own`` come from a file of the user's: their settings come before those of ``--setting``.

    Raises:
        ValueError: for one that cannot be read or that the environment refuses; for one of which the script has an
            option; and for one that the suite's cells are about, whose names would no longer tell what is in them.
    """
    settings, splits = read_settings(arguments.settings), make_env(arguments.env).splits
    for name in settings:
        if name in own:
            raise ValueError(f"--setting {name}=...: the script has an option for it, --{name}")
        for cell, fixed in cells.items():
            if not are_own and name in {**splits.get(fixed.get("split", ""), {}), **fixed}:
                raise ValueError(
                    f"--setting {name}=...: the cells are about it ({cell!r} fixes {name}); give cells of your own: "
                    "--cells FILE.json"
                )
    if not cells:
        make(arguments.env, **own, **settings)
    for cell, fixed in cells.items():
        try:
            Cell(arguments.env, {**own, **settings, **fixed}, episodes=1, seed=0)
        except ValueError as error:
            raise ValueError(f"cell {cell!r}: {error}" if are_own else str(error)) from None
    return settings
