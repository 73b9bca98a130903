"""The list that the contract tests run over, and players that know no task.

Run as a program it prints the transcripts of all cases, for a comparison with those of another process.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv import Episode, Question, Task, VerifiedEnv
from verienv.core import registered, tasks

EXAMPLES = Path(__file__).parents[2] / "examples"
OUTSIDE = {"mine/Countdown-v0": "countdown", "mine/WordProblem-v0": "word_problem"}
"""The environments of examples, which verienv does not bring, and their task."""
MODULES = {"mine/Countdown-v0": "my_task", "mine/WordProblem-v0": "my_word_problem"}
"""The module that registers each of them."""

SMALL = {"image_size": 96, "view_size": 64, "turns": [1, 2], "spacing": 100.0}
"""Settings, where a task has them, that make episodes quick: small pictures, short routes."""

VARIED = {
    "prompt": "diverse",
    "rule": {"J": 5, "Q": 6, "K": 7},
    "actions": "relative",
    "directions": "landmarks",
    "history": "own",
    "junction_hint": True,
    "rewards": {"base": "paper", "correct": 2.5},
    "strict": True,
    "reasoning_tags": ["[THINK]", "[/THINK]"],
    "attempts": 7,
}
"""Settings that are not the default, where a task has them: a row must hold them all."""


TEMPLATES = {
    "generalpoints": "{attempts}\nMake {target} from {cards}. {rule}. {{Use each once.}} {format}",
    "virl": "{format} {actions}\n{attempts}\n{instructions}\n{history}\n{view}",
}
FIELDS = {"generalpoints": "tags+cards+number", "virl": "tags+observation+instruction"}
WORDINGS: dict[str, dict[str, Any]] = {
    "template": {
        "prompt": "TEMPLATE",
        "answer_format": "FIELDS",
        "system_prompt": "Be brief.",
        "feedback": {"unreadable": "Nothing can be read.", "wrong": "Not so.", "correct": "So it is."},
    },
    "diverse": {"prompt": "diverse", "answer_format": "boxed", "think_first": True, "attempts": 3},
    "functions": {
        "prompt": "contract:slots",
        "answer_format": "line",
        "feedback": "contract:length",
        "rewards": "contract:halves",
    },
    "own format": {
        "answer_format": "contract:arrow",
        "system_prompt": "Think in brackets.",
        "reasoning_tags": ["[THINK]", "[/THINK]"],
        "feedback": "none",
    },
}
"""Wordings, answer formats, feedback and rewards together; TEMPLATE and FIELDS are those of the task."""


class Arrow:
    """Answers behind an arrow."""

    instruction = "Write -> and the answer, on a line of its own."

    def read(self, response: str) -> str | None:
        _, arrow, answer = response.rpartition("-> ")
        return answer.partition("\n")[0] if arrow else None

    def write(self, fields: dict[str, Any]) -> str:
        return f"-> {fields.get('formula', fields.get('action'))}"


ARROW = Arrow()


def _slots_in_lines(slots: Any) -> str:
    return "\n".join(f"{name}: {text}" for name, text in slots.items())


def _length(verdict: verienv.Verdict, told: str) -> str:
    return f"{verdict.failure or 'right'}, after {len(told)} characters"


def _halves(verdict: verienv.Verdict) -> float:
    return 2.0 if verdict.is_correct else -0.5 * (1 + bool(verdict.answer))


@dataclass(frozen=True)
class Case:
    """One environment of one task."""

    task_name: str
    env_id: str
    settings: dict[str, Any] = field(hash=False)
    wording: str = ""

    @property
    def full_id(self) -> str:
        """The id, with the module that registers it where that is none of verienv's."""
        return f"{MODULES[self.env_id]}:{self.env_id}" if self.env_id in MODULES else self.env_id

    def make(self, **settings: Any) -> VerifiedEnv:
        return gym.make(self.full_id, **{**self.settings, **settings}).unwrapped  # type: ignore[return-value]

    def begun(self, seed: int = 0, **settings: Any) -> VerifiedEnv:
        """Make an environment in which an episode is in play."""
        env = self.make(**settings)
        env.reset(seed=seed)
        return env

    def rows(self, n: int = 2, **rest: Any) -> list[dict[str, Any]]:
        return verienv.rows(self.env_id, n=n, **{**self.settings, **rest})

    def varied(self) -> "Case":
        """The environment with other settings than the default."""
        return replace(self, settings={**self.settings, **_known(VARIED, self.task, self.env_id)})

    @property
    def task(self) -> Task:
        return tasks.named(self.task_name)

    @property
    def vision(self) -> bool:
        return "image" in self.make().observation_space.spaces  # type: ignore[attr-defined]


def _known(settings: dict[str, Any], task: Task, env_id: str) -> dict[str, Any]:
    fields = task.environment_class(env_id).settings.model_fields
    return {name: value for name, value in settings.items() if name in fields}


CASES = [
    *(Case(task.name, env_id, _known(SMALL, task, env_id)) for task in tasks.every() for env_id in task.environments),
    *(Case(name, env_id, {}) for env_id, name in OUTSIDE.items()),
]


def _worded(case: Case, wording: str) -> Case:
    own = {"TEMPLATE": TEMPLATES, "FIELDS": FIELDS}
    chosen = {
        name: own[value][case.task_name] if isinstance(value, str) and value in own else value
        for name, value in WORDINGS[wording].items()
    }
    return replace(case, settings={**case.settings, **chosen}, wording=wording)


WORDED = [
    _worded(case, wording)
    for case in CASES
    if case.task_name in TEMPLATES
    for wording in (list(WORDINGS) if "-L-" in case.env_id else ["template", "functions"])
]
"""Each environment of verienv's in several wordings: in words in all, with pictures in two."""
ONE_OF_EACH = list({case.task_name: case for case in reversed(CASES)}.values())
"""One environment of each task, the first."""

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.env_id)
each_wording = pytest.mark.parametrize(
    "case", [*CASES, *WORDED], ids=lambda case: case.env_id + f" {case.wording}" * bool(case.wording)
)
each_task = pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda case: case.task_name)


@contextmanager
def outside_tasks() -> Iterator[None]:
    """Have the tasks from outside on the list; afterwards it is as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        patch.setattr(tasks, "_listed", dict(tasks._listed))
        patch.setattr(registered, "_objects", {kind: dict(known) for kind, known in registered._objects.items()})
        verienv.register_prompt("contract:slots", _slots_in_lines)
        verienv.register_format("contract:arrow", ARROW)
        verienv.register_feedback("contract:length", _length)
        verienv.register_rewards("contract:halves", _halves)
        for module in MODULES.values():
            import_module(module)
        yield
    for module in MODULES.values():
        del sys.modules[module]
    for env_id in OUTSIDE:
        del gym.registry[env_id]


Player = Callable[[Episode], str]


def expert(episode: Episode) -> str:
    """Answer as the expert does."""
    return episode.expert()


def mistaken(question: Question, failures: tuple[str, ...], seed: int = 0) -> str:
    """Write a response that fails, in a way that depends on the attempt."""
    rng = np.random.default_rng([seed, question.attempt])
    at = question.attempt % len(failures)
    texts = (question.wrong(failure, rng) for failure in failures[at:] + failures[:at])
    return next(text for text in texts if text is not None)


def wrong(episode: Episode) -> str:
    """Answer wrongly, each time in another way."""
    return mistaken(episode.question, episode.measures.failures)


def mending(episode: Episode) -> str:
    """Answer wrongly first, where there is a second attempt, and then as the expert does."""
    question = episode.question
    return wrong(episode) if question.attempt == 1 and question.attempts > 1 else episode.expert()


PLAYERS: dict[str, Player] = {"expert": expert, "wrong": wrong, "mending": mending}
each_player = pytest.mark.parametrize("player", PLAYERS.values(), ids=PLAYERS)


def played(env: VerifiedEnv, player: Player) -> list[tuple[str, dict[str, Any], float, bool, dict[str, Any]]]:
    """Play the episode in play to its end: each response, and what ``step`` returned."""
    steps, over = [], False
    while not over:
        response = player(env.episode)
        observation, reward, over, _, info = env.step(response)
        steps.append((response, observation, float(reward), over, info))
    return steps


def script(row: dict[str, Any], player: Player) -> tuple[list[str], list[float]]:
    """Return what a player says in the episode of a row, and what the environment pays for it."""
    env = gym.make(row["env_id"], **json.loads(row["settings"])).unwrapped
    env.reset(seed=row["seed"])
    steps = played(env, player)  # type: ignore[arg-type]
    return [step[0] for step in steps], [step[2] for step in steps]


def transcript(case: Case) -> str:
    """A digest of episodes with all that is seen, said and paid in them."""
    digest, env = sha256(), case.make()
    for episode in range(2):
        told = [env.reset(seed=5 if episode == 0 else None)]
        for response, *outcome in played(env, mending):
            told.append((response, outcome))
        for part in _flat(told):
            digest.update(part)
    return digest.hexdigest()


def _flat(told: Any) -> Iterator[bytes]:
    if isinstance(told, np.ndarray):
        yield told.tobytes()
    elif isinstance(told, dict):
        yield from _flat(list(told.items()))
    elif isinstance(told, list | tuple):
        for part in told:
            yield from _flat(part)
    else:
        yield repr(told).encode()


if __name__ == "__main__":
    with outside_tasks():
        print(json.dumps({case.env_id: transcript(case) for case in CASES}))
