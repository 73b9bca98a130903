"""A dozen statements join every task to a library: ``glue/`` holds the glue, ``libraries/`` stand-ins of the libraries.

Each glue is driven over whole episodes of every task by a model that answers as the expert, wrongly, or first so and
then so, and pays what the environment pays.
"""

import ast
import asyncio
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from tests.contract import glue as package
from tests.contract.glue import inspect_ai, openai, openenv, reasoning_gym, skyrl_gym, verifiers
from tests.contract.libraries import inspect_ai as inspect_library
from tests.contract.libraries import openenv as openenv_library
from tests.contract.libraries import reasoning_gym as reasoning_library
from tests.contract.libraries import skyrl_gym as skyrl_library
from tests.contract.libraries import verifiers as verifiers_library
from tests.contract.libraries.openai import OpenAI
from tests.contract.playing import Case, each_case, each_player, script

import verienv
from verienv.core.dialogue import parts_of

MOST = 12
EPISODES = 2


class Model:
    """Says what a player would, and keeps what it was asked."""

    def __init__(self, case: Case, player: Any, split: str) -> None:
        scripts = [script(row, player) for row in verienv.rows(case.env_id, split, n=EPISODES, **case.settings)]
        self.paid = [rewards for _, rewards in scripts]
        self.asked = list[list[dict[str, Any]]]()
        self._left = [response for responses, _ in scripts for response in responses]

    def __call__(self, messages: list[dict[str, Any]]) -> str:
        self.asked.append(messages)
        return self._left.pop(0)

    @property
    def sums(self) -> list[float]:
        return [sum(rewards) for rewards in self.paid]

    def saw_all(self, vision: bool) -> bool:
        """Whether the last words that it was asked were the user's, and with pictures where there are some."""
        opened = [parts_of(messages[0]) for messages in self.asked]
        return (
            not self._left
            and all(messages[-1]["role"] == "user" for messages in self.asked)
            and all(any("image" in part["type"] for part in parts) == vision for parts in opened)
        )


@each_case
@each_player
def test_verifiers(case: Case, player: Any) -> None:
    model = Model(case, player, "train")
    config = verifiers.EpisodesConfig(env_id=case.env_id, n=EPISODES, settings=case.settings)
    env, agents = verifiers.EpisodeEnv(verifiers.EpisodeEnvConfig()), verifiers_library.Agents(model)
    for task in verifiers.Episodes(config).load():
        assert asyncio.run(task.validate(None))
        asyncio.run(env.run(task, agents))
    traces = [interaction.trace for interaction in agents.interactions]
    assert [trace.rewards["reward"] for trace in traces] == model.sums
    assert model.saw_all(case.vision)


@each_case
@each_player
def test_inspect_ai(case: Case, player: Any) -> None:
    model = Model(case, player, "test")
    found = inspect_library.eval(inspect_ai.verienv(case.env_id, n=EPISODES, **case.settings), model)
    assert [score.value for _, score in found] == model.sums
    assert model.saw_all(case.vision)


@each_case
@each_player
def test_skyrl_gym(case: Case, player: Any) -> None:
    model = Model(case, player, "train")
    found = [skyrl_library.rollout(row, model) for row in skyrl_gym.dataset(case.env_id, n=EPISODES, **case.settings)]
    assert [rewards for rewards, _ in found] == model.paid
    assert model.saw_all(case.vision)


@each_case
@each_player
def test_openenv(case: Case, player: Any) -> None:
    model = Model(case, player, "train")
    client = openenv_library.Client(
        lambda: openenv.EpisodeEnvironment(case.env_id, **case.settings), openenv.Answer, openenv.Dialogue
    )
    for index, paid in enumerate(model.paid):
        rewards, observation = list[float](), client.reset(split="train", index=index)
        while not observation["done"]:
            observation = client.step(response=model(observation["messages"]))
            rewards.append(observation["reward"])
        assert rewards == paid
        assert client.state()["step_count"] == len(paid)
    assert model.saw_all(case.vision)


@each_case
@each_player
def test_reasoning_gym(case: Case, player: Any) -> None:
    if case.vision:
        pytest.skip("reasoning-gym asks in words alone")
    dataset = reasoning_library.create_dataset("verienv", env_id=case.env_id, settings=case.settings, size=12)
    assert isinstance(dataset, reasoning_gym.Questions)
    for entry in dataset:
        row = entry["metadata"]
        env: Any = gym.make(case.full_id, **case.settings).unwrapped
        env.reset(seed=row["seed"])
        for _ in range(row["step"]):
            env.step(env.expert_response())
        assert entry["question"] == env.messages[-1]["content"]
        response = player(env.episode)
        assert dataset.score_answer(response, entry) == env.step(response)[1]
        assert dataset.score_answer(entry["answer"], entry) == env.best_reward


@each_case
@each_player
def test_a_bare_client_of_openai(case: Case, player: Any) -> None:
    model = Model(case, player, "test")
    found = openai.scores(OpenAI(model), "model", case.env_id, n=EPISODES, **case.settings)
    assert [score["reward"] for score in found] == model.sums
    assert model.saw_all(case.vision)


GLUE = sorted(Path(package.__path__[0]).glob("*.py"))


def test_every_library_has_its_glue() -> None:
    names = {"verifiers", "inspect_ai", "skyrl_gym", "openenv", "reasoning_gym", "openai"}
    assert {path.stem for path in GLUE} == names


@pytest.mark.parametrize("path", GLUE, ids=lambda path: path.stem)
def test_the_glue_has_at_most_twelve_statements(path: Path) -> None:
    assert 1 <= len(statements(ast.parse(path.read_text("utf-8")))) <= MOST


def statements(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a glue: all but imports, docstrings, and what the library demands to be declared.

    Declared are classes, their fields and methods, and decorated functions with the function that they hold and return.
    A function of the glue's own counts.
    """
    demanded = set[ast.AST]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            demanded |= {node, *(part for part in node.body if not isinstance(part, ast.Expr))}
        elif isinstance(node, ast.FunctionDef) and node.decorator_list:
            inner = {part.name: part for part in node.body if isinstance(part, ast.AsyncFunctionDef)}
            given = [part for part in node.body if isinstance(part, ast.Return) and ast.unparse(part)[7:] in inner]
            demanded |= {node, *inner.values(), *given}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        and node not in demanded
        and not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def test_statements_are_counted() -> None:
    tree = ast.parse(
        '"""Doc."""\nimport a\nclass B:\n    c: int = 1\n    def d(self):\n        """Doc."""\n        e()\n\nf()'
    )
    assert [ast.unparse(node) for node in statements(tree)] == ["f()", "e()"]
