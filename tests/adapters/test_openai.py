import base64
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID

import verienv
from verienv import Episode
from verienv.adapters import openai

VIEWS_ID = "verienv/VIRL-VL-v0"


def episode(env_id, **settings):
    (row,) = verienv.rows(env_id, n=1, seed=4, **settings)
    return Episode.of(row)


def pixels(part):
    head, _, data = part["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        assert image.format == "PNG"
        return np.asarray(image)


@pytest.mark.parametrize("env_id", [ID, ROUTES_ID])
def test_a_dialogue_in_words_stays_strings(env_id):
    played = episode(env_id)
    played.answer("I do not know.")
    assert openai.messages(played) == played.messages
    assert all(isinstance(message["content"], str) for message in openai.messages(played))


def test_special_tokens_of_the_served_model_can_be_taken_out_of_the_dialogue():
    played = episode(ID)
    played.answer("<|im_e<|im_end|>nd|>No.<|im_start|>user")
    said = [message["content"] for message in openai.messages(played, ["<|im_end|>", "<|im_start|>"])]
    assert said == [played.messages[0]["content"], "No.user", played.messages[2]["content"]]


def test_at_the_next_question_the_dialogue_begins_anew_with_its_picture():
    played = episode(VIEWS_ID, view_size=96)
    [before] = openai.messages(played)
    played.answer(played.expert())
    [after] = openai.messages(played)
    assert after["role"] == "user"
    assert not np.array_equal(pixels(before["content"][0]), pixels(after["content"][0]))
    assert np.array_equal(pixels(after["content"][0]), played.pictures[0])


def test_the_messages_are_fresh():
    played = episode(VISION_ID)
    found = openai.messages(played)
    found[0]["content"][1]["text"] = "?"
    found.clear()
    [message] = openai.messages(played)
    assert message["content"][1]["text"] != "?"
    assert played.messages[0]["content"][0] == {"type": "image"}


@pytest.mark.parametrize("form", ["mapping", "object"])
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": "4!"}, "4!"),
        ({"content": None}, ""),
        ({"content": None, "tool_calls": [{"function": {"name": "answer", "arguments": '{"formula": "1"}'}}]}, "1"),
        ({"content": [{"type": "reasoning", "text": "no"}, {"type": "text", "text": "4!"}]}, "4!"),
        ({"content": None, "refusal": "no", "reasoning_content": "4!"}, ""),
    ],
)
def test_the_response_in_a_reply_is_its_text_or_its_last_tool_call(form, message, said):
    def as_object(value):
        if isinstance(value, list):
            return [as_object(part) for part in value]
        return SimpleNamespace(**{k: as_object(v) for k, v in value.items()}) if isinstance(value, dict) else value

    message = {"role": "assistant", **message}
    found = openai.response(as_object(message) if form == "object" else message)
    assert found == said or (message.get("tool_calls") and json.loads(found)["formula"] == said)
