"""Recording an episode, attempt by attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from verienv.core.dialogue import images_of
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.registered import Own
from verienv.core.response import clean_response
from verienv.core.scene import Scene
from verienv.replay.replay import Frame, Picture, Replay, ShownQuestion

MOST_FRAMES = 200

Respond = Callable[[Episode], str | None]
"""Maps an episode with a question in play to the response; None ends the replay."""


def expert(episode: Episode) -> str:
    """Return the expert's response."""
    return episode.expert()


def record(
    played: Episode | VerifiedEnv,
    respond: Respond = expert,
    most: int = MOST_FRAMES,
    by: str = "the expert",
    env_id: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Replay:
    """Play from the question in play to the end of the episode.

    Args:
        played: an episode that is not over, or an environment in which one is in play; afterwards it stands where the
            replay ends.
        respond: asked once for each attempt; where it returns None the replay ends early.
        most: attempts, at least 1; a longer episode is cut off there.
        by: the player, in words.
        env_id: the environment's id; for an environment it is known.
        settings: the settings to show; for an environment they are known (``shown_settings``).

    Raises:
        ValueError: if ``most`` is out of range, or there was no response at all.
        ResetNeeded, RuntimeError: if no question is in play.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"most={most!r}: expected an integer of at least 1")
    episode = played if isinstance(played, Episode) else Episode.of(played)
    env = getattr(played, "unwrapped", None)
    if isinstance(env, VerifiedEnv):
        env_id = env_id or (env.spec.id if env.spec else type(env).__name__)
        settings = shown_settings(env) if settings is None else settings
    if episode.is_over:
        raise RuntimeError("the episode is over: begin another one to record it")
    deciding = episode.task.shape.key.field if episode.task.fields else ""
    frames: list[Frame] = []
    scene = Scene()
    while not episode.is_over and len(frames) < most and (response := respond(episode)) is not None:
        attempt, text = episode.question.attempt, episode.text
        if frames and attempt > 1:  # then the question is still the same
            shown = frames[-1].question
        else:
            scene = episode.task.scene(episode.question)
            shown = _shown(episode, scene, frames[-1].question.number + 1 if frames else 1)
        verdict = episode.answer(response)
        frames.append(Frame(shown, attempt, text, clean_response(response), verdict, deciding))
    if not frames:
        raise ValueError("a replay needs at least one response, and there was none")
    return Replay(
        env_id=env_id,
        instance=episode.question.instance,
        settings=settings or {},
        by=by,
        frames=tuple(frames),
        over=episode.is_over,
        success=episode.is_success,
        subject=scene.subject,
        attribution=scene.attribution,
    )


def _shown(episode: Episode, scene: Scene, number: int) -> ShownQuestion:
    pictures = tuple(Picture.of(image) for image in images_of(episode.pictures))
    drawn = Picture.of(scene.map) if scene.map else None
    return ShownQuestion(number, pictures, replace(scene, map=None), drawn, episode.question.wording.system_prompt)


def shown_settings(env: VerifiedEnv) -> dict[str, Any]:
    """Return the split, and the settings that are not the default, as JSON.

    A path is shown by its name alone: replays are handed on. So is an object of the user's own, registered or not.
    """
    config = env.config
    own = {name: chosen for name in type(config).model_fields if isinstance(chosen := getattr(config, name), Own)}
    plain: dict[str, Any] = {"split": config.split}
    plain |= config.model_dump(mode="json", exclude_defaults=True, exclude=set(own))
    plain |= {name: chosen.title for name, chosen in own.items()}
    return {
        name: path.name if isinstance(path := getattr(config, name), Path) else value for name, value in plain.items()
    }
