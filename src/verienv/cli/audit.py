"""The command that tells what files share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from verienv.cli.common import import_all, note, settings_for
from verienv.cli.options import Imports, Settings
from verienv.cli.places import check_name, check_places, paths_in
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.files import atomic_text
from verienv.core.make import full_id, make_env
from verienv.core.settings import files_of
from verienv.testing.audit import Audit, DealtSplit, audit_rows

MOST_TOLD = 20


def audit(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows: .jsonl, .json (an array) or .parquet.")],
    others: Annotated[
        list[str] | None, typer.Argument(metavar="[OTHER]...", help="Files to compare with, in place of splits.")
    ] = None,
    env_id: Annotated[
        str | None,
        typer.Option("--env", metavar="ENV_ID", help="The environment of --splits, such as GeneralPoints-L."),
    ] = None,
    splits: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Splits to compare with, separated by commas.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="The rule for rows that name none, such as rank.")] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Rows drawn of a split whose routes cannot be listed; of hands all are known.")
    ] = 2000,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the counts and examples to this file.")
    ] = None,
    setting: Settings = [],  # noqa: B006
    modules: Imports = [],  # noqa: B006
) -> None:
    """Tell which rows of a file are alike to those of our splits, or of other files: in cards, numbers or routes.

    Files hold rows or demonstrations of verienv in any form, or published questions (see `verienv convert`). "cards"
    are a hand in any order, "numbers" what its cards count under the rule it is scored by, "landmarks" those that the
    instructions of a route name. Without OTHER and --splits, FILE is compared with the split test.

    The exit status is 0 if nothing is shared, 1 if something is or a line cannot be read, 2 for any other error.
    """
    import_all(modules)
    settings = settings_for(make_env, setting)
    check_name("--out", out, (".json",))
    against: list[str | DealtSplit] = list(others or ())
    opened = files_of(setting)
    if env_id is not None:
        env_id = full_id(env_id)
        opened |= paths_in(tasks.of_env_id(env_id).environment_class(env_id), settings)
        named = [split for split in (splits or "test").split(",") if split]
        against += [DealtSplit(env_id, split, settings, draws) for split in named]
    elif splits or settings or not against:
        raise ValueError("give --env ENV_ID for the splits to compare with, or OTHER files")
    check_places({"FILE": file, **opened, **{f"OTHER {path}": path for path in others or ()}}, {"--out": out})
    check_output(needed=out is None)
    faults = 0

    def tell(fault: str) -> None:
        nonlocal faults
        faults += 1
        if faults <= MOST_TOLD:
            note(fault)

    found = audit_rows(file, against, columns={"rule": rule}, tell=tell)
    if faults > MOST_TOLD:
        note(f"... and {faults - MOST_TOLD} more rows that cannot be read")
    if not found.rows:
        raise ValueError(f"{file}: holds no row that could be read")
    if out:
        with atomic_text(out) as written:
            written.write(json.dumps({"file": file, "is_clean": found.is_clean, **asdict(found)}, indent=1) + "\n")
    print("\n".join(_told(file, found)))
    if not found.is_clean:
        raise typer.Exit(1)


def _told(file: str, found: Audit) -> Iterator[str]:
    distinct = ", ".join(f"{count} different {name}" for name, count in found.distinct.items())
    yield f"{found.rows} row{'s' * (found.rows > 1)} in {file}: {distinct}"
    for each in found.shared:
        lines = f" (rows {', '.join(map(str, each.examples))}{', ...' * (each.rows > len(each.examples))})"
        drawn = "" if each.exact else ", of those drawn"
        yield f"{each.key} shared with {each.other}{drawn}: {each.rows} of {each.of}{lines if each.rows else ''}"
