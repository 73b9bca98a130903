"""Playing in the terminal: a person in the policy's place, with the real feedback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from verienv.cli.pictures import save_map, save_picture
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode

HELP = ("?", "h", "help", "help()", "/help", "--help")


def play(
    env: VerifiedEnv,
    seed: int | None,
    read: Callable[[], str],
    write: Callable[[str], None],
    image: Path | None = None,
    map_file: Path | None = None,
) -> None:
    """Deal and judge until ``read`` returns "q" or raises EOFError, as at the end of input.

    The picture of each question goes to ``image``, in place of the one before, or to a folder that is gone after the
    game. The map of a route goes to ``map_file``, drawn anew after each step.
    """
    task, noun = env.task, env.task.noun
    dealt = solved = 0
    total = 0.0
    own_folder = TemporaryDirectory(prefix="verienv-") if env.vision and not image else nullcontext("")
    with own_folder as folder:
        try:
            while True:
                observation, _ = env.reset(seed=seed if not dealt else None)
                if not dealt:
                    write(_help(env))
                dealt += 1
                write(f"\n{observation['text']}")
                path = (image or Path(folder, f"{noun}-{dealt}.png")) if env.vision else None
                if path:
                    save_picture(env.episode, path)
                    write(f"The picture is {path}")
                rewards, success = _episode(env, read, write, path, map_file)
                solved, total = solved + success, total + rewards
        except _Quit as quitting:
            total += quitting.reward
    played = noun if dealt == 1 else f"{noun}s"
    write(f"{solved} of {dealt} {played} {task.solved}, total reward {total:g}.")


def _help(env: VerifiedEnv) -> str:
    return f"{env.task.help(env.question)} '?' says this again."


class _Quit(Exception):
    def __init__(self, reward: float) -> None:
        self.reward = reward


def _episode(
    env: VerifiedEnv, read: Callable[[], str], write: Callable[[str], None], image: Path | None, map_file: Path | None
) -> tuple[float, bool]:
    """Play one episode; return the sum of its rewards and whether it was solved."""
    total = 0.0
    while True:
        if map_file:
            save_map(env.episode, map_file)
        try:
            typed = read().strip()
            while not typed:
                typed = read().strip()
        except EOFError:
            write("")
            raise _Quit(total) from None
        if typed.lower() in ("q", "quit", "exit"):
            raise _Quit(total)
        if typed.lower() in HELP:
            write(_help(env))
            continue
        if typed.lower() in ("give up", "giveup"):
            return _reveal(env, total, write)
        _, reward, over, _, info = env.step(_response(env, typed))
        total += float(reward)
        write(f"{info['feedback']} Reward {reward:+g}.")
        if over:
            break
        if image and env.question.attempt == 1:
            save_picture(env.episode, image)
        write(_news(env.episode, info["feedback"]))
    return (total, True) if info["is_success"] else _reveal(env, total, write)


def _response(env: VerifiedEnv, typed: str) -> str:
    """Return a person's text as a response: itself, in an answer format of one's own that only reads."""
    try:
        return env.task.typed(env.question, typed)
    except ValueError:
        return typed


def _news(episode: Episode, feedback: str) -> str:
    """Return the part of the dialogue that is new to a person: the attempt that is due, or a further question."""
    if episode.question.attempt == 1:
        return f"\n{episode.task.news(episode.question)}"
    return str(episode.messages[-1]["content"]).removeprefix(feedback).strip()


def _reveal(env: VerifiedEnv, total: float, write: Callable[[str], None]) -> tuple[float, bool]:
    for line in env.task.revealed(env.question):
        write(line)
    return total, False
