"""Playing in the terminal: a person in the policy's place, with the real feedback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from verienv.arithmetic.solver import solutions
from verienv.cli.pictures import save_map, save_picture
from verienv.core.env import VerifiedEnv
from verienv.generalpoints.answers import write_answer as write_formula
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.virl.actions import WORDS, action_space
from verienv.virl.answers import write_answer as write_action
from verienv.virl.env import VIRLEnv

HELP = "Type a formula such as (1+2)*(3+5), or a whole JSON answer; 'give up' for the solutions, 'q' to quit."
HELP_ON_A_ROUTE = (
    "Type an action such as forward(), or a word of it such as {word}, or a whole JSON answer; 'give up' for the "
    "expert's action, 'q' to quit."
)

BY_SIGHT = "A bare formula is judged as if you had read the cards right, a JSON answer with the cards it names."


def play(
    env: VerifiedEnv,
    seed: int | None,
    read: Callable[[], str],
    write: Callable[[str], None],
    image: Path | None = None,
    map_file: Path | None = None,
) -> None:
    """Deal and judge until ``read`` returns "q" or raises EOFError.

    The picture of each question goes to ``image``, in place of the one before, or to a folder that is gone after the
    game. The map of a route goes to ``map_file``, drawn anew after each step.
    """
    write(HELP_ON_A_ROUTE.format(word=WORDS[env.config.actions][0]) if isinstance(env, VIRLEnv) else HELP)
    if env.perception:
        write(BY_SIGHT)
    noun = "route" if isinstance(env, VIRLEnv) else "hand"
    dealt = solved = 0
    total = 0.0
    own_folder = TemporaryDirectory(prefix="verienv-") if env.is_seen and not image else nullcontext("")
    with own_folder as folder:
        try:
            while True:
                observation, _ = env.reset(seed=seed if not dealt else None)
                dealt += 1
                write(f"\n{observation['text']}")
                path = (image or Path(folder, f"{noun}-{dealt}.png")) if env.is_seen else None
                if path:
                    save_picture(env, path)
                    write(f"The picture is {path}")
                rewards, success = _episode(env, read, write, path, map_file)
                solved, total = solved + success, total + rewards
        except EOFError:
            write("")
        except _Quit as quitting:
            total += quitting.reward
    played = noun if dealt == 1 else f"{noun}s"
    write(f"{solved} of {dealt} {played} {'walked' if noun == 'route' else 'solved'}, total reward {total:g}.")


class _Quit(Exception):
    def __init__(self, reward: float) -> None:
        self.reward = reward


def _episode(
    env: VerifiedEnv, read: Callable[[], str], write: Callable[[str], None], image: Path | None, map_file: Path | None
) -> tuple[float, bool]:
    """One episode; the sum of its rewards and whether it was solved."""
    total = 0.0
    while True:
        if map_file and isinstance(env, VIRLEnv):
            save_map(env, map_file)
        typed = read().strip()
        while not typed:
            typed = read().strip()
        if typed.lower() in ("q", "quit", "exit"):
            raise _Quit(total)
        if typed.lower() in ("give up", "giveup"):
            return _reveal(env, total, write)
        _, reward, over, _, info = env.step(response_of(env, typed))
        total += float(reward)
        write(f"{info['feedback']} Reward {reward:+g}.")
        if over:
            break
        if image and info["is_correct"]:
            save_picture(env, image)
        write(_news(env, info["messages"][-1]["content"], info["feedback"]))
    return (total, True) if info["is_success"] else _reveal(env, total, write)


def _news(env: VerifiedEnv, told: object, feedback: str) -> str:
    """What a person has not been told yet: on a route, what is seen at the next waypoint."""
    if isinstance(env, VIRLEnv) and env.verdict and env.verdict.is_correct:
        return f"\nNow: {env.view}"
    return str(told).removeprefix(feedback).strip()


def _reveal(env: VerifiedEnv, total: float, write: Callable[[str], None]) -> tuple[float, bool]:
    for line in revealed(env):
        write(line)
    return total, False


def response_of(env: VerifiedEnv, typed: str) -> str:
    """What a person typed, as a response: a bare formula or action becomes the JSON answer around it, the rest true."""
    if isinstance(env, GeneralPointsEnv) and "formula" not in typed:
        return write_formula(env.puzzle, typed)
    if isinstance(env, VIRLEnv) and "{" not in typed:
        legal = action_space(env.config.actions)
        words = {re.sub(r"turn_direction\(|[()]", "", action): action for action in legal}  # north, forward, stop
        action = words.get(" ".join(typed.lower().split()), typed)
        return write_action(env.waypoint, env.config.actions, action=action)
    return typed


def revealed(env: VerifiedEnv) -> Iterator[str]:
    """The solutions of the instance in play, line by line."""
    if isinstance(env, VIRLEnv):
        yield f"The expert's action here is  {env.waypoint.action(env.config.actions)}"
        return
    if not isinstance(env, GeneralPointsEnv):
        yield f"The expert says: {env.expert_response()}"
        return
    if env.perception:
        yield f"The cards are  {' '.join(env.puzzle.cards)}"
    found = [expression.minimal() for expression in solutions(env.puzzle.values, env.puzzle.target)]
    yield f"{'The solution is' if len(found) == 1 else f'The {len(found)} solutions are'}  {'   '.join(found)}"
