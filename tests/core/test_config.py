"""Errors of one line that name the field, what was given and what is accepted."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from verienv.core.config import validate


def even(value: int) -> int:
    if value % 2:
        raise ValueError("expected an even number")
    return value


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(default=3, ge=1, le=9, strict=True)
    pairs: Annotated[int, AfterValidator(even)] = 2


def message_of(**settings: object) -> str:
    with pytest.raises(ValueError, match="Settings") as caught:
        validate(Settings, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_good_settings_make_the_model() -> None:
    assert validate(Settings, {"size": 5}) == Settings(size=5)


def test_a_number_out_of_range_is_told_the_range() -> None:
    assert message_of(size=10) == "Settings: size=10: expected an integer from 1 to 9"


def test_a_wrong_type_is_told_the_range_too() -> None:
    assert message_of(size="big") == "Settings: size='big': expected an integer from 1 to 9"


def test_our_own_sentence_follows_the_field_and_what_was_given() -> None:
    assert message_of(pairs=3) == "Settings: pairs=3: expected an even number"


def test_an_unknown_setting_is_named_with_the_nearest_and_all_accepted() -> None:
    message = message_of(sise=3)
    assert message.startswith("Settings: unknown setting 'sise' (did you mean 'size'? accepted: size, pairs)")


def test_an_unknown_setting_is_the_error_that_an_unknown_keyword_is() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
        validate(Settings, {"sise": 3})


def test_several_faults_are_all_named() -> None:
    assert "size=0" in message_of(size=0, pairs=1)
    assert "pairs=1" in message_of(size=0, pairs=1)


def test_a_long_value_is_cut() -> None:
    assert len(message_of(size="x" * 10_000)) < 200


def test_the_given_name_opens_the_message() -> None:
    with pytest.raises(ValueError, match=r"^rewards: size=0"):
        validate(Settings, {"size": 0}, "rewards")
