"""Recording an episode, attempt by attempt."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from verienv.core.dialogue import parts_of
from verienv.core.env import VerifiedEnv
from verienv.core.response import clean_response
from verienv.demos import images_of
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.replay.film import Film, Frame, Scene, Still
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.route import Route

MAP_SIZE = 640
"""Width and height of maps in px: labels stay legible, a map takes 40 kB."""

MOST_FRAMES = 200

Respond = Callable[[VerifiedEnv], str | None]
"""From an environment with a question in play to the response; None: there is no more to say."""


def expert(env: VerifiedEnv) -> str:
    """The expert's response."""
    return env.expert_response()


def record(env: VerifiedEnv, respond: Respond = expert, most: int = MOST_FRAMES, by: str = "the expert") -> Film:
    """Play from the question in play to the end of the episode.

    Args:
        env: reset, and not at its end; afterwards it is where the film ends.
        respond: asked once for each attempt; where it returns None the film ends early.
        most: attempts, at least 1; a longer episode is cut off there.
        by: who plays, in words.

    Raises:
        ValueError: if ``most`` is out of range, or there was no response at all.
        ResetNeeded: if no question is in play.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"most={most!r}: expected an integer of at least 1")
    frames: list[Frame] = []
    over = success = False
    while not over and len(frames) < most and (response := respond(env)) is not None:
        attempt, text = (len(env.messages) + 1) // 2, asked(env)
        if frames and not frames[-1].verdict.is_correct:  # then the question is still the same
            scene = frames[-1].scene
        else:
            scene = _scene(env, frames[-1].scene.number + 1 if frames else 1)
        _, _, terminated, truncated, info = env.step(response)
        verdict = env.verdict
        assert verdict is not None  # noqa: S101 - there is one after every step
        frames.append(Frame(scene, attempt, text, clean_response(response), verdict))
        over, success = terminated or truncated, bool(info["is_success"])
    if not frames:
        raise ValueError("a film needs at least one response, and there was none")
    return Film(
        env_id=env.spec.id if env.spec else type(env).__name__,
        instance=env.instance,
        settings=_settings(env),
        by=by,
        frames=tuple(frames),
        over=over,
        success=success,
        subject=_subject(env.route) if isinstance(env, VIRLEnv) else "",
        attribution=env.city.attribution if isinstance(env, VIRLEnv) and env.city else "",
    )


def asked(env: VerifiedEnv) -> str:
    """All that the policy is told at the question in play, as the observation has it."""
    told = ["".join(part.get("text", "") for part in parts_of(message)) for message in env.messages[::2]]
    split = [text.rpartition("\n") for text in told]  # the last line counts attempts; the newest alone still holds
    return "\n".join([*(text for text, _, _ in split), split[-1][2]])


def _subject(route: Route) -> str:
    return f"{route.city}: {route.start} to {route.destination}" if route.start else route.city


def _scene(env: VerifiedEnv, number: int) -> Scene:
    pictures = tuple(Still.of(image) for image in images_of(env))
    if isinstance(env, VIRLEnv):
        from verienv.virl.pictures.map import draw_map

        route, passed = env.route, env.passed
        return Scene(
            number,
            pictures,
            map=Still.of(draw_map(route, env.city, passed=passed, size=MAP_SIZE)),
            map_note=f"{passed} of {len(route.waypoints)} waypoints lie behind.",
            instructions=route.instructions,
            current=followed(route, passed),
            view=env.view,
            truth=env.waypoint.observation if pictures else "",
        )
    if isinstance(env, GeneralPointsEnv) and pictures:
        return Scene(number, pictures, truth=f"The cards are {', '.join(env.puzzle.ranks)}.")
    return Scene(number, pictures)


def followed(route: Route, passed: int) -> int | None:
    """Which instruction is due after ``passed`` waypoints, from 0; None if the route does not say.

    Of two equal sentences in a row, such as "Walk forward to the next intersection.", the first ends where streets
    cross.
    """
    way, told = route.waypoints[: passed + 1], route.instructions
    if way[0].sentence not in told:
        return None
    at = told.index(way[0].sentence)
    for before, here in pairwise(way):
        ends = before.move == "forward" and here.at_intersection and told[at + 1 : at + 2] == (here.sentence,)
        if here.sentence != told[at] or ends:
            if here.sentence not in told[at + 1 :]:
                return None
            at = told.index(here.sentence, at + 1)
    return at


def _settings(env: VerifiedEnv) -> dict[str, Any]:
    """The split, and the settings that are not the default, as JSON. Of a path the name alone: films are handed on."""
    config = env.config
    split = {"split": config.split} if hasattr(config, "split") else {}
    plain: dict[str, Any] = split | config.model_dump(mode="json", exclude_defaults=True)
    return {
        name: path.name if isinstance(path := getattr(config, name), Path) else value for name, value in plain.items()
    }
