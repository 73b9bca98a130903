"""What is said to a response in one's own words: one bounded line that cannot tell the solution by accident."""

import json
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verienv
from verienv.core.feedback import LONGEST_LINE, one_line, parse_feedback
from verienv.core.spaces import PRINTABLE
from verienv.testing import odd_responses

CARDS, PICTURES = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
ROUTES, STREETS = "verienv/VIRL-L-v0", "verienv/VIRL-VL-v0"
SMALL: dict[str, dict[str, Any]] = {PICTURES: {"image_size": 96}, STREETS: {"view_size": 64}}
HAND = {"cards": ["4", "3", "2", "K"]}

HOSTILE = (
    "",
    "\ud800",
    '{"formula": "((((" }',
    '{"action": ["x"]}',
    '{"formula": "' + "9*" * 999 + '9"}',
    "<answer>" + "9" * 9999 + "</answer>",
    "<answer>10**9</answer>",
)

each_env = pytest.mark.parametrize("env_id", [CARDS, PICTURES, ROUTES, STREETS])


def begun(env_id: str, **rest: Any) -> Any:
    env: Any = gym.make(env_id, **SMALL.get(env_id, {}), **rest).unwrapped
    env.reset(seed=0)
    return env


def said(formula: str, **columns: Any) -> str:
    response = json.dumps({"cards": HAND["cards"], "number": [4, 3, 2, 10], "formula": formula})
    return verienv.judge({**HAND, **columns}, response).feedback


@each_env
def test_none_tells_whether_it_was_right_alone(env_id: str) -> None:
    env = begun(env_id, feedback="none")
    assert env.judge("").feedback == "Wrong."
    assert env.judge(env.expert_response()).feedback == "Correct."


@each_env
def test_default_is_the_tasks_own_words(env_id: str) -> None:
    env, own = begun(env_id), begun(env_id, feedback="default")
    for response in ("", "{}", env.expert_response()):
        assert env.judge(response) == own.judge(response)


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("4+3+2+10", "19 from 2 3 4 10, not 24"),
        ("4*3+2", "not 10"),
        ("4*3*2", "not 10"),
        ("4*3*2*10*10", "not none"),
        ("4*3*2*10/(1-1)", "not none"),
        ("10/(3-(4+2-3))", "not the numbers"),
        ("4*3+2+10=25", "No."),
        ("4*3*", "No."),
        ("", "No."),
        ("4*3+2+10", "Yes!"),
    ],
)
def test_a_mapping_has_a_line_for_each_kind_of_failure(formula: str, line: str) -> None:
    lines = {
        "wrong_value": "{value} from {used}, not {target}",
        "wrong_numbers": "not {missing}",
        "wrong": "No.",
        "correct": "Yes!",
    }
    if line == "not the numbers":
        lines["wrong_numbers"] = line
    assert said(formula, feedback_lines=json.dumps(lines)) == line


def test_a_kind_without_a_line_keeps_the_tasks_words() -> None:
    lines = json.dumps({"wrong_value": "No."})
    assert said("4*3", feedback_lines=lines) == said("4*3")
    assert said("4*3+2+10", feedback_lines=lines) == "Correct."


@pytest.mark.parametrize("env_id", [ROUTES, STREETS])
def test_a_line_names_the_action_that_was_read(env_id: str) -> None:
    env = begun(env_id, feedback={"wrong_action": "Not {action}; {actions}", "illegal_action": "{actions}!"})
    wrong = next(action for action in ("stop()", "forward()") if action != env.waypoint.action)
    assert env.judge(json.dumps({"action": wrong})).feedback.startswith(f"Not {wrong}; forward(), turn_direction(x)")
    assert env.judge('{"action": "fly()"}').feedback.startswith("forward(), turn_direction(x) with x one of")


def test_the_line_to_all_other_failures_names_the_slots_that_each_kind_has() -> None:
    env = gym.make(CARDS, feedback={"wrong": "Not {target}.", "illegal": "Illegal."}).unwrapped
    env.reset(seed=0)
    assert [env.judge(response).feedback for response in ("", '{"formula": "1"}')] == ["Not 24."] * 2


@pytest.mark.parametrize(
    ("feedback", "told"),
    [
        ({"bored": "No."}, r"'bored' is no kind of failure; expected some of unreadable, .*correct, wrong"),
        ({"unreadable": "{value}"}, r"\{value\} is no slot there; it may name \{target\}"),
        ({"wrong": "{value}"}, r"\{value\} is no slot there; it may name \{target\}, which every kind of failure has"),
        ({"correct": "{target}"}, r"\{target\} is no slot there; it may name no slot"),
        ({"wrong_value": "{value.real}"}, r"is no slot there"),
        ({"wrong_value": "{value!r}"}, r"is no slot there"),
        ({"wrong_value": "{value:9}"}, r"is no slot there"),
        ({"wrong_value": "{"}, r"feedback\['wrong_value'\]='\{': Single '\{'"),
        ({"wrong_value": "a\nb"}, r"expected one line of at most"),
        ({"wrong_value": "\N{LATIN SMALL LETTER E WITH ACUTE}"}, r"printable ASCII"),
        ({"wrong_value": "x" * (LONGEST_LINE + 1)}, rf"at most {LONGEST_LINE} characters"),
        ({}, r"expected default, none, .*a mapping from kinds of failure to lines, or a function"),
        ({"wrong": 5}, r"expected default, none, .*a mapping"),
        ("verbose", r"feedback='verbose': expected default, none, .*register_feedback\('verbose'"),
        ("{", r"feedback='\{': expected default"),
        ("[" * 100_000, r"expected default"),
        (7, r"feedback=7: expected default"),
    ],
)
def test_a_feedback_that_cannot_be_said_is_refused_when_the_environment_is_made(feedback: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        gym.make(CARDS, feedback=feedback)
    assert len(str(caught.value)) < 500
    if isinstance(feedback, dict) and feedback:
        with pytest.raises(ValueError, match=told):
            verienv.judge({**HAND, "feedback_lines": json.dumps(feedback)}, "")


def test_with_pictures_no_line_tells_what_they_show() -> None:
    with pytest.raises(ValueError, match=r"\{missing\} is no slot there; it may name \{target\}, \{used\}"):
        gym.make(PICTURES, feedback={"wrong_numbers": "{missing} is missing"})
    with pytest.raises(ValueError, match=r"\{missing\} is no slot there"):
        verienv.judge({**HAND, "vision": True, "feedback_lines": '{"wrong_numbers": "{missing}"}'}, "")


@each_env
def test_a_function_gets_the_verdict_without_its_reason_and_what_the_prompt_told(env_id: str) -> None:
    met: list[tuple[verienv.Verdict, str]] = []
    env = begun(env_id, feedback=lambda *given: met.append(given) or "Noted.", prompt="diverse")
    told = env.question.prompt
    for response in ("", env.expert_response()):
        plain = env.question.but(wording=verienv.Question.wording).judge(response)
        env.step(response)
        verdict, prompt = met[-1]
        assert prompt == told
        assert verdict == plain.model_copy(update={"reason": "", "feedback": ""})
        assert type(verdict) is verienv.Verdict
        assert type(prompt) is str
        if not response:
            assert verdict.answer == {}


def test_at_later_attempts_the_prompt_is_the_one_that_was_told() -> None:
    met: list[str] = []
    env = begun(CARDS, feedback=lambda verdict, told: met.append(told) or "", prompt="{attempts}{cards}{rule}{target}")
    env.step("")
    env.step("")
    assert met[0] == met[1] == env.episode.prompt


def test_a_function_cannot_change_the_verdict() -> None:
    def spoil(verdict: verienv.Verdict, told: str) -> str:
        verdict.answer.clear()
        verdict.metrics["formula_valid"] = True
        return "Noted."

    env, plain = begun(CARDS, feedback=spoil), begun(CARDS)
    for response in ("", '{"formula": "1+1", "cards": [1]}', env.expert_response()):
        found = env.judge(response)
        assert found == plain.judge(response).model_copy(update={"feedback": "Noted."})


@pytest.mark.parametrize(
    ("returned", "line"),
    [
        ("x" * 10**7, "x" * (LONGEST_LINE - 3) + "..."),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "caf?"),
        ("one\ntwo\t three\r\n", "one two three"),
        ("\0\x1b[2J\ud800", "??[2J?"),
        ("", ""),
    ],
    ids=["10 MB", "accent", "lines", "control", "empty"],
)
def test_what_a_function_says_becomes_one_bounded_line(returned: str, line: str) -> None:
    env = begun(CARDS, feedback=lambda verdict, told: returned)
    observation, *_ = env.step("")
    assert env.verdict.feedback == line
    assert observation in env.observation_space
    assert env.messages[-1]["content"] == f"{line}\nAttempt 2 of 5."


@pytest.mark.parametrize("returned", [None, 5, b"No.", ["No."]])
def test_a_function_that_says_no_text_is_a_value_error(returned: Any) -> None:
    env = begun(CARDS, feedback=lambda verdict, told: returned)
    with pytest.raises(ValueError, match=r"feedback=.* returned .*; expected a line"):
        env.step("")


@each_env
@pytest.mark.parametrize("answer_format", ["json", "tags"])
def test_our_feedback_is_one_line_whatever_the_response(env_id: str, answer_format: str) -> None:
    env = begun(env_id, answer_format=answer_format)
    kinds = env.config.kinds
    lines = {kind: f"{kind} " + "".join(f"{{{slot}}}" for slot in slots) for kind, slots in kinds.items()}
    for feedback in ("none", lines):
        own = begun(env_id, answer_format=answer_format, feedback=feedback)
        for response in HOSTILE:
            line = own.judge(response).feedback
            assert line
            assert len(line) <= LONGEST_LINE
            assert set(line) <= set(PRINTABLE) - {"\n"}


@given(odd_responses())
@settings(max_examples=60, deadline=None)
def test_lines_with_every_slot_are_said_to_any_response(response: str) -> None:
    lines = {kind: "".join(f"{{{slot}}}" for slot in slots) for kind, slots in begun_lines.items()}
    feedback = verienv.judge({**HAND, "feedback_lines": json.dumps(lines)}, response).feedback
    assert set(feedback) <= set(PRINTABLE) - {"\n"}


begun_lines = {kind: slots for kind, slots in begun(CARDS).config.kinds.items() if slots}


@given(st.text(max_size=2000))
@settings(deadline=None)
def test_one_line_is_printable_and_bounded(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LONGEST_LINE
    assert set(line) <= set(PRINTABLE) - {"\n"}
    assert one_line(line) == line


@pytest.mark.parametrize("given", ["default", "none", {"wrong": "No.", "correct": "Yes."}])
def test_a_feedback_is_read_back_from_its_text(given: Any) -> None:
    feedback = parse_feedback(given)
    assert parse_feedback(feedback.plain) == feedback
    assert parse_feedback(feedback) is feedback
