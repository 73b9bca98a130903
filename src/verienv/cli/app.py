"""The commands of ``verienv``."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from verienv.cli.agreement import agreement
from verienv.cli.audit import audit
from verienv.cli.benchmark import check_results
from verienv.cli.common import STDOUT, import_all, note, reading, settings_for, writing
from verienv.cli.compare import compare
from verienv.cli.convert import convert
from verienv.cli.demos import demos
from verienv.cli.evaluate import evaluate
from verienv.cli.export import export
from verienv.cli.listing import listing
from verienv.cli.options import EnvId, Imports, Settings, Split
from verienv.cli.pictures import check_image, check_map
from verienv.cli.places import JSON_LINES, check_name, check_places, paths_in
from verienv.cli.play import play as play_in
from verienv.cli.score import Parts, Score, judged_lines
from verienv.cli.show import show
from verienv.cli.streams import check_input, check_output
from verienv.cli.view import view
from verienv.cli.window import play_window
from verienv.core import tasks
from verienv.core.formats import parse_format
from verienv.core.make import full_id, make_env
from verienv.core.settings import files_of, read_setting
from verienv.core.version import __version__

MOST_BAD_LINES = 20

app = typer.Typer(
    help="Environments with exact verifiers for language models: show, play, score, write demonstrations, evaluate.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"verienv {__version__}")
        raise typer.Exit


@app.callback()
def verienv(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


@app.command()
def envs(modules: Imports = []) -> None:  # noqa: B006
    """List the environments with their splits and settings."""
    check_output(needed=True)
    import_all(modules)
    console = Console(highlight=False)
    for number, table in enumerate(listing()):
        if number:
            console.print()
        console.print(table)


app.command()(show)


@app.command()
def play(
    env_id: EnvId = "GeneralPoints-L",
    split: Split = "train",
    seed: Annotated[
        int | None, typer.Option(min=0, help="The seed: it fixes the instances. Without it every game differs.")
    ] = None,
    setting: Settings = [],  # noqa: B006
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Write the picture of each question to this file; else to a folder that is deleted afterwards.",
        ),
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="FILE.png", help="Write the map to this file after each step, where the task has maps."
        ),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(
            "--window",
            help="Play in a browser, and keep the answers as an evaluation's log: the human baseline. --split may name "
            "several, separated by commas; the seed is 0 by default. Needs the extra verienv[pages].",
        ),
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --window: the log; by default PLAYER-ENVIRONMENT.jsonl, in this folder."
        ),
    ] = None,
    player: Annotated[str | None, typer.Option(help="With --window: your pseudonym; by default player.")] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="With --window: the number of episodes in each split; by default 20.")
    ] = None,
    show_map: Annotated[
        bool, typer.Option("--show-map", help="With --window: show the map while you play; the log's name says so.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="With --window: the port on 127.0.0.1; by default a free one.")
    ] = None,
) -> None:
    """Play in the terminal, or with --window in a browser, with the feedback that a policy gets.

    In the terminal the formula or the action alone is enough as an answer; where the cards are in a picture, it is
    judged as if they had been read right. In the browser questions ask for it alone; to answer the whole as a model
    does, give -s answer_format=json.
    """
    settings = settings_for(make_env, setting)
    if window:
        if image or map_file:
            raise ValueError("--image and --map write files for a game in the terminal; --window shows the pictures")
        env_id = full_id(env_id)
        kind = tasks.of_env_id(env_id).environment_class(env_id)
        play_window(
            env_id,
            split,
            seed,
            settings,
            {**paths_in(kind, settings), **files_of(setting)},
            episodes=episodes,
            player=player,
            log=log,
            show_map=show_map,
            port=port or 0,
        )
        return
    only = {"--log": log, "--player": player, "--episodes": episodes, "--show-map": show_map or None, "--port": port}
    if given := [name for name, value in only.items() if value is not None]:
        raise ValueError(f"{given[0]}: is for a game in the browser; give --window with it")
    env = make_env(full_id(env_id), **{"split": split, **settings})
    check_image(image, env)
    check_map(map_file, env)
    check_places({**paths_in(type(env), settings), **files_of(setting)}, {"--image": image, "--map": map_file})
    check_output(needed=True)
    check_input()

    def read() -> str:
        typed = input("> ")
        if not sys.stdin.isatty():
            print(typed)
        return typed

    play_in(env, seed, read, print, image, map_file)


@app.command()
def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help='Responses as JSON lines, perhaps by gzip, bzip2 or xz; "-" is stdin.')
    ],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help='Write the verdicts to this file, by gzip if it ends in .gz; "-" is stdout.'),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="The rule for lines that name none, such as rank.")] = None,
    rewards: Annotated[
        str | None,
        typer.Option(help="Rewards in place of those of the lines: a preset such as binary, JSON, or module:name."),
    ] = None,
    answer_format: Annotated[
        str | None,
        typer.Option(help="The answer format for lines that name none: tags, boxed, line, or module:name."),
    ] = None,
    vision: Annotated[
        bool, typer.Option("--vision", help="Judge as answers to questions with pictures, where lines do not say.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Accept plain JSON, or plain tags, only.")] = False,
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Print a table by the values of this column too, such as update."),
    ] = None,
    modules: Imports = [],  # noqa: B006
) -> None:
    """Score responses and print a summary.

    Each line is a JSON object: a "response" and the columns of a task, as in the rows of verienv. An "instance", such
    as "generalpoints:4-3-2-K:24", or "cards": ["4", "3", "2", "K"] are enough for a hand, a "waypoint" for a step of a
    route. Other fields are ignored. Lines that cannot be read are named on stderr, and the exit status is then 1.
    """
    import_all(modules)
    priced = None if rewards is None else read_setting("rewards", rewards)
    if priced is not None:
        tasks.check_rewards(priced)
    form = None if answer_format is None else parse_format(read_setting("answer_format", answer_format)).name
    check_name("--out", out, JSON_LINES, may_be_packed=True, may_be_stdout=True)
    check_places({"FILE": file}, {"--out": out})
    check_output(needed=out is None or out in STDOUT)
    columns = {"rule": rule, "vision": vision or None, "answer_format": form}
    score, parts = Score(), None if by is None else Parts(by)
    with reading(file) as lines, writing(out) if out else nullcontext() as verdicts:
        for number, judged in judged_lines(lines, columns, priced, strict, score, parts):
            if not isinstance(judged, str):
                if verdicts:
                    verdicts.write(json.dumps(judged) + "\n")
            elif score.bad_lines <= MOST_BAD_LINES:
                note(f"{file}, line {number}: {judged}")
    if score.bad_lines > MOST_BAD_LINES:
        note(f"... and {score.bad_lines - MOST_BAD_LINES} more lines that cannot be read")
    told = f"{score.summary()}\n\n{parts.table()}" if parts and parts.scores else score.summary()
    print(told, file=sys.stderr if out in STDOUT else sys.stdout)
    if parts and (fault := parts.faults()):
        note(fault)
    if score.bad_lines or not score.scored:
        raise typer.Exit(1)


app.command()(demos)
app.command()(export)
app.command()(evaluate)
app.command()(compare)
app.command()(check_results)
app.command()(agreement)
app.command()(convert)
app.command()(audit)
app.command()(view)
