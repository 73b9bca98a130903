"""verl's dataset and agent loop worker play whole episodes, token by token as the chat template has them."""

import pytest
from tests.integrations.scripts.forty_rows import SETTINGS

pytestmark = pytest.mark.integrations

CASES = [
    "cards", "cards by vision", "routes", "routes by vision", "cards by Qwen2.5-VL", "routes by Qwen2.5-VL",
]  # fmt: skip


@pytest.fixture(scope="module")
def said(in_library, tmp_path_factory):
    told = in_library("verl", "verl_episodes.py", tmp_path_factory.mktemp("runs"))
    print(told["versions"])
    return told


@pytest.mark.parametrize("case", CASES)
def test_samples_are_the_dialogues_in_tokens_with_a_mask_of_the_policys_words_and_their_pictures(case, said):
    assert said[case]["problems"] == []
    assert said[case]["samples"] == ([1] * 4 if case.startswith("cards") else said[case]["questions"])


@pytest.mark.parametrize("case", CASES)
def test_right_mended_wrong_and_unreadable_answers_earn_what_the_environment_pays(case, said):
    told = said[case]
    assert told["rewards"] == pytest.approx(told["earned"])
    assert [set(each) for each in told["rewards by question"]] == [{reward} for reward in told["rewards"]]
    assert [info["acc"] for info in told["info"]] == [1.0, 1.0, 0.0, 0.0]
    assert [info["cut"] for info in told["info"]] == [0.0] * 4
    assert told["info"][3]["failure"] == "unreadable"
    assert len({tuple(info) for info in told["info"]}) == 1


@pytest.mark.parametrize("case", CASES)
def test_with_less_room_an_episode_is_the_beginning_of_itself(case, said):
    told = said[case]["cut"]
    assert told["problems"] == []
    assert told["turns"] == sorted(told["turns"])
    assert {told["cut"][0], told["cut"][-1]} == {0.0, 1.0}


@pytest.mark.parametrize("env_id", SETTINGS)
def test_each_answer_to_the_forty_rows_earns_what_the_environment_pays(env_id, said):
    told = said["forty"][env_id]
    assert len(told["paid"]) == 10
    assert told["earned"] == told["paid"]
    assert told["sums"] == [sum(paid) for paid in told["paid"]]


def test_the_reward_manager_pays_single_answers_as_the_question_does(said):
    by_verl, by_question = zip(*said["judged"], strict=True)
    assert by_verl == pytest.approx(by_question)
    assert len(set(by_verl)) > 2


def test_the_flags_of_the_scripts_are_verls(said):
    assert said["flags"] == dict.fromkeys(["ppo.sh on 1", "ppo.sh on 2", "grpo.sh on 1", "grpo.sh on 2"], "")
    assert "num_workres" in said["misspelt"]
