import json
import math
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

from verienv.adapters.trl import Environment, NavigationEnvironment, dataset, response_text, reward, reward_function
from verienv.generalpoints import Puzzle, draw, expert_answer, verify
from verienv.virl import Waypoint, write_answer
from verienv.virl.env import VIRLEnv

os.environ["HF_HUB_OFFLINE"] = "1"

ID = "verienv/GeneralPoints-L-v0"
VISION_ID = "verienv/GeneralPoints-VL-v0"
ROUTES_ID = "verienv/VIRL-L-v0"
KINDS = ("prompt", "sft", "revision", "preference")
HAND = {"cards": ["4", "3", "2", "K"], "rule": {"J": 10, "Q": 10, "K": 10}, "target": 24}
RIGHT = '{"formula": "4*3+2+10"}'
WRONG = '{"formula": "4+3+2+10"}'


def pay(completion, function=reward, **columns):
    (paid,) = function(prompts=["?"], completions=[completion], **{k: [v] for k, v in (HAND | columns).items()})
    return paid


# The reward function


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
        [{"role": "assistant", "content": [{"type": "text", "text": None}, "x", {"type": "image"}]}],
    ],
)
def test_no_completion_raises(completion):
    assert pay(completion) == -3.0


def test_the_row_decides_rule_target_rewards_and_strictness():
    assert pay('{"formula": "4*3+2+13"}', rule={"J": 11, "Q": 12, "K": 13}, target=27) == 5.0
    assert pay(RIGHT, rewards={"correct": 1.0}) == 1.0
    assert pay("{'formula': '4*3+2+10'}") == 5.0
    assert pay("{'formula': '4*3+2+10'}", strict=True) == -3.0


def test_in_vision_a_misread_hand_is_not_paid():
    assert pay(RIGHT, vision=True) == -1.5


def test_the_function_may_overrule_rewards_and_strictness_of_the_row():
    assert pay(RIGHT, reward_function("binary"), rewards={"correct": 3.0}) == 1.0
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


def test_a_metric_that_only_rows_by_sight_have_is_averaged_over_them():
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


def test_a_dataset_without_hands_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="no column 'cards'; make it with verienv"):
        reward(prompts=["?"], completions=[RIGHT])


def test_an_instance_that_is_not_the_hand_is_an_error():
    with pytest.raises(ValueError, match="is another puzzle than cards and target"):
        pay(RIGHT, instance="generalpoints:4-3-2-Q:24")


def test_the_name_that_trl_logs_tells_the_preset():
    assert (reward.__name__, reward_function("binary").__name__) == ("verienv", "verienv_binary")
    assert reward_function({"correct": 1.0}, name="mine").__name__ == "mine"


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


# Datasets


def test_every_row_says_how_its_answer_is_judged():
    rows = dataset(ID, "rule_ood", n=4, seed=3, rewards="binary", strict=True, stated_rule="ten")
    for row in rows:
        puzzle = Puzzle(row["cards"], row["rule"], row["target"], row["stated_rule"])
        assert row["instance"] == puzzle.id
        assert row["values"] == list(puzzle.values)
        right = expert_answer(puzzle)
        columns = {name: [value] for name, value in row.items() if name != "prompt"}
        assert reward(prompts=[row["prompt"]], completions=[right], **columns) == [1.0]
        assert reward(prompts=[row["prompt"]], completions=[right.replace('"', "'")], **columns) == [0.0]


def test_the_same_seed_gives_the_same_rows_and_all_kinds_the_same_first_hand():
    first = dataset(ID, n=5, seed=1)
    assert first.to_list() == dataset(ID, n=5, seed=1).to_list()
    assert first["instance"] != dataset(ID, n=5, seed=2)["instance"]
    for kind in ("sft", "preference"):
        assert dataset(ID, n=5, seed=1, kind=kind)["instance"] == first["instance"]


def test_demonstrations_carry_the_columns_of_the_reward():
    row = dataset(ID, n=1, kind="revision", rule="rank")[0]
    assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "user"]
    columns = {name: [value] for name, value in row.items() if name not in ("prompt", "completion")}
    assert reward(prompts=[row["prompt"]], completions=[row["completion"]], **columns) == [5.0]


def test_steps_are_written_into_demonstrations_where_asked_for():
    said = dataset(ID, n=1, kind="sft", steps=True)[0]["completion"][0]["content"]
    assert said.count("\n") == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "dpo"}, "expected one of prompt, sft, revision, preference"),
        ({"n": 0}, "expected a positive number of rows"),
        ({"split": "visual_ood"}, "has no visual splits"),
        ({"rule": "tenn"}, "not a preset"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        dataset(ID, **wrong)


# Datasets by sight


@pytest.mark.parametrize("kind", KINDS)
def test_by_sight_rows_hold_the_picture_of_their_hand_through_the_disk(kind, tmp_path):
    from datasets import Image, load_from_disk

    dataset(VISION_ID, "visual_ood", n=3, kind=kind).save_to_disk(tmp_path / "rows")
    rows = load_from_disk(tmp_path / "rows")
    assert rows.features["images"].feature == Image()
    for row in rows:
        [image] = row["images"]
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (336, 336))
        assert np.array_equal(np.asarray(image), draw(row["cards"]))
        assert {card[-1] for card in row["cards"]} <= {"D", "H"}


@pytest.mark.parametrize("kind", KINDS)
def test_by_sight_trl_finds_a_placeholder_for_each_image(kind):
    from trl import prepare_multimodal_messages

    for row in dataset(VISION_ID, n=2, kind=kind):
        first, *others = prepare_multimodal_messages(row["prompt"], images=row["images"])
        assert [part["type"] for part in first["content"]] == ["image", "text"]
        assert first["content"][0]["image"] is row["images"][0]
        answers = [message for name in ("completion", "chosen", "rejected") for message in row.get(name, [])]
        for message in others + prepare_multimodal_messages(answers):
            assert [part["type"] for part in message["content"]] == ["text"]


def test_by_sight_every_row_says_how_its_answer_is_judged():
    for kind in KINDS:
        (row,) = dataset(VISION_ID, "rule_ood", n=1, kind=kind)
        assert row["vision"] is True
        right = json.loads(expert_answer(Puzzle(row["cards"], row["rule"], row["target"])))
        columns = {name: [value] for name, value in row.items() if name not in ("prompt", "completion")}
        assert reward(prompts=["?"], completions=[json.dumps(right)], **columns) == [5.0]
        assert reward(prompts=["?"], completions=[json.dumps(right | {"cards": []})], **columns) == [-1.5]


def test_in_words_there_is_no_column_of_images_and_no_vision():
    rows = dataset(ID, n=2, kind="sft")
    assert "images" not in rows.column_names
    assert rows["vision"] == [False, False]
    assert all(isinstance(row["prompt"][0]["content"], str) for row in rows)


# Datasets of routes, and of both tasks


def routes(n=12, split="rule_ood", kind="prompt", **settings):
    return dataset(ROUTES_ID, split, n=n, kind=kind, city="grid-0", **settings)


def answer_to(row, **changed):
    return write_answer(Waypoint(**row["waypoint"]), row["actions"], **changed)


def paid(rows, completions, function=reward):
    columns = {name: list(rows[name]) for name in rows.column_names if name not in ("prompt", "completion")}
    return function(prompts=list(rows["prompt"]), completions=completions, **columns)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_routes_are_waypoints_and_say_how_answers_are_judged(kind):
    rows = routes(40, kind=kind)
    assert len(set(zip(rows["instance"], rows["step"], strict=True))) == 40
    assert set(rows["actions"]) == {"relative"}
    assert paid(rows, [answer_to(row) for row in rows]) == [1.0] * 40
    misseen = [answer_to(row, action="turn_direction(up)", observation="A dragon.") for row in rows]
    assert paid(rows, misseen) == [-1.5] * 40
    assert paid(rows, misseen, reward_function("binary")) == [0.0] * 40


def test_rows_of_routes_follow_the_expert_along_the_episodes_of_the_same_seed():
    env = VIRLEnv(city="grid-0", prompt="diverse")
    over = True
    for number, row in enumerate(routes(50, "train", seed=6, prompt="diverse")):
        if over:
            env.reset(seed=6 if number == 0 else None)
        assert (row["prompt"], row["instance"], row["attempts"]) == (env.messages, env.instance, 2)
        assert (row["waypoint"]["move"], row["waypoint"]["heading"]) == (env.waypoint.move, env.waypoint.heading)
        over = env.step(answer_to(row))[2]


@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_demonstrations_along_routes_earn_what_they_say(kind):
    rows = routes(30, kind=kind)
    assert paid(rows, rows["completion"]) == rows["reward"] == [1.0] * 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_of_both_tasks_is_judged_row_by_row_also_through_the_disk(kind, tmp_path):
    from datasets import concatenate_datasets, load_from_disk

    both = concatenate_datasets([dataset(ID, n=20, kind=kind), routes(20, kind=kind)]).shuffle(seed=0)
    both.save_to_disk(tmp_path / "rows")
    logged = {}
    for rows in (both, load_from_disk(tmp_path / "rows")):
        right = [
            expert_answer(Puzzle(row["cards"], row["rule"])) if row["waypoint"] is None else answer_to(row)
            for row in rows
        ]
        assert paid(rows, right) == [5.0 if row["waypoint"] is None else 1.0 for row in rows]
        assert paid(rows, right, reward_function("binary")) == [1.0] * 40
        assert paid(rows, ["?"] * 40) == [-3.0 if row["waypoint"] is None else -1.5 for row in rows]
    columns = {name: list(both[name]) for name in both.column_names if name not in ("prompt", "completion")}
    reward(prompts=["?"] * 40, completions=right, log_metric=logged.__setitem__, **columns)
    assert logged["verienv/is_correct"] == logged["verienv/cards_correct"] == 1.0
    assert logged["verienv/observation_correct"] == 1.0
    assert 0 < logged["verienv/is_turn"] < 1


def test_a_row_of_a_third_task_among_both_is_passed_over():
    waypoint = {"move": "stop"}
    said = [RIGHT, '{"action": "stop()"}', RIGHT, RIGHT]
    columns = {"cards": [HAND["cards"], None, None, None], "waypoint": [None, waypoint, None, {"move": None}]}
    assert reward(prompts=["?"] * 4, completions=said, **columns) == [5.0, 1.0, None, None]


def test_a_table_of_rewards_that_does_not_fit_a_rows_task_is_an_error_that_names_it():
    only_virl = reward_function({"wrong_action": -2.0})
    assert only_virl(prompts=["?"], completions=['{"action": "stop()"}'], waypoint=[{"move": "forward"}]) == [-1.5]
    with pytest.raises(ValueError, match="unknown setting 'wrong_action'"):
        pay(RIGHT, only_virl)
    with pytest.raises(ValueError, match=r"GeneralPoints: .*'wrong'.*; V-IRL: .*'wrong'"):
        reward_function({"wrong": 1.0})


# Several attempts


def test_the_environment_gives_feedback_and_counts_attempts():
    environment = Environment()
    environment.reset(**HAND, attempts=2, prompt="ignored")
    told = environment.answer(["4", "3", "2", "K"], [4, 3, 2, 10], "4+3+2+10")
    assert told == "Wrong: the formula makes 19, not 24.\nAttempt 2 of 2."
    assert environment.answer(["4", "3", "2", "K"], [4, 3, 2, 10], "4*3+2+10") == "Correct."
    assert environment.get_reward() == 5.0


def test_after_the_last_attempt_no_answer_counts():
    environment = Environment()
    environment.reset(**HAND, attempts=1)
    environment.answer([], [], "4+3+2+10")
    assert environment.answer([], [], "4*3+2+10") == "The puzzle is over: no further answer counts."
    assert environment.get_reward() == -1.0


def test_a_rollout_without_an_answer_is_paid_as_unreadable():
    environment = Environment()
    environment.reset(**HAND)
    assert environment.get_reward() == -3.0


def test_by_sight_an_answer_with_misread_cards_is_paid_as_such():
    (row,) = dataset(VISION_ID, n=1)
    right = json.loads(expert_answer(Puzzle(row["cards"])))
    environment = Environment()
    environment.reset(**row)
    assert environment.answer(**(right | {"cards": ["A"] * 4})).startswith("The cards are not read right.")
    assert environment.get_reward() == -1.5
    environment.answer(**right)
    assert environment.get_reward() == 5.0


def test_a_reset_forgets_the_answers_before_it():
    environment = Environment()
    environment.reset(**HAND)
    environment.answer([], [], "4*3+2+10")
    environment.reset(**HAND)
    assert environment.get_reward() == -3.0


@pytest.mark.parametrize("formula", [None, 24, ["4"], {"a": float("nan")}, "\ud800", object()])
def test_no_answer_raises(formula):
    environment = Environment()
    environment.reset(**HAND)
    assert environment.answer(None, "x", formula).startswith("Wrong")


@pytest.mark.parametrize(
    ("environment", "tool"), [(Environment, "answer"), (NavigationEnvironment, "act")], ids=["puzzle", "waypoint"]
)
def test_trl_sees_one_tool(environment, tool):
    assert [name for name in vars(environment) if not name.startswith("_")] == ["reset", tool, "get_reward"]


@pytest.mark.parametrize("call", ["act", "get_reward"])
def test_before_the_first_reset_there_is_no_waypoint(call):
    arguments = ["", "", ""] if call == "act" else []
    with pytest.raises(RuntimeError, match=rf"call reset\(\*\*row\) before {call}\(\)"):
        getattr(NavigationEnvironment(), call)(*arguments)


def test_at_a_waypoint_the_environment_gives_feedback_and_counts_attempts():
    row = routes(1)[0]
    environment = NavigationEnvironment()
    environment.reset(**row)
    assert environment.get_reward() == -1.5
    told = environment.act("A dragon.", "", "stop()")
    assert told == "Wrong: this is not the action that the instruction asks for here.\nAttempt 2 of 2."
    assert environment.get_reward() == -1.5
    due = json.loads(answer_to(row))
    assert environment.act(due["current observation"], due["current instruction"], due["action"]) == "Correct."
    assert environment.get_reward() == 1.0
    assert environment.act("", "", "stop()") == "This waypoint is over: no further action counts."
    assert environment.get_reward() == 1.0


def test_what_was_seen_right_is_paid_even_with_a_wrong_action():
    row = routes(1)[0]
    environment = NavigationEnvironment()
    environment.reset(**row)
    environment.act(json.loads(answer_to(row))["current observation"], None, object())
    assert environment.get_reward() == -1.0


# Training

# TRL 1.16 uses names that transformers is about to rename.
trains = pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")


def tokenizer(template):
    """Bytes as tokens, and the marks of the chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    marks = ["<|im_start|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|pad|>", padding_side="left"
    )
    made.add_tokens(marks)
    made.chat_template = template
    return made


PLAIN = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_model(words):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)  # the model is too small for more
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=4096,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model, before):
    return any((value != before[name]).any() for name, value in model.state_dict().items())


def quiet(tmp_path, **settings):
    return {
        "output_dir": str(tmp_path),
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 1,
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "seed": 0,
        **settings,
    }


def speak(model, words, say):
    """Let ``say`` (row number, the whole text so far, the pixels if any) write what the policy samples."""
    import torch

    def generate(input_ids, pixel_values=None, **_):
        pixels = [()] * len(input_ids) if pixel_values is None else [(picture,) for picture in pixel_values]
        said = [
            [*words.encode(say(row, words.decode(ids), *seen), add_special_tokens=False), words.eos_token_id]
            for row, (ids, seen) in enumerate(zip(input_ids, pixels, strict=True))
        ]
        longest = max(map(len, said))
        padded = [ids + [words.pad_token_id] * (longest - len(ids)) for ids in said]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)

    model.generate = generate


@trains
def test_grpo_trains_on_the_rewards_of_the_verifier(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    rows = dataset(ID, n=4, attempts=1)
    puzzles = {row["prompt"][0]["content"]: Puzzle(row["cards"], row["rule"], row["target"]) for row in rows}

    def say(row, text):
        puzzle = next(puzzle for question, puzzle in puzzles.items() if question in text)
        return expert_answer(puzzle) if row % 2 else "I do not know."

    seen = []

    def spy(prompts, completions, instance, **columns):
        seen.append((prompts, completions, instance))
        return [0.0] * len(prompts)

    speak(model, words, say)
    before = weights(model)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[reward, spy],
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=96)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()

    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert len(steps) == len(seen) == 2
    for log, (prompts, completions, instances) in zip(steps, seen, strict=True):
        judged = [
            verify(response_text(completion), puzzles[prompt[0]["content"]])
            for prompt, completion in zip(prompts, completions, strict=True)
        ]
        assert instances[0::2] == instances[1::2]
        assert instances == [puzzles[prompt[0]["content"]].id for prompt in prompts]
        assert log["rewards/verienv/mean"] == sum(verdict.reward for verdict in judged) / len(judged) == 1.0
        assert log["verienv/is_correct"] == 0.5
        assert math.isfinite(log["loss"])
        assert log["grad_norm"] > 0
    assert changed(model, before)


@trains
def test_grpo_trains_on_what_the_policy_samples(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    trainer = GRPOTrainer(
        model=tiny_model(words),
        reward_funcs=reward_function("binary"),
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=8)),
        train_dataset=dataset(ID, n=4, prompt="diverse"),
        processing_class=words,
    )
    trainer.train()
    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert [log["rewards/verienv_binary/mean"] for log in steps] == [0.0, 0.0]
    assert all(math.isfinite(log["loss"]) for log in steps)


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
        environment_factory=Environment,
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    wrong = "Wrong: the formula does not use each card's number exactly once.\nAttempt 2 of 5."
    assert sorted(told) == ["Correct."] * 2 + [wrong] * 4
    assert log["rewards/Environment/mean"] == (5 - 2) / 2
    assert math.isfinite(log["loss"])
    assert changed(model, before)


@trains
@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_sft_trains_on_demonstrations(tmp_path, kind):
    from trl import SFTConfig, SFTTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    before = weights(model)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**quiet(tmp_path, max_steps=3)),
        train_dataset=dataset(ID, n=8, kind=kind),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
    assert changed(model, before)


@trains
def test_dpo_trains_on_preferences(tmp_path):
    from trl import DPOConfig, DPOTrainer

    words = tokenizer(PLAIN)
    start = tiny_model(words)
    start.save_pretrained(tmp_path / "start")
    trainer = DPOTrainer(
        model=str(tmp_path / "start"),  # from which TRL also loads the reference
        args=DPOConfig(**quiet(tmp_path)),
        train_dataset=dataset(ID, n=8, kind="preference"),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert changed(trainer.model, weights(start))


@trains
def test_grpo_trains_on_both_tasks_together(tmp_path):
    from datasets import concatenate_datasets
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    rows = concatenate_datasets([dataset(ID, n=2, attempts=1), routes(2, attempts=1)])
    answers = {
        row["prompt"][0]["content"]: expert_answer(Puzzle(row["cards"])) if row["cards"] else answer_to(row)
        for row in rows
    }

    def say(row, text):
        right = next(answer for question, answer in answers.items() if question in text)
        return right if row % 2 else "I do not know."

    speak(model, words, say)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(
            **quiet(tmp_path, max_steps=1, per_device_train_batch_size=8, num_generations=2, max_completion_length=256)
        ),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    assert log["rewards/verienv/mean"] == (2 * (5 - 3) + 2 * (1 - 1.5)) / 8
    assert log["verienv/is_correct"] == log["verienv/cards_correct"] == log["verienv/observation_correct"] == 0.5
    assert log["grad_norm"] > 0


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
        environment_factory=NavigationEnvironment,
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    wrong = "Wrong: this is not the action that the instruction asks for here.\nAttempt 2 of 2."
    assert sorted(told) == ["Correct."] * 2 + [wrong] * 4
    assert log["rewards/NavigationEnvironment/mean"] == (1 - 1) / 2
    assert math.isfinite(log["loss"])


@trains
@pytest.mark.parametrize("kind", ["sft", "preference"])
def test_sft_and_dpo_train_on_waypoints(tmp_path, kind):
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    model.save_pretrained(tmp_path / "start")  # from which DPO also loads the reference
    trainer_class, config = (SFTTrainer, SFTConfig) if kind == "sft" else (DPOTrainer, DPOConfig)
    trainer = trainer_class(
        model=str(tmp_path / "start"),
        args=config(**quiet(tmp_path, max_length=None)),
        train_dataset=routes(8, kind=kind),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert changed(trainer.model, weights(model))


# Training by sight

PIXELS, PATCH = 28, 14


def tiny_processor(stacked=False):
    """Of a LLaVA: ``tokenizer``, and pictures shrunk to four patches; ``stacked`` in one tensor, as Qwen-VL's do."""
    from transformers import LlavaProcessor, SiglipImageProcessorPil
    from trl.chat_template_utils import qwen3_vl_chat_template

    class Stacking(SiglipImageProcessorPil):
        def preprocess(self, images, *args, **settings):
            return super().preprocess(images, *args, **settings | {"return_tensors": "pt"})

    words = tokenizer(qwen3_vl_chat_template)
    words.add_tokens(["<|image_pad|>", "<|vision_start|>", "<|vision_end|>"])
    return LlavaProcessor(
        (Stacking if stacked else SiglipImageProcessorPil)(size={"height": PIXELS, "width": PIXELS}),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        chat_template=words.chat_template,
        image_token="<|image_pad|>",
    )


def tiny_llava(processor):
    import torch
    from transformers import LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

    language = tiny_model(processor.tokenizer).config
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlavaForConditionalGeneration(
        LlavaConfig(
            text_config=language,
            vision_config=SiglipVisionConfig(**size, image_size=PIXELS, patch_size=PATCH),
            image_token_id=processor.image_token_id,
            vision_feature_select_strategy="full",
            vision_feature_layer=-1,
        )
    )


def shrunk(processor, rows):
    """What the model shall see of each row: a tensor, rows x 3 x PIXELS x PIXELS."""
    return processor.image_processor([row["images"][0] for row in rows], return_tensors="pt")["pixel_values"]


def watched(model):
    """A list of all pixels that will reach the model."""
    seen = []

    def look(_, args, settings):
        seen.append(settings.get("pixel_values", args[0] if args else None).detach().clone())

    model.model.vision_tower.register_forward_pre_hook(look, with_kwargs=True)
    return seen


def same(these, those):
    """Whether two stacks hold the same pictures, in whatever order."""
    return sorted(map(hash, map(bytes, these.numpy()))) == sorted(map(hash, map(bytes, those.numpy())))


def vision_weights(model):
    return {name: value.clone() for name, value in model.state_dict().items() if "vision_tower" in name}


def has_changed(model, before):
    return any((model.state_dict()[name] != value).any() for name, value in before.items())


@trains
@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_sft_trains_on_demonstrations_by_sight(tmp_path, kind):
    from trl import SFTConfig, SFTTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, kind=kind)
    before, seen = vision_weights(model), watched(model)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**quiet(tmp_path, max_length=None)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert losses[1] < losses[0]
    assert len(seen) >= 2
    assert all(same(pixels, shrunk(processor, rows)) for pixels in seen)
    assert has_changed(model, before)


@trains
def test_dpo_trains_on_preferences_by_sight(tmp_path):
    from trl import DPOConfig, DPOTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, kind="preference")
    before, seen = vision_weights(model), watched(model)
    trainer = DPOTrainer(
        model=model,
        ref_model=tiny_llava(processor),
        args=DPOConfig(**quiet(tmp_path, max_steps=1, max_length=None)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    expected = shrunk(processor, [*rows, *rows])  # chosen and rejected
    assert seen
    assert all(same(pixels, expected) for pixels in seen)
    assert has_changed(model, before)


def looked_up(processor, rows):
    """The puzzle that a model with perfect sight recognises in pixels."""
    pictures, puzzles = shrunk(processor, rows), [Puzzle(row["cards"], row["rule"], row["target"]) for row in rows]

    def puzzle(pixels):
        (match,) = [puzzle for puzzle, picture in zip(puzzles, pictures, strict=True) if (picture == pixels).all()]
        return match

    return puzzle


@trains
def test_grpo_trains_by_sight_on_the_rewards_of_the_verifier(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, attempts=1)
    recognised = looked_up(processor, rows)
    paid = []

    def say(row, text, pixels):
        answer = json.loads(expert_answer(recognised(pixels)))
        return json.dumps(answer if row % 2 else answer | {"cards": ["A", "A", "A", "A"]})

    def spy(prompts, completions, cards, **columns):
        paid.append([verify(response_text(c), Puzzle(h), vision=True) for c, h in zip(completions, cards, strict=True)])
        return [0.0] * len(prompts)

    speak(model, processor.tokenizer, say)
    before, seen = vision_weights(model), watched(model)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[reward, spy],
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=96)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()

    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert len(steps) == len(paid) == 2
    for log, verdicts in zip(steps, paid, strict=True):
        assert [verdict.failure for verdict in verdicts] == ["misread", ""] * 2
        assert log["rewards/verienv/mean"] == sum(verdict.reward for verdict in verdicts) / 4 == (5 - 1.5) / 2
        assert log["verienv/cards_correct"] == 0.5
        assert log["grad_norm"] > 0
    hands = {recognised(picture).cards for pixels in seen for picture in pixels}
    assert hands == {tuple(row["cards"]) for row in rows}
    assert has_changed(model, before)


@trains
def test_grpo_trains_by_sight_over_several_attempts(tmp_path, monkeypatch):
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
        environment_factory=Environment,
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=1024)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    assert log["tools/call_frequency"] == 1.5
    assert log["rewards/Environment/mean"] == 5.0
    assert math.isfinite(log["loss"])
