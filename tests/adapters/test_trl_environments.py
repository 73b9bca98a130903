import inspect
import json
import math
import re

import pytest
from tests.adapters.rows import HAND, ID, ROUTES_ID, VISION_ID, answer_to, routes
from tests.adapters.tiny import (
    changed,
    looked_up,
    quiet,
    speak,
    tiny_llava,
    tiny_model,
    tiny_processor,
    tokenizer,
    trains,
    weights,
)

from verienv.adapters.trl import TaskEnvironment, dataset, environment
from verienv.generalpoints import Puzzle, expert_answer
from verienv.virl.world.city_file import save_city
from verienv.virl.world.procedural import procedural_city

PuzzleEnvironment, RouteEnvironment = environment("generalpoints"), environment("virl")


def test_the_environment_gives_feedback_and_counts_attempts():
    environment = PuzzleEnvironment()
    environment.reset(**HAND, attempts=2, prompt="ignored")
    told = environment.answer(["4", "3", "2", "K"], [4, 3, 2, 10], "4+3+2+10")
    assert told == "Wrong: the formula makes 19, not 24.\nAttempt 2 of 2."
    assert environment.answer(["4", "3", "2", "K"], [4, 3, 2, 10], "4*3+2+10") == "Correct."
    assert environment.get_reward() == -1.0 + 5.0


def test_after_the_last_attempt_no_answer_counts():
    environment = PuzzleEnvironment()
    environment.reset(**HAND, attempts=1)
    environment.answer([], [], "4+3+2+10")
    assert environment.answer([], [], "4*3+2+10") == "The puzzle is over: no further answer counts."
    assert environment.get_reward() == -1.0


def test_a_rollout_without_an_answer_is_paid_as_unreadable():
    environment = PuzzleEnvironment()
    environment.reset(**HAND)
    assert environment.get_reward() == -3.0


def test_with_a_picture_an_answer_with_misread_cards_is_paid_as_such():
    (row,) = dataset(VISION_ID, n=1)
    right = json.loads(expert_answer(Puzzle(row["cards"])))
    environment = PuzzleEnvironment()
    environment.reset(**row)
    assert environment.answer(**(right | {"cards": ["A"] * 4})).startswith("The cards are not read right.")
    assert environment.get_reward() == -1.5
    environment.answer(**right)
    assert environment.get_reward() == -1.5 + 5.0


def test_a_reset_forgets_the_answers_before_it():
    environment = PuzzleEnvironment()
    environment.reset(**HAND)
    environment.answer([], [], "4*3+2+10")
    environment.reset(**HAND)
    assert environment.get_reward() == -3.0


@pytest.mark.parametrize("formula", [None, 24, ["4"], {"a": float("nan")}, "\ud800", object()])
def test_no_answer_raises(formula):
    environment = PuzzleEnvironment()
    environment.reset(**HAND)
    assert environment.answer(None, "x", formula).startswith("Wrong")


@pytest.mark.parametrize(
    ("name", "tool", "types"),
    [
        ("generalpoints", "answer", {"cards": "array", "number": "array", "formula": "string"}),
        ("virl", "act", {"observation": "string", "instruction": "string", "action": "string"}),
    ],
)
def test_trl_finds_one_tool_and_transformers_reads_its_schema(name, tool, types):
    from transformers.utils import get_json_schema

    made = environment(name)
    found = [member for member, _ in inspect.getmembers(made, inspect.isfunction) if not member.startswith("_")]
    assert sorted(found) == sorted(["reset", tool, "get_reward"])  # as GRPOTrainer looks for tools
    schema = get_json_schema(getattr(made(), tool))["function"]
    assert schema["name"] == tool
    assert schema["description"].endswith("and be told whether it is correct.")
    parameters = schema["parameters"]
    assert {key: value["type"] for key, value in parameters["properties"].items()} == types
    assert all(value["description"] for value in parameters["properties"].values())
    assert parameters["required"] == list(types)
    assert schema["return"]["type"] == "string"


def test_an_environment_is_named_after_its_task():
    assert [environment(name).__name__ for name in ("generalpoints", "virl")] == [
        "GeneralPointsEnvironment",
        "VIRLEnvironment",
    ]
    assert issubclass(environment("virl"), TaskEnvironment)
    with pytest.raises(ValueError, match="task='chess': expected generalpoints or virl"):
        environment("chess")


def test_a_row_that_opens_a_path_needs_trust(tmp_path):
    save_city(procedural_city("grid", 0), tmp_path / "mine.json")
    (row,) = dataset(ROUTES_ID, n=1, city=str(tmp_path / "mine.json"), attempts=1)
    with pytest.raises(ValueError, match=r"open paths of this machine \(city\).*trusted=True"):
        RouteEnvironment().reset(**row)
    walk = environment("virl", trusted=True)()
    walk.reset(**row)
    due = json.loads(answer_to(row))
    assert walk.act(due["current observation"], due["current instruction"], due["action"]) == "Correct."


@pytest.mark.parametrize("call", ["act", "get_reward"])
def test_before_the_first_reset_there_is_no_waypoint(call):
    arguments = ["", "", ""] if call == "act" else []
    with pytest.raises(RuntimeError, match=rf"call reset\(\*\*row\) before {call}\(\)"):
        getattr(RouteEnvironment(), call)(*arguments)


def test_at_a_waypoint_the_environment_gives_feedback_and_counts_attempts():
    row = routes(1)[0]
    environment = RouteEnvironment()
    environment.reset(**row)
    assert environment.get_reward() == -1.5
    told = environment.act("A dragon.", "", "stop()")
    assert told == "Wrong: this is not the action that the instruction asks for here.\nAttempt 2 of 2."
    assert environment.get_reward() == -1.5
    due = json.loads(answer_to(row))
    assert environment.act(due["current observation"], due["current instruction"], due["action"]) == "Correct."
    assert environment.get_reward() == -1.5 + 1.0
    assert environment.act("", "", "stop()") == "This walk is over: no further action counts."
    assert environment.get_reward() == -1.5 + 1.0


def test_what_was_observed_right_is_paid_even_with_a_wrong_action():
    row = routes(1)[0]
    environment = RouteEnvironment()
    environment.reset(**row)
    environment.act(json.loads(answer_to(row))["current observation"], None, object())
    assert environment.get_reward() == -1.0


@trains
def test_grpo_trains_over_several_attempts_with_feedback(tmp_path, monkeypatch):
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen3_chat_template

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    words = tokenizer(qwen3_chat_template)
    model = tiny_model(words)
    rows = dataset(ID, n=2)
    told = []

    def say(row, text):
        cards = re.search(r"Cards: (.*)", text).group(1).split(", ")
        feedback = re.findall(r"<tool_response>\n(.*?)\n</tool_response>", text, re.DOTALL)
        told.extend(feedback[-1:])
        if feedback and (row % 2 or feedback[-1] == "Correct."):
            return "I stop here."
        puzzle = Puzzle(cards)
        answer = json.loads(expert_answer(puzzle))
        if not feedback:
            answer["formula"] = "+".join(map(str, puzzle.values)) + "-" + str(puzzle.values[0])
        return f"<tool_call>\n{json.dumps({'name': 'answer', 'arguments': answer})}\n</tool_call>"

    speak(model, words, say)
    before = weights(model)
    trainer = GRPOTrainer(
        model=model,
        environment_factory=environment("generalpoints"),
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    wrong = "Wrong: the formula does not use each card's number exactly once.\nAttempt 2 of 5."
    assert sorted(told) == ["Correct."] * 2 + [wrong] * 4
    assert log["rewards/GeneralPointsEnvironment/mean"] == ((-2 + 5) - 2) / 2
    assert math.isfinite(log["loss"])
    assert changed(model, before)


@trains
def test_grpo_trains_at_waypoints_over_several_attempts(tmp_path, monkeypatch):
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen3_chat_template

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    words = tokenizer(qwen3_chat_template)
    model = tiny_model(words)
    rows = routes(2)
    due = {row["prompt"][0]["content"]: json.loads(answer_to(row)) for row in rows}
    told = []

    def say(row, text):
        right = next(answer for question, answer in due.items() if question in text)
        feedback = re.findall(r"<tool_response>\n(.*?)\n</tool_response>", text, re.DOTALL)
        told.extend(feedback[-1:])
        if feedback and (row % 2 or feedback[-1] == "Correct."):
            return "I stop here."
        action = right["action"] if feedback else "stop()"
        arguments = {"observation": right["current observation"], "instruction": "", "action": action}
        return f"<tool_call>\n{json.dumps({'name': 'act', 'arguments': arguments})}\n</tool_call>"

    speak(model, words, say)
    trainer = GRPOTrainer(
        model=model,
        environment_factory=environment("virl"),
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    wrong = "Wrong: this is not the action that the instruction asks for here.\nAttempt 2 of 2."
    assert sorted(told) == ["Correct."] * 2 + [wrong] * 4
    assert log["rewards/VIRLEnvironment/mean"] == ((-1 + 1) - 1) / 2
    assert math.isfinite(log["loss"])


@trains
def test_grpo_trains_on_pictures_over_several_attempts(tmp_path, monkeypatch):
    from trl import GRPOConfig, GRPOTrainer

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    processor = tiny_processor(stacked=True)
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=2)
    recognised = looked_up(processor, rows)

    def say(row, text, pixels):
        told = re.findall(r"<tool_response>\n(.*?)\n</tool_response>", text, re.DOTALL)
        if told and told[-1] == "Correct.":
            return "I stop here."
        answer = json.loads(expert_answer(recognised(pixels)))
        if row % 2 and not told:
            answer["cards"] = ["A", "A", "A", "A"]
        return f"<tool_call>\n{json.dumps({'name': 'answer', 'arguments': answer})}\n</tool_call>"

    speak(model, processor.tokenizer, say)
    trainer = GRPOTrainer(
        model=model,
        environment_factory=environment("generalpoints"),
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    assert log["tools/call_frequency"] == 1.5
    assert log["rewards/GeneralPointsEnvironment/mean"] == (5.0 + (-1.5 + 5.0)) / 2
    assert math.isfinite(log["loss"])
