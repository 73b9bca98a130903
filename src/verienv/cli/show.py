"""The command that shows a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import typer

from verienv.cli.common import settings_for
from verienv.cli.options import EnvId, Seed, Settings, Split
from verienv.cli.pictures import check_image, check_map, save_map, save_picture
from verienv.cli.places import check_places, paths_in
from verienv.cli.replay import check_replay, deal, save_replay
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.env import VerifiedEnv
from verienv.core.make import full_id, make_env
from verienv.core.settings import files_of


def show(
    env_id: EnvId,
    split: Split = "train",
    seed: Seed = 0,
    setting: Settings = [],  # noqa: B006 - typer copies it
    answer: Annotated[bool, typer.Option("--answer", help="Add the expert's response and its verdict.")] = False,
    image: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Write the picture to this file, where the task has pictures."),
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.png", help="Write the map to this file, where the task has maps."),
    ] = None,
    after: Annotated[
        int,
        typer.Option(min=0, help="Show the question after this number of responses by the expert, or of --responses."),
    ] = 0,
    instance: Annotated[
        str | None, typer.Option(metavar="ID", help="Deal this instance, not one that the seed chooses.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Play to the end, and write a page that replays the episode."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Play to the end, and write one picture with a tile for each attempt."),
    ] = None,
    responses: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Play these responses instead of the expert's: the log of an evaluation (its episode is dealt as it "
            'was there), or other JSON lines with "response". The first episode is taken, or that of --instance.',
        ),
    ] = None,
) -> None:
    """Show a question of an episode: the first, or a later one."""
    env_id, settings = full_id(env_id, numeric=True), settings_for(make_env, setting)
    env, numeric = _made(env_id, {"split": split, **settings})
    check_image(image, env)
    check_map(map_file, env)
    check_replay(replay, sheet)
    files = {"--image": image, "--map": map_file, "--replay": replay, "--sheet": sheet}
    check_places({"--responses": responses, **paths_in(type(env), settings), **files_of(setting)}, files)
    check_output(needed=not any(files.values()))
    start = {"seed": seed} if instance is None else {"options": {"instance": instance}}
    in_numbers = _in_numbers(numeric, start) if numeric and not responses else []
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
    measured = [f", {name} {measure}" for name, measure in episode.question.difficulty_measures.items() if measure >= 0]
    text = [f"[{episode.question.instance}, {dealt.origin}{''.join(measured)}]\n\n{episode.text}"]
    if episode.question.vision:
        text.append(
            f"\n[the picture: {image}]" if image else "\n[the picture: add --image FILE.png and open that file]"
        )
    if map_file:
        text.append(f"\n[the map: {map_file}]")
    if answer:
        response = episode.expert(steps=True)
        verdict = episode.question.judge(response)
        text.append(f"\n[the expert]\n\n{response}\n\n[the verdict]\n")
        for name, value in verdict.model_dump(mode="json").items():
            text.append(f"{name:10}  {value if isinstance(value, str) else json.dumps(value)}".rstrip())
    text += in_numbers
    if replay or sheet:
        save_replay(dealt, replay, sheet)
        written = (("replay", replay), ("sheet", sheet))
        text.append("\n" + "\n".join(f"[the {name}: {path}]" for name, path in written if path))
    print("\n".join(text))  # last, so that a reader that has had enough costs no file


def _made(env_id: str, settings: dict[str, Any]) -> tuple[VerifiedEnv, gym.Env[Any, Any] | None]:
    """Make an environment; return it, or the one in words that it is made over, and itself if it is numeric."""
    if not any(env_id in task.numeric for task in tasks.every()):
        return make_env(env_id, **settings), None
    numeric = gym.make(env_id, disable_env_checker=True, **settings).unwrapped
    game = getattr(numeric, "game", None)
    if not isinstance(game, VerifiedEnv):
        raise ValueError(f"{env_id} is in numbers, made over no environment in words: there is no question to show")
    game.spec = numeric.spec
    return game, numeric


def _in_numbers(numeric: gym.Env[Any, Any], start: dict[str, Any]) -> list[str]:
    """Return the lines that show a numeric environment's first observation, and its actions."""
    observation, info = numeric.reset(**start)
    parts = observation if isinstance(observation, dict) else {"observation": observation}
    lines = ["\n[in numbers, at the first step; see docs/libraries.md]\n"]
    for name, part in parts.items():
        array = np.asarray(part)
        numbers = np.array2string(array, threshold=12, edgeitems=4).replace("\n", "")
        lines += [f"{name:12}{array.dtype} {array.shape}" + (f" {numbers}" if array.ndim < 2 else "")]
    names: Sequence[str] = getattr(numeric, "token_names", getattr(numeric, "actions", ()))
    allowed = info.get("action_mask", np.ones(len(names)))
    return [
        *lines,
        f"{'action':12}{numeric.action_space}",
        *(f"{number:>4}  {name}" + " (masked)" * (not allowed[number]) for number, name in enumerate(names)),
    ]
