"""Playing in the terminal: a person in the policy's place, with the real feedback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from verienv.cli.pictures import save_picture
from verienv.core.env import VerifiedEnv
from verienv.generalpoints.answers import write_answer
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.solver import solutions

HELP = "Type a formula such as (1+2)*(3+5), or a whole JSON answer; 'give up' for the solutions, 'q' to quit."

BY_SIGHT = "A bare formula is judged as if you had read the cards right, a JSON answer with the cards it names."


def play(
    env: VerifiedEnv,
    seed: int | None,
    read: Callable[[], str],
    write: Callable[[str], None],
    image: Path | None = None,
) -> None:
    """Deal and judge until ``read`` returns "q" or raises EOFError.

    The picture of each hand goes to ``image``, in place of the one before, or to a folder that is gone after the game.
    """
    write(HELP)
    if env.perception:
        write(BY_SIGHT)
    dealt = solved = 0
    total = 0.0
    own_folder = TemporaryDirectory(prefix="verienv-") if env.perception and not image else nullcontext("")
    with own_folder as folder:
        try:
            while True:
                observation, _ = env.reset(seed=seed if not dealt else None)
                dealt += 1
                write(f"\n{observation['text']}")
                if env.perception:
                    path = image or Path(folder, f"hand-{dealt}.png")
                    save_picture(env, path)
                    write(f"The picture is {path}")
                rewards, success = _episode(env, read, write)
                solved, total = solved + success, total + rewards
        except EOFError:
            write("")
        except _Quit as quitting:
            total += quitting.reward
    played = "hand" if dealt == 1 else "hands"
    write(f"{solved} of {dealt} {played} solved, total reward {total:g}.")


class _Quit(Exception):
    def __init__(self, reward: float) -> None:
        self.reward = reward


def _episode(env: VerifiedEnv, read: Callable[[], str], write: Callable[[str], None]) -> tuple[float, bool]:
    """One episode; the sum of its rewards and whether it was solved."""
    total = 0.0
    while True:
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
        write(str(info["messages"][-1]["content"]).removeprefix(info["feedback"]).strip())
    return (total, True) if info["is_success"] else _reveal(env, total, write)


def _reveal(env: VerifiedEnv, total: float, write: Callable[[str], None]) -> tuple[float, bool]:
    for line in revealed(env):
        write(line)
    return total, False


def response_of(env: VerifiedEnv, typed: str) -> str:
    """What a person typed, as a response: a bare formula becomes the JSON answer around it, with the true cards."""
    if isinstance(env, GeneralPointsEnv) and "formula" not in typed:
        return write_answer(env.puzzle, typed)
    return typed


def revealed(env: VerifiedEnv) -> Iterator[str]:
    """The solutions of the instance in play, line by line."""
    if not isinstance(env, GeneralPointsEnv):
        yield f"The expert says: {env.expert_response()}"
        return
    if env.perception:
        yield f"The cards are  {' '.join(env.puzzle.cards)}"
    found = [expression.minimal() for expression in solutions(env.puzzle.values, env.puzzle.target)]
    yield f"{'The solution is' if len(found) == 1 else f'The {len(found)} solutions are'}  {'   '.join(found)}"
