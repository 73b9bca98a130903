"""Forty rows and their answers earn the same rewards through every adapter.

Libraries that are not installed here play the same rows under ``tests/integrations``.
"""

import asyncio
import json
import sys
from types import ModuleType, SimpleNamespace

import gymnasium as gym
import pytest
from tests.contract.libraries import openenv as openenv_library
from tests.contract.libraries import verifiers as verifiers_library
from tests.contract.libraries import verl as verl_library
from tests.integrations.scripts.forty_rows import COUNT, KINDS, SEED, SETTINGS, SPLIT, Played, forty

import verienv
from verienv import Episode
from verienv.adapters import lm_eval, openai, trl, verl, verl_loop
from verienv.adapters.inspect_samples import sample, scored
from verienv.adapters.openenv_environment import environment_classes
from verienv.adapters.openenv_served import Offer
from verienv.adapters.verifiers import environment

HANDS = [5.0, 4.0, -3.0, -9.0, 5.0, 4.0, -3.0, -9.0, 5.0, 4.0]
PICTURED = [5.0, 4.0, -3.0, -13.5, 5.0, 4.0, -3.0, -13.5, 5.0, 4.0]
ROUTES = [7.0, 0.0, -2.0, -3.0, 7.0, 0.0, -2.0, -3.0, 5.0, 0.0]
EARNED = dict(zip(SETTINGS, (HANDS, PICTURED, ROUTES, ROUTES), strict=True))
"""The rewards of whole episodes, as the paper's prices make them."""

each_id = pytest.mark.parametrize("env_id", SETTINGS)
each_id_drawn = pytest.mark.parametrize(
    ("env_id", "count"),
    [
        *((env_id, len(KINDS) if "VIRL-VL" in env_id else COUNT) for env_id in SETTINGS),
        pytest.param("verienv/VIRL-VL-v0", COUNT, marks=pytest.mark.slow),
    ],
)
"""The ids for tests that draw pictures, of which views take time."""


def of(env_id: str) -> list[Played]:
    return [each for each in forty() if each.env_id == env_id]


@each_id
def test_an_episode_earns_what_the_prices_say(env_id):
    assert [each.reward for each in of(env_id)] == EARNED[env_id]


@each_id_drawn
def test_gym_make(env_id, count):
    env = gym.make(env_id, split=SPLIT, **SETTINGS[env_id])
    for each in of(env_id)[:count]:
        env.reset(seed=each.row["seed"])
        steps = [env.step(answer) for answer in each.said]
        assert tuple(step[1] for step in steps) == each.paid
        assert [step[2] for step in steps] == [False] * (len(steps) - 1) + [True]


@each_id
def test_rows_judge_and_reward_functions(env_id):
    for each in of(env_id):
        pairs = list(zip(each.asked, each.said, strict=True))
        assert tuple(verienv.judge(row, answer).reward for row, answer in pairs) == each.paid
        columns = {name: [row[name] for row in each.asked] for name in each.asked[0]}
        assert tuple(trl.reward(columns.pop("prompt"), each.said, **columns)) == each.paid
        truths = [(json.dumps({**row, "prompt": None}), answer) for row, answer in pairs]
        assert tuple(verl.compute_score("", answer, truth)["score"] for truth, answer in truths) == each.paid
        documents = [(lm_eval.document(row), answer) for row, answer in pairs]
        assert tuple(lm_eval.process_results(doc, [answer])["reward"] for doc, answer in documents) == each.paid


@each_id
def test_a_client_of_openai(env_id):
    for each in of(env_id):
        episode, left = Episode.of(json.loads(json.dumps(each.row))), list(each.said)
        while not episode.is_over:
            episode.answer(openai.response({"role": "assistant", "content": left.pop(0)}, episode))
        assert not left
        assert tuple(verdict.reward for verdict in episode.verdicts) == each.paid


@each_id_drawn
def test_the_scores_of_inspect(env_id, count):
    for each in of(env_id)[:count]:
        metrics, _ = scored(sample(each.row)["metadata"], each.said)
        assert metrics["reward"] == each.reward


@each_id_drawn
def test_the_tools_of_trl(env_id, count):
    processor = SimpleNamespace(image_token="<image>", apply_chat_template=lambda *_, **__: "<image>")
    made = trl.environments(processor=processor)
    for each in of(env_id)[:count]:
        episode = made["virl" if "VIRL" in env_id else "generalpoints"]()
        episode.reset(**each.row)
        for answer in each.said:
            fields = list(json.loads(answer).values()) if each.kind != "unreadable" else ["", "", answer]
            (episode.act if "VIRL" in env_id else episode.answer)(*fields)
        assert episode.get_reward() == each.reward


@each_id_drawn
def test_verifiers(env_id, count, monkeypatch):
    monkeypatch.setitem(sys.modules, "verifiers", SimpleNamespace(v1=verifiers_library))
    monkeypatch.setitem(sys.modules, "verifiers.v1", verifiers_library)
    taskset, env = environment(env_id)
    config = taskset.__orig_bases__[0].__args__[1](split=SPLIT, n=count, seed=SEED, settings=SETTINGS[env_id])
    player = env(env.__orig_bases__[0].__args__[0](taskset=config))
    for each, task in zip(of(env_id), taskset(config).load(), strict=False):
        left = list(each.said)
        agents = verifiers_library.Agents(lambda _, left=left: left.pop(0))
        asyncio.run(player.run(task, agents))
        assert agents.interactions[-1].trace.rewards == {"reward": each.reward}


@each_id_drawn
def test_openenv(env_id, count, monkeypatch):
    for name in ("openenv", "openenv.core", "openenv.core.env_server"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name in ("interfaces", "types"):
        monkeypatch.setitem(sys.modules, f"openenv.core.env_server.{name}", openenv_library)
    environment_classes.cache_clear()
    answer, dialogue, session = environment_classes()
    environment_classes.cache_clear()
    offer = Offer(env_id, COUNT, **SETTINGS[env_id])
    there = openenv_library.Client(lambda: session(offer), answer, dialogue)
    for each in of(env_id)[:count]:
        there.reset(split=SPLIT, index=each.index, seed=SEED)
        told = [there.step(response=said) for said in each.said]
        assert tuple(step["reward"] for step in told) == each.paid
        assert told[-1]["metadata"]["reward"] == each.reward


@each_id_drawn
def test_the_agent_loop_of_verl(env_id, count, monkeypatch):
    for name, module in verl_library.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    verl_loop._loop_class.cache_clear()
    tokenizer = verl_library.Tokenizer()
    rows = verl.rows(env_id, SPLIT, count, SEED, episodes=True, **SETTINGS[env_id])
    for each, row in zip(of(env_id), rows, strict=False):
        left = list(each.said)

        async def generate(left=left, **_):
            return verl_library.TokenOutput([*map(ord, left.pop(0)), tokenizer.eos_token_id], None, extra_fields={})

        loop = verl_loop.episode_loop(
            config=SimpleNamespace(prompt_length=10**6, response_length=10**6),
            server_manager=SimpleNamespace(generate=generate),
            tokenizer=tokenizer,
            processor=tokenizer if "images" in row else None,
            tools=None,
            name="verienv",
        )
        output = asyncio.run(loop.run({"temperature": 1.0}, **row))
        assert not left
        assert tuple(output.extra_fields["turn_scores"]) == each.paid
        assert output.reward_score == each.reward
    verl_loop._loop_class.cache_clear()
