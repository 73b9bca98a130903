"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

EnvId = Annotated[
    str,
    typer.Argument(
        metavar="ENV_ID",
        help="An environment, as `verienv envs` lists them; or module:id for one that a module of your own registers.",
    ),
]
EnvIdOrAll = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENV_ID]",
        help="An environment, as `verienv envs` lists them; or module:id for one that a module of your own registers. "
        "Only with --benchmark may it be left out.",
    ),
]
Split = Annotated[str, typer.Option(help="The split to deal from.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed: it fixes the instances.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--setting",
        "-s",
        metavar="KEY=VALUE",
        help="A setting, such as rule=rank; may be repeated. With prompt=@FILE the file holds the value. In prompt, "
        "answer_format, feedback and rewards module:name is an object of your own, and its module is imported.",
    ),
]
Imports = Annotated[
    list[str],
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Import a module that registers a task or an object of your own; may be repeated.",
    ),
]
