"""Messages: their form, copies that share nothing, pictures in their places."""

import numpy as np
import pytest
from PIL import Image

from verienv.core.dialogue import (
    attempt_line,
    copy_messages,
    images_of,
    parts_of,
    png,
    question_message,
    turn_messages,
    with_pictures,
)

RED = np.full((2, 3, 3), (255, 0, 0), np.uint8)


def test_a_question_in_words_is_a_text_and_one_with_pictures_a_list_of_parts() -> None:
    assert question_message("Q") == {"role": "user", "content": "Q"}
    parts = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "Q"}]
    assert question_message("Q", 2) == {"role": "user", "content": parts}


def test_an_attempt_is_a_response_and_the_feedback_on_it() -> None:
    assert turn_messages("4!", "Wrong.") == [
        {"role": "assistant", "content": "4!"},
        {"role": "user", "content": "Wrong."},
    ]
    assert attempt_line(2, 5) == "Attempt 2 of 5."


@pytest.mark.parametrize("images", [0, 1])
def test_a_copy_shares_nothing_that_can_change(images: int) -> None:
    messages = [question_message("Q", images), *turn_messages("R", "F")]
    copy = copy_messages(messages)
    assert copy == messages
    for part in parts_of(copy[0]):
        part["text"] = "changed"
    copy[1]["content"] = "changed"
    assert messages == [question_message("Q", images), *turn_messages("R", "F")]


def test_each_placeholder_takes_its_picture_and_the_messages_stay_as_they_were() -> None:
    messages = [question_message("Q", 2)]
    blue = Image.new("RGB", (3, 2), "blue")
    first, second, text = with_pictures(messages, [RED, blue])[0]["content"]
    assert first["image"].getpixel((0, 0)) == (255, 0, 0)
    assert second["image"] is blue
    assert text == {"type": "text", "text": "Q"}
    assert messages == [question_message("Q", 2)]


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_or_too_many_pictures_are_an_error(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 image placeholders in the messages, but {count} pictures"):
        with_pictures([question_message("Q", 1)], [RED] * count)


def test_a_png_holds_the_same_pixels() -> None:
    from io import BytesIO

    with Image.open(BytesIO(png(images_of([RED])[0]))) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), RED)
