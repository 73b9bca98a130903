import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from tests.adapters.rows import HAND, ID, RIGHT, ROUTES_ID, WRONG, pay

import verienv
from verienv.adapters.trl import reward, reward_function


@pytest.mark.parametrize(
    "completion",
    [
        RIGHT,
        [{"role": "assistant", "content": RIGHT}],
        [{"role": "assistant", "content": [{"type": "text", "text": RIGHT}]}],
        [
            {"role": "assistant", "content": WRONG},
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": RIGHT},
        ],
    ],
)
def test_a_correct_completion_is_paid_in_every_form_that_trl_gives(completion):
    assert pay(completion) == 5.0


def call(arguments, name="answer"):
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "arguments",
    [
        {"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": "4*3+2+10"},
        {"formula": "4*3+2+10", "action": None},
        RIGHT,
        json.dumps(RIGHT),
        '{"formula": "4*3+2+10",}',
        {"response": f"So: {RIGHT}"},
        json.dumps({"response": RIGHT}),
    ],
    ids=str,
)
@pytest.mark.parametrize("content", [None, "", "I submit it.", WRONG, [{"type": "text", "text": WRONG}]], ids=str)
def test_the_fields_of_the_last_tool_call_are_the_answer(arguments, content):
    calls = [call(WRONG), call(arguments)]
    assert pay([{"role": "assistant", "content": content, "tool_calls": calls}]) == 5.0
    assert pay([{"role": "assistant", "content": content, "tool_calls": calls[::-1]}]) == -1.0
    bare = {"role": "assistant", "content": content, "tool_calls": [{"name": "answer", "arguments": arguments}]}
    assert pay(bare) == 5.0
    assert pay({"role": "assistant", "content": content, "function_call": calls[1]["function"]}) == 5.0


@pytest.mark.parametrize("name", ["parameters", "input"])
def test_fields_of_a_call_may_have_the_names_that_other_models_give_them(name):
    call = {"name": "answer", name: {"formula": "4*3+2+10"}}
    assert pay([{"role": "assistant", "content": WRONG, "tool_calls": [call]}]) == 5.0


@pytest.mark.parametrize(
    "call",
    [
        {"type": "custom", "custom": {"name": "answer", "input": f"So: {RIGHT}"}},
        {"name": "answer", "arguments": RIGHT, "function": None},
        {"function": {"name": "answer", "arguments": RIGHT, "input": None}, "name": None, "custom": None},
    ],
    ids=str,
)
def test_a_call_may_be_of_any_form_with_nulls_for_the_other_forms(call):
    assert pay([{"role": "assistant", "content": None, "tool_calls": [call]}]) == 5.0


def test_messages_may_be_arrays_as_pandas_holds_what_parquet_held():
    def held(*items):
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array

    parts = held({"type": "text", "text": RIGHT, "image": None})
    calls = held(call({"formula": "4*3+2+10", "action": None}))
    for message in ({"content": RIGHT}, {"content": parts}, {"content": None, "tool_calls": calls}):
        assert pay(held({"role": "assistant", **message})) == 5.0


def test_a_tool_call_without_the_fields_leaves_the_content_the_answer():
    assert pay({"role": "assistant", "content": RIGHT, "tool_calls": [call({"query": "4*3"}, "search")]}) == 5.0


def test_parts_of_type_text_alone_count():
    reasoning = [{"type": kind, "text": WRONG} for kind in ("reasoning", "thinking", "refusal", None)]
    said = [*reasoning[:2], {"type": "text", "text": RIGHT}, *reasoning[2:], {"text": WRONG}, {"type": "reasoning"}]
    assert pay([{"role": "assistant", "content": said}]) == 5.0
    assert pay([{"role": "assistant", "content": [{"type": "reasoning", "text": RIGHT}]}]) == -3.0
    halves = [{"type": "text", "text": RIGHT[:9]}, {"type": "text", "text": RIGHT[9:]}]
    assert pay([{"role": "assistant", "content": halves}]) == 5.0


def test_words_of_the_user_or_of_a_tool_earn_nothing():
    said = [{"role": "assistant", "content": WRONG}, {"role": "tool", "name": "answer", "content": RIGHT}]
    assert pay(said) == -1.0


@pytest.mark.parametrize(
    "completion",
    [
        None,
        7,
        b"bytes",
        "",
        "\ud800{",
        [],
        [None],
        ["text"],
        [{}],
        {"role": "assistant"},
        [{"role": "assistant", "content": None, "tool_calls": [{"function": {}}]}],
        [{"role": "assistant", "content": None, "tool_calls": [None]}],
        [{"role": "assistant", "content": None, "tool_calls": {"0": {"function": {"arguments": RIGHT}}}}],
        [{"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": ["x"]}}]}],
        [{"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": {("x",): 1}}}]}],
        [{"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "[" * 100_000}}]}],
        {"role": "user", "content": RIGHT},
        {"role": "tool", "content": RIGHT, "tool_calls": [{"function": {"arguments": RIGHT}}]},
        [{"role": "assistant", "content": [{"type": "text", "text": None}, "x", {"type": "image"}]}],
    ],
)
def test_no_completion_raises(completion):
    assert pay(completion) == -3.0


def test_the_row_decides_rule_target_rewards_and_strictness():
    assert pay('{"formula": "4*3+2+13"}', rule={"J": 11, "Q": 12, "K": 13}, target=27) == 5.0
    assert pay(RIGHT, rewards={"base": "paper", "correct": 1.0}) == 1.0
    assert pay("{'formula': '4*3+2+10'}") == 5.0
    assert pay("{'formula': '4*3+2+10'}", strict=True) == -3.0


def test_in_vision_a_misread_hand_is_not_paid():
    assert pay(RIGHT, vision=True) == -1.5


def test_the_function_may_overrule_rewards_and_strictness_of_the_row():
    assert pay(RIGHT, reward_function("binary"), rewards={"base": "paper", "correct": 3.0}) == 1.0
    assert pay("{'formula': '4*3+2+10'}", reward_function(strict=True), strict=False) == -3.0


def test_a_row_of_another_task_is_passed_over():
    logged = {}
    paid = reward(
        prompts=["?", "?"],
        completions=[RIGHT, RIGHT],
        cards=[None, HAND["cards"]],
        log_metric=lambda name, value: logged.update({name: value}),
        log_extra=lambda name, values: logged.update({name: values}),
    )
    assert paid == [None, 5.0]
    assert logged == {
        "verienv/is_correct": 1.0,
        "verienv/cards_correct": 0.0,
        "verienv/numbers_correct": 0.0,
        "verienv/formula_valid": 1.0,
        "verienv_failure": ["", ""],
    }


def test_a_metric_that_only_rows_with_pictures_have_is_averaged_over_them():
    logged = {}
    named = '{"cards": ["4", "3", "2", "A"], "formula": "4*3+2+10"}'
    reward(
        prompts=["?"] * 3,
        completions=[RIGHT, named, RIGHT],
        cards=[HAND["cards"]] * 3,
        vision=[False, True, True],
        log_metric=lambda name, value: logged.update({name: value}),
    )
    assert logged["verienv/cards_read"] == (3 + 0) / 2
    assert logged["verienv/is_correct"] == 1 / 3


def test_a_dataset_without_a_column_of_a_task_is_an_error_that_says_what_to_do():
    with pytest.raises(
        ValueError, match=r"no column of a known task, .*cards \(GeneralPoints\).*; make it with verienv"
    ):
        reward(prompts=["?"], completions=[RIGHT])


def test_an_instance_that_is_not_the_hand_is_an_error():
    with pytest.raises(ValueError, match="is another puzzle than cards and target"):
        pay(RIGHT, instance="generalpoints:4-3-2-Q:24")


def test_the_name_that_trl_logs_tells_the_preset():
    assert (reward.__name__, reward_function("binary").__name__) == ("verienv", "verienv_binary")
    assert reward_function({"base": "paper", "correct": 1.0}, name="mine").__name__ == "mine"


def test_an_unknown_preset_is_an_error_at_once():
    with pytest.raises(ValueError, match="'papers' is not a preset"):
        reward_function("papers")


def test_the_reward_function_can_be_pickled():
    assert pay(RIGHT, pickle.loads(pickle.dumps(reward_function("binary")))) == 1.0  # noqa: S301


def test_importing_the_adapters_loads_no_training_library():
    code = (
        "import sys; from verienv.adapters import trl, verl; "
        "print([name for name in ('torch', 'transformers', 'datasets', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_row_of_a_third_task_among_both_is_passed_over():
    waypoint = {"move": "stop"}
    said = [RIGHT, '{"action": "stop()"}', RIGHT, RIGHT]
    columns = {"cards": [HAND["cards"], None, None, None], "waypoint": [None, waypoint, None, {"move": None}]}
    assert reward(prompts=["?"] * 4, completions=said, **columns) == [5.0, 1.0, None, None]


def test_a_table_of_rewards_that_does_not_fit_a_rows_task_is_an_error_that_names_it():
    only_virl = reward_function({"base": "paper", "wrong_action": -2.0})
    assert only_virl(prompts=["?"], completions=['{"action": "stop()"}'], waypoint=[{"move": "forward"}]) == [-1.5]
    with pytest.raises(ValueError, match="unknown setting 'wrong_action'"):
        pay(RIGHT, only_virl)
    with pytest.raises(ValueError, match=r"GeneralPoints: .*'wrong'.*; V-IRL: .*'wrong'"):
        reward_function({"wrong": 1.0})


def test_a_row_of_a_whole_route_is_refused_in_one_sentence():
    (row,) = verienv.rows(ROUTES_ID, n=1)
    assert row["unit"] == "route"
    with pytest.raises(
        ValueError, match="one completion cannot answer a whole route; make rows with unit='question'"
    ) as error:
        reward(prompts=["?"], completions=[RIGHT], **{name: [value] for name, value in row.items() if name != "prompt"})
    assert "\n" not in str(error.value)


def test_plain_rows_of_the_library_are_judged_as_those_of_a_dataset():
    rows = [*verienv.rows(ID, n=2), *verienv.rows(ROUTES_ID, n=2, unit="question")]
    columns = {name: [row.get(name) for row in rows] for row in rows for name in row if name != "prompt"}
    right = [verienv.Question.from_row(row).expert() for row in rows]
    assert reward(prompts=["?"] * 4, completions=right, **columns) == [5.0, 5.0, 1.0, 1.0]
