"""Adapters carry one's own wording: tools in every answer format, system prompts through every chat template."""

import json
from typing import Any

import pytest

import verienv
from verienv.adapters import openai, trl, verl
from verienv.core.assets import asset_path
from verienv.core.dialogue import without_system
from verienv.policies.hugging_face.template import for_template

CARDS, PICTURES, ROUTES = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0", "verienv/VIRL-L-v0"
HAND = {"cards": ["4", "3", "2", "K"]}
RIGHT = {"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": "4*3+2+10"}
FORMATS = ["json", "tags", "boxed", "line", "tags+cards+number"]

each_format = pytest.mark.parametrize("answer_format", FORMATS)


class Arrow:
    instruction = "Write -> and the formula."

    def read(self, response: str) -> str | None:
        return response.rpartition("->")[2].strip() if "->" in response else None


class Written(Arrow):
    def write(self, fields: dict[str, Any]) -> str:
        return "-> " + fields["formula"]


def called(arguments: Any, name: str = "answer") -> dict[str, Any]:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@each_format
def test_the_tool_of_trl_submits_in_the_answer_format_of_its_row(answer_format: str) -> None:
    environment = trl.environment("generalpoints")()
    environment.reset(**HAND, answer_format=answer_format)
    assert environment.answer(**{**RIGHT, "formula": "4+3+2+10"}).startswith("Wrong: the formula makes 19, not 24.")
    assert environment.answer(**RIGHT) == "Correct."
    assert environment.get_reward() == 4.0  # -1 and 5


@each_format
@pytest.mark.parametrize("formula", [None, 24, ["4"], {"a": float("nan")}, "\ud800", object(), "</answer>", "}" * 99])
def test_no_call_raises_in_any_format(answer_format: str, formula: Any) -> None:
    environment = trl.environment("generalpoints")()
    environment.reset(**HAND, answer_format=answer_format)
    assert environment.answer(None, "x", formula).startswith("Wrong")


@pytest.mark.parametrize("answer_format", ["json", "tags+observation+instruction", "boxed"])
def test_the_tool_of_a_route_submits_in_the_answer_format_of_its_row(answer_format: str) -> None:
    (row,) = verienv.rows(ROUTES, n=1, unit="question", answer_format=answer_format)
    walk = trl.environment("virl")()
    walk.reset(**row)
    waypoint = verienv.Question.from_row(row).facts
    assert walk.act(waypoint.observation, waypoint.sentence, waypoint.action) == "Correct."
    assert walk.get_reward() == 1.0


def test_a_format_that_writes_nothing_is_told_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from verienv.core import registered

    monkeypatch.setattr(registered, "_objects", {**registered._objects, "format": {"a": Arrow(), "w": Written()}})
    environment = trl.environment("generalpoints")()
    with pytest.raises(ValueError, match=r"reads answers but writes none, as experts and tools must: give it `write"):
        environment.reset(**HAND, answer_format="a")
    environment.reset(**HAND, answer_format="w")
    assert environment.answer([], [], None).startswith("Wrong")
    assert environment.answer(**RIGHT) == "Correct."


@each_format
@pytest.mark.parametrize("encoded", [False, True])
def test_a_tool_call_in_a_chat_is_judged_in_the_format_of_its_question(answer_format: str, encoded: bool) -> None:
    columns = {**HAND, "answer_format": answer_format}
    message = called(json.dumps(RIGHT) if encoded else RIGHT)
    episode = verienv.Episode.of(columns)
    assert episode.answer(openai.response(message, episode)).is_correct
    assert trl.reward(prompts=["?"], completions=[[message]], **{name: [each] for name, each in columns.items()}) == [5]
    assert verl.compute_score("", [message], json.dumps(columns))["score"] == 5.0  # type: ignore[arg-type]


@pytest.mark.parametrize("answer_format", FORMATS[1:])
def test_a_whole_response_in_another_format_than_asked_for_is_none(answer_format: str) -> None:
    columns = {**HAND, "answer_format": answer_format}
    for message in (called({"response": json.dumps(RIGHT)}), {"role": "assistant", "content": json.dumps(RIGHT)}):
        episode = verienv.Episode.of(columns)
        assert not episode.answer(openai.response(message, episode)).is_correct


class Template:
    """A tokenizer that writes dialogues as a chat template does."""

    def __init__(self, roles: tuple[str, ...], refuses: bool) -> None:
        self.roles, self.refuses = roles, refuses

    def apply_chat_template(self, messages: list[dict[str, Any]], **_: Any) -> str:
        if self.refuses and messages[0]["role"] not in self.roles:
            raise ValueError("System role not supported")
        return "".join(f"<{each['role']}>{each['content']}" for each in messages if each["role"] in self.roles)


@pytest.mark.parametrize("refuses", [False, True], ids=["left out", "refused"])
def test_a_system_prompt_that_a_template_does_not_tell_stands_before_the_question(refuses: bool) -> None:
    messages = verienv.rows(CARDS, n=1, system_prompt="Be brief.")[0]["prompt"]
    suited = for_template(Template(("user", "assistant"), refuses))(messages)
    assert [message["role"] for message in suited] == ["user"]
    assert suited[0]["content"] == f"Be brief.\n\n{messages[1]['content']}"


def test_a_template_with_a_system_role_is_given_the_dialogue_as_it_is() -> None:
    messages = verienv.rows(CARDS, n=1, system_prompt="Be brief.")[0]["prompt"]
    assert for_template(Template(("system", "user"), True))(messages) == messages


def test_a_dialogue_with_pictures_keeps_them_before_the_words() -> None:
    (row,) = verienv.rows(PICTURES, n=1, image_size=96, system_prompt="Look.")
    (message,) = without_system(row["prompt"])
    assert [part["type"] for part in message["content"]] == ["image", "text"]
    assert message["content"][1]["text"] == verienv.Episode.of(row).text
    assert without_system(row["prompt"][1:]) == row["prompt"][1:]


def test_the_built_in_model_is_told_the_system_prompt() -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(asset_path("models/tiny-lm")))
    messages = verienv.rows(CARDS, n=1, system_prompt="Be brief.")[0]["prompt"]
    assert for_template(tokenizer)(messages) == messages
    assert "Be brief." in tokenizer.apply_chat_template(messages, tokenize=False)


@pytest.mark.parametrize(
    "own", [{"system_prompt": "Be brief."}, {"think_first": True, "answer_format": "tags"}], ids=str
)
@pytest.mark.parametrize("env_id", [CARDS, PICTURES])
def test_datasets_of_every_kind_hold_the_wording(env_id: str, own: dict[str, Any]) -> None:
    pytest.importorskip("datasets")
    small = {"image_size": 96} if env_id == PICTURES else {}
    kinds: tuple[Any, ...] = ("prompt", "sft", "revision", "preference")
    for kind in kinds:
        row = trl.dataset(env_id, n=2, kind=kind, **own, **small)[1]
        roles = [message["role"] for message in row["prompt"]]
        assert roles[: 1 + ("system_prompt" in own)] == ["system", "user"][1 - ("system_prompt" in own) :]
        (plain,) = verienv.rows(env_id, n=1, **own, **small)
        assert verienv.Question.from_row(row).wording == verienv.Question.from_row(plain).wording
    (made,) = verl.rows(env_id, n=1, **own, **small)
    assert made["prompt"][0]["role"] == ("system" if "system_prompt" in own else "user")
    assert all(isinstance(message["content"], str) for message in made["prompt"])
