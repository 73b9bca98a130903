import base64
import io
import json

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


@pytest.mark.parametrize(("env_id", "settings"), [(VISION_ID, {}), (VIEWS_ID, {"view_size": 96})])
def test_a_picture_is_a_data_url_that_decodes_to_the_same_pixels(env_id, settings):
    played = episode(env_id, **settings)
    [message] = openai.messages(played)
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["image_url", "text"]
    assert np.array_equal(pixels(message["content"][0]), played.pictures[0])
    assert message["content"][1] == played.messages[0]["content"][1]


@pytest.mark.parametrize("env_id", [ID, ROUTES_ID])
def test_a_dialogue_in_words_stays_strings(env_id):
    played = episode(env_id)
    played.answer("I do not know.")
    assert openai.messages(played) == played.messages
    assert all(isinstance(message["content"], str) for message in openai.messages(played))


@pytest.mark.parametrize("env_id", [ID, VISION_ID, ROUTES_ID])
def test_json_can_hold_the_messages(env_id):
    played = episode(env_id)
    played.answer("\ud800 {")
    found = openai.messages(played)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("env_id", [ID, VISION_ID])
def test_after_an_answer_the_newest_message_of_the_user_is_last(env_id):
    played = episode(env_id)
    verdict = played.answer("I do not know.")
    question, answer, feedback = openai.messages(played)
    assert (question["role"], answer["role"], feedback["role"]) == ("user", "assistant", "user")
    assert answer["content"] == "I do not know."
    assert feedback["content"] == f"{verdict.feedback}\nAttempt 2 of 5."


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
