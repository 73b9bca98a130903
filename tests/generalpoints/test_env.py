"""GeneralPoints as an environment: its contracts, for every split and every notable setting."""

import json
import re
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import verienv  # noqa: F401 - registers the ids
from verienv.core.spaces import PRINTABLE
from verienv.generalpoints import SPLITS, Dealing, Puzzle, solutions, verify
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.sampler import hands, sampler_for

ENV_ID = "verienv/GeneralPoints-L-v0"
PROBE = {"rule": "rank", "stated_rule": "ten", "side": "test"}
SETTINGS: list[dict[str, Any]] = [
    *({"split": split} for split in SPLITS),
    {"split": "rule_ood", "side": "train"},
    {"side": "all", "rule": {"J": 5, "Q": 6, "K": 7}, "target": 36},
    {"sampling": "iid", "face_cards": "force", "suits": "red"},
    {"cards": 3, "suits": "black", "prompt": "diverse"},
    {"cards": 5, "rewards": "binary_format", "attempts": 1},
    {"attempts": 64, "strict": True, "rewards": {"base": "paper", "correct": 2.5}},
    PROBE,
]
HOSTILE = [
    "", "}", '{"formula": ', '{"formula": null}', '{"formula": 24}', '{"formula": "24"}',
    '{"formula": "HOSTILE*WORDS"}',
    '{"formula": "1/(1-1)"}', '{"formula": "999999*999999*999999*999999"}', '{"formula": "4*6=999"}', "\x00\x1b[2J",
    "\ud800{\"formula\": \"\ud800\"}", "\u202e24", '{"formula": "' + "(" * 5000 + '"}', "HOSTILE WORDS " * 1000,
    '{"cards": "HOSTILE", "number": {"HOSTILE": 1}, "formula": ["HOSTILE"]}', '{"formula": "９*９"}',
]  # fmt: skip


def make(**settings: Any) -> GeneralPointsEnv:
    return GeneralPointsEnv(**settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(gym.make(ENV_ID, **settings).unwrapped)  # any warning is an error in these tests


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_episodes_of_experts_and_of_hostile_policies_keep_every_contract(settings: dict[str, Any]) -> None:
    env = make(**settings)
    for episode in range(12):
        observation, info = env.reset(seed=episode)
        best = env.best_reward
        assert best == env.config.rewards.correct
        types = {key: type(value) for key, value in info.items()}
        assert type(None) not in types.values()
        asked, over, attempt = env.instance, False, 0
        while not over:
            answer = (
                env.expert_response()
                if episode % 3 == 0 and attempt == 2
                else HOSTILE[(episode + attempt) % len(HOSTILE)]
            )
            observation, reward, over, truncated, info = env.step(answer)
            attempt += 1
            assert observation in env.observation_space
            assert set(observation["text"]) <= set(PRINTABLE)
            assert "HOSTILE" not in observation["text"] + info["feedback"]
            assert {key: type(value) for key, value in info.items()} == types
            assert type(reward) is float
            assert not truncated
            assert info["instance"] == asked
            assert (info["attempt"], info["attempts_left"]) == (attempt, env.attempts - attempt)
            assert over == (info["is_correct"] or attempt == env.attempts)
            assert (reward == best) == info["is_correct"] == info["is_success"] == (info["failure"] == "")
            json.dumps(info)
        with pytest.raises(ResetNeeded):
            env.step("")


def test_the_longest_dialogue_fits_its_space() -> None:
    env = make(attempts=64, cards=6, prompt="diverse", side="all", rule={"J": 99, "Q": 98, "K": 97}, target=400)
    observation, _ = env.reset(seed=0)
    for _ in range(64):
        observation, *_ = env.step(env.wrong_response("wrong_numbers", env.np_random) or "")
    assert observation in env.observation_space
    assert len(observation["text"]) > 64 * 40


def test_the_last_attempt_pays_its_own_category_and_no_more() -> None:
    env = make(attempts=2)
    env.reset(seed=0)
    wrong = env.wrong_response("wrong_value", env.np_random)
    assert wrong is not None
    assert [env.step(wrong)[1:3] for _ in range(2)] == [(-1.0, False), (-1.0, True)]
    env.reset(seed=0)
    env.step(wrong)
    assert env.step(env.expert_response())[1:3] == (5.0, True)


def test_the_texts_say_what_was_wrong_and_which_attempt_comes() -> None:
    env = make(attempts=3)
    env.reset(options={"instance": "generalpoints:4-3-2-K:24"})
    env.step("no answer")
    observation, *_ = env.step('{"formula": "4*3*2+10"}')
    assert observation["text"].splitlines()[-3:] == [
        'Wrong: there is no JSON object with a "formula".',
        "Wrong: the formula makes 34, not 24.",
        "Attempt 3 of 3.",
    ]


@pytest.mark.parametrize("settings", [*({"split": split} for split in SPLITS), PROBE], ids=str)
def test_the_expert_scores_maximal_on_every_hand_of_a_split(settings: dict[str, Any]) -> None:
    env = make(**settings)
    for hand in hands(env.config.dealing):
        env.reset(options={"instance": f"generalpoints:{'-'.join(hand)}:24"})
        verdict = env.judge(env.expert_response(steps=True))
        assert verdict.reward == env.best_reward == 5.0
        assert verdict.metrics == {"cards_correct": True, "numbers_correct": True, "formula_valid": True}


@pytest.mark.parametrize(
    "rewards", ["paper", "binary", "binary_format", {"base": "paper", "correct": 0.25, "wrong_value": 0.1}]
)
def test_the_expert_scores_maximal_under_every_reward_table(rewards: Any) -> None:
    env = make(rewards=rewards)
    env.reset(seed=0)
    assert env.step(env.expert_response())[1] == env.best_reward == env.config.rewards.correct


@pytest.mark.parametrize("split", SPLITS)
def test_neither_question_nor_info_nor_feedback_holds_a_solution(split: str) -> None:
    env = make(split=split)
    for episode in range(40):
        observation, info = env.reset(seed=episode)
        told = observation["text"] + json.dumps(info)
        for failure in env.measures.failures[:4]:
            response = env.wrong_response(failure, env.np_random) or ""
            observation, _, _, _, info = env.step(response)
            told += observation["text"] + json.dumps({key: value for key, value in info.items() if key != "messages"})
            told += "".join(message["content"] for message in info["messages"] if message["role"] == "user")
        told = told.replace(" ", "")
        for solution in solutions(env.puzzle.values, 24):
            assert solution.minimal() not in told
            assert solution.full() not in told


def test_feedback_never_holds_an_operator_or_a_bracket() -> None:
    env = make(attempts=64, side="all")
    env.reset(seed=0)
    rng = env.np_random
    for failure in env.measures.failures * 8:
        feedback = env.step(env.wrong_response(failure, rng) or "")[4]["feedback"]
        assert not re.search(r"[+*()=]|\d ?[-] ?\d", feedback), feedback


def test_every_deal_of_rule_ood_has_a_face_card_and_lies_on_the_test_side() -> None:
    env = make(split="rule_ood")
    assert all(set(hand) & {"J", "Q", "K"} for hand in hands(env.config.dealing))
    for seed in range(300):
        env.reset(seed=seed)
        assert set(env.puzzle.ranks) & {"J", "Q", "K"}
        assert env.config.dealing.on_side(env.puzzle.ranks)


def test_the_counterfactual_of_an_instance_has_the_same_id_cards_and_phrasing() -> None:
    here, there = make(prompt="diverse", side="all"), make(prompt="diverse", split="rule_ood")
    for seed in range(20):
        _, info = there.reset(seed=seed)
        if not here.config.dealing.holds(there.puzzle.ranks):
            continue
        texts = []
        for env in (here, there):
            observation, again = env.reset(options={"instance": info["instance"]})
            assert again["instance"] == info["instance"]
            texts.append(observation["text"])
        assert there.puzzle.ranks == here.puzzle.ranks
        assert texts[0].replace("J = 10, Q = 10, K = 10", "J = 11, Q = 12, K = 13") == texts[1]


def test_an_instance_of_the_other_side_can_be_given() -> None:
    env = make(split="train")
    other = next(hand for hand in hands(Dealing(side="test")))
    assert env.reset(options={"instance": f"generalpoints:{'-'.join(other)}:24"})[1]["instance"].endswith(":24")


@pytest.mark.parametrize(
    ("settings", "instance", "message"),
    [
        ({}, "virl:nyc:3", r"instance='virl:nyc:3' is no GeneralPoints instance; take info\['instance'\]"),
        ({}, "generalpoints:4-3-2-K:36", r"cannot be dealt here \(target 24, rule ten, 4 cards"),
        ({}, "generalpoints:4-3-2:24", r"cannot be dealt here \(target 24, rule ten, 4 cards"),
        ({}, "generalpoints:A-A-A-A:24", r"cannot be dealt here"),
        ({"rule": "rank"}, "generalpoints:2-2-8-J:24", r"cannot be dealt here \(target 24, rule rank"),
        ({"suits": "black"}, "generalpoints:3-3-3-8:24", r"suits black"),
        ({}, "4-3-2-K", r"is no GeneralPoints instance"),
        ({}, 24, r"instance='24' is no GeneralPoints instance"),
        ({}, ["generalpoints:4-3-2-K:24"], r"is no GeneralPoints instance"),
    ],
)
def test_an_instance_that_cannot_be_held_is_refused_with_what_to_do(
    settings: dict[str, Any], instance: Any, message: str
) -> None:
    env = make(**settings)
    with pytest.raises(ValueError, match=message) as caught:
        env.reset(options={"instance": instance})
    assert "\n" not in str(caught.value)


def test_the_probe_states_one_rule_and_scores_the_other() -> None:
    env = make(**PROBE)
    for seed in range(30):
        observation, _ = env.reset(seed=seed)
        assert "J = 10, Q = 10, K = 10" in observation["text"]
        if set(env.puzzle.ranks) & {"J", "Q", "K"}:
            obedient = verify(expert(env.puzzle.ranks, "ten"), env.puzzle)
            assert (obedient.failure, obedient.metrics["numbers_correct"]) == ("wrong_numbers", True)
            deaf = verify(expert(env.puzzle.ranks, "rank"), env.puzzle)
            assert (deaf.failure, deaf.metrics["numbers_correct"]) == ("", False)


def expert(ranks: tuple[str, ...], rule: str) -> str:
    puzzle = Puzzle(ranks, rule)
    formula = solutions(puzzle.values, 24)[0].minimal()
    return json.dumps({"cards": ranks, "number": puzzle.values, "formula": formula})


def test_strict_admits_plain_json_alone() -> None:
    loose = "{'formula': '4*3+2+10'}"
    for strict, failure in ((False, ""), (True, "unreadable")):
        env = make(strict=strict)
        env.reset(options={"instance": "generalpoints:4-3-2-K:24"})
        assert env.step(loose)[4]["failure"] == failure


def test_environments_of_one_setting_share_their_sampler_and_not_their_spaces() -> None:
    first, second = make(), make()
    assert first._mixture._samplers == second._mixture._samplers == [sampler_for(first.config.dealing)]
    assert first.action_space is not second.action_space


def test_only_hands_on_the_side_are_dealt() -> None:
    for split in ("train", "test"):
        env = make(split=split)
        for _ in range(200):
            env.reset()
            assert env.config.dealing.on_side(env.puzzle.ranks)
