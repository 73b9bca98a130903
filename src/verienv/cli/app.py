"""The commands."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from verienv.cli.common import Interrupted, full_id, note, read_settings, reading, writing
from verienv.cli.convert import convert
from verienv.cli.listing import listing
from verienv.cli.pictures import check_image, check_map, folder_for, save_map, save_picture, writing_rows
from verienv.cli.play import play as play_in
from verienv.cli.replay import check_replay, deal, save_replay
from verienv.cli.score import Score, judged_lines
from verienv.core import tasks
from verienv.core.make import make_env
from verienv.demos import Kind, demonstrations
from verienv.evaluation import BASELINES, Evaluation, compare
from verienv.evaluation import evaluate as evaluate_policy

MOST_BAD_LINES = 20

app = typer.Typer(
    help="Environments with exact verifiers for language models: look, play, score, write demonstrations, evaluate.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EnvId = Annotated[str, typer.Argument(metavar="ENV_ID", help="An environment; `verienv envs` lists them.")]
Split = Annotated[str, typer.Option(help="The split to deal from.")]
Seed = Annotated[int, typer.Option(min=0, help="Fixes what is dealt.")]
Settings = Annotated[
    list[str],
    typer.Option("--setting", "-s", metavar="KEY=VALUE", help="A setting, such as rule=rank; may be repeated."),
]


@app.command()
def envs() -> None:
    """List the environments with their splits and settings."""
    console = Console(highlight=False)
    for number, table in enumerate(listing()):
        if number:
            console.print()
        console.print(table)


@app.command()
def show(
    env_id: EnvId,
    split: Split = "train",
    seed: Seed = 0,
    setting: Settings = [],  # noqa: B006 - typer copies it
    answer: Annotated[bool, typer.Option("--answer", help="Show the expert's response and its verdict too.")] = False,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write the picture, where the task shows one.")
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.png", help="Write the map, where the task has one.")
    ] = None,
    after: Annotated[
        int, typer.Option(min=0, help="Let the expert answer so many times first, as far as that goes.")
    ] = 0,
    instance: Annotated[str | None, typer.Option(metavar="ID", help="Deal this instance, whatever the seed.")] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Play on to the end, and write that as a page to watch.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="The same as one picture, tile by tile.")
    ] = None,
    responses: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Who plays: not the expert, but the responses of an evaluation's log (the episode as it was dealt "
            'there) or of other JSON lines with "response"; the first episode, or that of --instance.',
        ),
    ] = None,
) -> None:
    """Show a question: the first of an episode, or a later one."""
    env = make_env(full_id(env_id), **{"split": split, **read_settings(setting)})
    check_image(image, env)
    check_map(map_file, env)
    check_replay(replay, sheet)
    dealt = deal(env, seed, instance, responses)
    episode = dealt.episode
    for _ in range(after):
        response = dealt.respond(episode)
        if response is not None:
            episode.answer(response)
        if response is None or episode.is_over:
            raise ValueError(f"--after {after}: {dealt.by} is done before that; ask for fewer")
    if image:
        save_picture(episode, image)
    if map_file:
        save_map(episode, map_file)
    print(f"[{episode.question.instance}, {dealt.origin}]\n\n{episode.text}")
    if episode.question.vision:
        print(f"\n[the picture: {image}]" if image else "\n[the picture: add --image FILE.png and open that file]")
    if map_file:
        print(f"\n[the map: {map_file}]")
    if answer:
        response = episode.expert(steps=True)
        verdict = episode.question.judge(response)
        print(f"\n[the expert]\n\n{response}\n\n[the verdict]\n")
        for name, value in verdict.model_dump(mode="json").items():
            print(f"{name:10}  {value if isinstance(value, str) else json.dumps(value)}".rstrip())
    if replay or sheet:
        save_replay(dealt, replay, sheet)
        written = (("replay", replay), ("sheet", sheet))
        print("\n" + "\n".join(f"[the {name}: {path}]" for name, path in written if path))


@app.command()
def play(
    env_id: EnvId = "GeneralPoints-L",
    split: Split = "train",
    seed: Annotated[int | None, typer.Option(min=0, help="Fixes what is dealt; else every game differs.")] = None,
    setting: Settings = [],  # noqa: B006
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", help="Where to put the picture of each hand; else in a folder that is gone afterwards."
        ),
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.png", help="Draw the map after each step, where the task has one."),
    ] = None,
) -> None:
    """Play in the terminal, with the feedback that a policy gets.

    A bare formula or action is enough. Where the cards are in a picture, it is judged as if they had been read right.
    """
    env = make_env(full_id(env_id), **{"split": split, **read_settings(setting)})
    check_image(image, env)
    check_map(map_file, env)

    def read() -> str:
        typed = input("> ")
        if not sys.stdin.isatty():
            print(typed)
        return typed

    play_in(env, seed, read, print, image, map_file)


@app.command()
def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help='Responses as JSON lines; "-" is stdin.')],
    out: Annotated[str | None, typer.Option(metavar="FILE", help='Write the verdicts; "-": to stdout.')] = None,
    rule: Annotated[str | None, typer.Option(help="The rule for lines that do not name theirs, such as rank.")] = None,
    rewards: Annotated[str | None, typer.Option(help="A reward preset in place of the lines' own.")] = None,
    vision: Annotated[
        bool, typer.Option("--vision", help="Lines that do not say were answers to questions with pictures.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Read plain JSON alone.")] = False,
) -> None:
    """Score responses and print a summary.

    Each line is a JSON object: a "response" and the columns of a task, as verienv's rows have them. An "instance", such
    as "generalpoints:4-3-2-K:24", or "cards": ["4", "3", "2", "K"] are enough for a hand, a "waypoint" for a step of a
    route; any other field is let be. Lines that cannot be read are named on stderr, and the exit status is then 1.
    """
    if rewards is not None:
        tasks.check_rewards(rewards)
    columns = {"rule": rule, "vision": vision or None}
    score = Score()
    with reading(file) as lines, writing(out) if out else nullcontext() as verdicts:
        for number, judged in judged_lines(lines, columns, rewards, strict, score):
            if not isinstance(judged, str):
                if verdicts:
                    verdicts.write(json.dumps(judged) + "\n")
            elif score.bad_lines <= MOST_BAD_LINES:
                note(f"{file}, line {number}: {judged}")
    if score.bad_lines > MOST_BAD_LINES:
        note(f"... and {score.bad_lines - MOST_BAD_LINES} more lines that cannot be read")
    print(score.summary(), file=sys.stderr if out == "-" else sys.stdout)
    if score.bad_lines or not score.scored:
        raise typer.Exit(1)


@app.command()
def demos(
    env_id: EnvId,
    kind: Annotated[str, typer.Option(help="sft, revision or preference.")] = "sft",
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many rows.")] = 1000,
    seed: Seed = 0,
    split: Split = "train",
    steps: Annotated[bool, typer.Option("--steps", help="Write the derivation before the answer.")] = False,
    wrong_attempts: Annotated[int, typer.Option(min=1, help="For revision: the most wrong attempts in a row.")] = 1,
    out: Annotated[str, typer.Option(metavar="FILE", help='Where to write them; "-" is stdout.')] = "-",
    setting: Settings = [],  # noqa: B006
) -> None:
    """Write demonstrations as JSON lines, in the form that TRL reads.

    Where the task shows pictures, they go into a folder beside the file, demos_images for demos.jsonl, and "images"
    in each line holds their paths as seen from the file.
    """
    env_id, settings = full_id(env_id), read_settings(setting)
    wanted = cast(Kind, kind)  # demonstrations() checks it
    rows = demonstrations(env_id, wanted, n, seed, split, steps=steps, wrong_attempts=wrong_attempts, **settings)
    first = next(rows)  # wrong arguments are an error before the file is touched
    with_images = "images" in first
    with writing_rows(out, with_images) as write:
        for row in chain([first], rows):
            write(row)
    if out != "-":
        note(f"{n} rows in {out}" + (f", their pictures in {folder_for(out)}" if with_images else ""))


@app.command()
def evaluate(
    env_id: EnvId,
    model: Annotated[
        str | None, typer.Option(metavar="NAME_OR_PATH", help='A Hugging Face causal language model, or "tiny-lm".')
    ] = None,
    baseline: Annotated[str | None, typer.Option(help=f"Instead of a model: {' or '.join(BASELINES)}.")] = None,
    splits: Annotated[
        str,
        typer.Option(
            help="Splits, between commas; or a table of cells by its name, such as rule_by_side; `verienv envs` lists "
            "them."
        ),
    ] = "train,test,rule_ood",
    episodes: Annotated[int, typer.Option(min=1, help="In each split.")] = 200,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Dialogues answered at once.")] = 64,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="The longest response.")] = 256,
    temperature: Annotated[float, typer.Option(min=0.0, help="Of sampling; 0 is greedy.")] = 0.0,
    device: Annotated[str, typer.Option(help="cpu, cuda, ..., or auto.")] = "auto",
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep every response with its verdict, as JSON lines.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the results: JSON, or Markdown if it ends in .md."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Results saved earlier: show the paired differences to them.")
    ] = None,
    setting: Settings = [],  # noqa: B006
) -> None:
    """Evaluate a model and print its success, split by split.

    With --log, or with --out (which keeps a log until it is done), an interrupted evaluation goes on where it
    stopped when the same command is given again.
    """
    if (model is None) == (baseline is None):
        raise ValueError("give either --model NAME_OR_PATH or --baseline " + "|".join(BASELINES))
    if baseline not in (None, *BASELINES):
        raise ValueError(f"--baseline {baseline}: expected {' or '.join(BASELINES)}")
    before = Evaluation.load(against) if against else None
    env_id = full_id(env_id)
    cells: Any = tasks.of_env_id(env_id).tables.get(splits) or [split for split in splits.split(",") if split]
    book = log or (out.with_name(out.name + ".log.jsonl") if out else None)
    settings = read_settings(setting)
    policy: Any = baseline
    name = baseline or str(model)
    if model is not None:
        from verienv.adapters.transformers import load_policy

        policy = load_policy(
            model,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            batch_size=batch_size,
            device=device,
            seed=seed,
        )
        name += f", at most {max_new_tokens} new tokens" + (f", temperature {temperature:g}" if temperature else "")
    if book and book.exists():
        note(f"going on with {book}")
    try:
        result = evaluate_policy(policy, env_id, cells, episodes, seed, batch_size, log=book, name=name, **settings)
    except KeyboardInterrupt:
        kept = f"finished episodes are in {book}: the same command goes on" if book else "nothing was kept: use --log"
        raise Interrupted(f"interrupted; {kept}") from None
    print(result)
    if before:
        print(f"\nDifferences to {against}, in percentage points:\n{compare(before, result)}")
    if out:
        if out.suffix == ".md":
            with writing(str(out)) as file:
                file.write(result.markdown() + "\n")
        else:
            result.save(out)
        if book and not log:
            book.unlink(missing_ok=True)


app.command()(convert)
