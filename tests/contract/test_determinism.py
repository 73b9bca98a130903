"""A seed fixes an episode, in this process and in every other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from tests.contract.playing import CASES, Case, each_case, expert, mending, played, transcript

ROOT = Path(__file__).parents[2]


@each_case
def test_a_seed_deals_one_episode(case: Case) -> None:
    assert transcript(case) == transcript(case)


@each_case
def test_another_seed_deals_another_episode(case: Case) -> None:
    env = case.make()
    assert len({env.reset(seed=seed)[1]["instance"] for seed in range(5)}) > 1


def test_a_process_with_another_hash_seed_deals_the_same_episodes() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "tests.contract.playing"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "31337"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(out.stdout) == {case.env_id: transcript(case) for case in CASES}


@each_case
def test_the_next_instance_does_not_depend_on_what_was_answered(case: Case) -> None:
    met = []
    for player in (None, expert, mending):
        env = case.begun(seed=7)
        if player:
            played(env, player)
        met.append(env.reset()[0]["text"])
    assert len(set(met)) == 1


@each_case
def test_step_draws_nothing(case: Case) -> None:
    env = case.begun()
    before = env.np_random.bit_generator.state
    played(env, mending)
    assert env.np_random.bit_generator.state == before


@each_case
def test_dealing_changes_nothing_in_the_environment(case: Case) -> None:
    env = case.begun()
    before = env.episode
    assert env.deal(np.random.default_rng(1)) == env.deal(np.random.default_rng(1))
    assert env.episode is before


@each_case
def test_a_given_instance_is_dealt_alike_in_every_environment_and_draws_nothing(case: Case) -> None:
    env = case.begun(seed=3)
    instance, before = env.instance, env.np_random.bit_generator.state
    observation, _ = env.reset(options={"instance": instance})
    assert env.np_random.bit_generator.state == before
    other, _ = case.make().reset(options={"instance": instance})
    assert {name: np.asarray(part).tolist() for name, part in observation.items()} == {
        name: np.asarray(part).tolist() for name, part in other.items()
    }
