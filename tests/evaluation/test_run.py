import json
import sys

import pytest
from tests.evaluation.policies import ENV, is_solved_by_hash, nonsense

from verienv.core.episode import Episode
from verienv.core.make import make_env
from verienv.demos.episodes import episodes_of
from verienv.evaluation import evaluate
from verienv.evaluation.lines import Seat, episode_of


def test_the_constant_baseline_gives_one_response_everywhere(tmp_path):
    evaluate("constant", ENV, ["train"], episodes=5, log=tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()[1:]
    assert len({json.loads(line)["response"] for line in lines}) == 1


def test_batches_stay_full_until_the_last_episodes():
    sizes = []

    def policy(dialogues):
        sizes.append(len(dialogues))
        return is_solved_by_hash(dialogues)

    result = evaluate(policy, ENV, ["train", "test"], episodes=15, batch_size=8)
    asked = sum(len(episode.failures) for episode in result.episodes)
    assert sum(sizes) == asked
    assert all(size == 8 for size in sizes[: (asked - 8 * 5) // 8])
    assert max(sizes) == 8


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_the_outcome_does_not_depend_on_the_batch_size(batch_size):
    one = evaluate(is_solved_by_hash, ENV, episodes=12, batch_size=5)
    other = evaluate(is_solved_by_hash, ENV, episodes=12, batch_size=batch_size)
    assert one == other


def test_two_policies_meet_the_same_instances():
    one, other = evaluate(nonsense, ENV, episodes=10, seed=4), evaluate("expert", ENV, episodes=10, seed=4)
    assert [episode.instance for episode in one.episodes] == [episode.instance for episode in other.episodes]


def test_another_seed_deals_other_instances():
    one, other = evaluate("expert", ENV, episodes=10, seed=4), evaluate("expert", ENV, episodes=10, seed=5)
    assert [episode.instance for episode in one.episodes] != [episode.instance for episode in other.episodes]


def test_a_progress_bar_is_drawn_when_wanted_and_else_not(capsys):
    evaluate("expert", ENV, ["train"], episodes=3)
    assert capsys.readouterr().err == ""
    evaluate("expert", ENV, ["train"], episodes=3, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_without_tqdm_there_is_no_progress_bar_and_no_error(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    evaluate("expert", ENV, ["train"], episodes=3, progress=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"episodes": 0}, "episodes=0"),
        ({"episodes": 2.0}, "episodes=2.0"),
        ({"seed": -1}, "seed=-1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"splits": []}, "splits is empty"),
        ({"splits": ["trian"]}, "split='trian'"),
        ({"splits": {"mine": "train"}}, "is no cell"),
        ({"splits": {"mine": {"instances": []}}}, "instances"),
        ({"splits": {"mine": {"split": "train", "episodes": 0}}}, "episodes=0"),
        ({"splits": {"mine": {"instances": "generalpoints:A-4-J-Q:24"}}}, "list of at least one"),
        ({"splits": {"mine": {"instances": ["virl:1"]}}}, "is no GeneralPoints instance"),
        ({"atempts": 3}, "did you mean 'attempts'"),
        ({"env_id": "verienv/GeneralPoint-L-v0"}, "GeneralPoint"),
        ({"env_id": "CartPole-v1"}, "no verienv environment"),
        ({"policy": "oracle"}, "expert, constant"),
        ({"policy": "x" * 100_000}, "expert, constant"),
        ({"env_id": "x" * 100_000}, "env_id='xxx"),
        ({"name": 5}, "name=5"),
        ({"seed": -(10**5000)}, "seed="),
        ({"episodes": 10**5000}, "episodes="),
        ({"splits": 5}, "splits=5"),
        ({"splits": {"x" * 100_000: "train"}}, "is no cell"),
    ],
)
def test_wrong_arguments_are_named(arguments, told):
    with pytest.raises(ValueError, match=told) as caught:
        evaluate(**{"policy": nonsense, "env_id": ENV} | arguments)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


def test_a_name_that_is_no_text_is_kept_as_one(tmp_path):
    for _ in range(2):
        result = evaluate(nonsense, ENV, ["train"], episodes=2, name="\udcff", log=tmp_path / "log")
    assert json.loads(result.to_json())["setup"]["policy"] == "\ufffd"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (lambda dialogues: dialogues[1:], "2 responses to 3 dialogues"),
        (lambda dialogues: "one", "returned a str"),
        (lambda dialogues: None, "returned a NoneType"),
        (lambda dialogues: [None] * len(dialogues), "NoneType as a response"),
    ],
)
def test_a_policy_that_does_not_answer_each_dialogue_is_named(answers, told):
    with pytest.raises(ValueError, match=told):
        evaluate(answers, ENV, ["train"], episodes=3)


def test_without_a_log_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evaluate("expert", ENV, episodes=2)
    assert not list(tmp_path.iterdir())


ROUTED = "verienv/VIRL-L-v0"


def test_on_routes_the_expert_takes_every_step_right():
    metrics = evaluate("expert", ROUTED, ["test", "rule_ood"], episodes=10, city="grid-0").cells["rule_ood"].metrics
    for name in ("success", "step_accuracy", "turn_accuracy", "observation_accuracy", "instruction_accuracy"):
        assert metrics[name].mean == 1.0
    assert metrics["progress"].mean == 1.0
    assert metrics["turn_accuracy_given_instruction"].mean == 1.0
    assert 0.5 < metrics["forward_share"].mean < 0.95


def test_a_turn_is_read_right_where_its_sentence_is_said_right_whatever_is_done():
    env = make_env(ROUTED, city="grid-0", attempts=3)
    episode = next(one for one in episodes_of(env, seed=0) if one.question.waypoint.move == "turn")
    said = json.loads(episode.expert())
    seat = Seat("routes", 0, Episode(episode.question.but(route=None)))
    for change in ({"action": "stop()"}, {"action": "stop()", "current instruction": "Stop."}, {}):
        seat.step(json.dumps(said | change))
    counts = episode_of(seat.lines, env.measures.ratios).counts
    assert counts["turn_accuracy_given_instruction"] == (1, 2)
    assert counts["turn_accuracy"] == (1, 3)


def test_on_routes_always_going_forward_is_right_as_often_as_forward_is_due_and_at_no_turn():
    def forward(dialogues):
        return ['{"action": "forward()"}'] * len(dialogues)

    metrics = evaluate(forward, ROUTED, ["train"], episodes=40, city="grid-0").cells["train"].metrics
    assert metrics["step_accuracy"] == metrics["forward_share"]
    assert 0 < metrics["step_accuracy"].mean < 1
    assert (metrics["turn_accuracy"].mean, metrics["success"].mean) == (0.0, 0.0)
    assert metrics["observation_accuracy"].mean == 0.0
