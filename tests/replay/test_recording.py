import pytest
from tests.replay.episodes import CARDS, ROUTES, WORDS, picture_routes, puzzle, routes, saying

from verienv.core.make import make_env
from verienv.replay import record


@pytest.mark.parametrize("env_id", [ROUTES, WORDS, CARDS])
def test_the_replay_of_the_expert_ends_solved_with_the_best_reward_at_each_frame(env_id):
    env = make_env(env_id)
    env.reset(seed=1)
    replay = record(env)
    assert replay.success
    assert replay.outcome == "solved"
    assert replay.env_id == env_id
    assert replay.instance == env.instance
    assert {frame.verdict.reward for frame in replay.frames} == {env.best_reward}
    assert replay.reward == env.best_reward * len(replay.frames)


def test_a_wrong_attempt_and_the_next_share_the_question():
    replay = record(routes(), saying("nonsense"))
    first, second, third = replay.frames[:3]
    assert [first.title, second.title, third.title] == ["Step 1", "Step 1, attempt 2", "Step 2"]
    assert first.question is second.question is not third.question
    assert "Attempt 2 of 2." in second.text
    assert first.verdict.feedback in second.text
    assert (first.verdict.is_correct, second.verdict.is_correct) == (False, True)


def test_a_replay_that_begins_after_a_wrong_attempt_counts_on():
    env = puzzle()
    env.step("nonsense")
    assert record(env).frames[0].title == "Step 1, attempt 2"


def test_an_episode_that_is_lost_is_told_so():
    replay = record(puzzle(attempts=2), lambda episode: "nonsense")
    assert len(replay.frames) == 2
    assert replay.outcome == "not solved"


def test_no_more_than_the_asked_for_attempts_are_recorded():
    replay = record(routes(), most=3)
    assert len(replay.frames) == 3
    assert replay.outcome == "unfinished"


@pytest.mark.parametrize("most", [0, -1, True, 2.0])
def test_a_bound_that_is_no_number_of_attempts_is_refused(most):
    with pytest.raises(ValueError, match="most="):
        record(routes(), most=most)


def test_a_policy_that_has_no_more_to_say_ends_the_replay():
    left = ["nonsense"]
    replay = record(puzzle(), lambda episode: left.pop() if left else None)
    assert len(replay.frames) == 1
    assert replay.outcome == "unfinished"


def test_a_replay_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one response"):
        record(puzzle(), lambda episode: None)


def test_the_truth_is_told_beside_a_picture_and_nowhere_else():
    assert record(routes(), most=1).frames[0].question.scene.truth == ""
    env = picture_routes()
    assert record(env, lambda episode: "", most=1).frames[0].question.scene.truth == env.waypoint.observation
    cards = puzzle(CARDS)
    assert ", ".join(cards.question.puzzle.ranks) in record(cards).frames[0].question.scene.truth


def test_settings_are_the_split_and_what_was_chosen_and_of_a_path_the_name_alone(tmp_path):
    replay = record(routes(split="rule_ood", attempts=3), most=1)
    assert (replay.settings["split"], replay.settings["attempts"]) == ("rule_ood", 3)
    env = routes()
    env.config = env.config.model_copy(update={"data": tmp_path / "folder"})
    assert record(env, most=1).settings["data"] == "folder"
