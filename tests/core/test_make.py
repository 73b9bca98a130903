"""Making an environment by its id, unwrapped, with errors of one line."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.core.next_number import ENV_ID

from verienv.core import tasks
from verienv.core.config import UnknownSettingError
from verienv.core.env import VerifiedEnv
from verienv.core.make import make_env

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("env_id", [env_id for task in tasks.every() for env_id in task.environments])
def test_an_environment_is_made_unwrapped_with_its_settings(env_id: str) -> None:
    env = make_env(env_id, split="test", attempts=2)
    assert type(env) is tasks.of_env_id(env_id).environment_class(env_id)
    assert (env.config.split, env.attempts) == ("test", 2)


@pytest.mark.usefixtures("registered")
def test_an_environment_of_a_task_from_outside_is_made() -> None:
    assert isinstance(make_env(ENV_ID), VerifiedEnv)


@pytest.mark.usefixtures("listed")
def test_the_module_before_a_colon_is_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = sys.modules.pop("my_task", None)
    try:
        assert make_env("my_task:mine/Countdown-v0", attempts=2).task.name == "countdown"
    finally:
        del sys.modules["my_task"]
        if before:
            sys.modules["my_task"] = before


@pytest.mark.parametrize(
    ("env_id", "settings", "message"),
    [
        ("verienv/Nothing-v0", {}, "env_id='verienv/Nothing-v0': "),
        ("no_such_module:x/Y-v0", {}, "env_id='no_such_module:x/Y-v0': .*no_such_module"),
        ("CartPole-v1", {}, "env_id='CartPole-v1' is no verienv environment"),
        ("CartPole-v1", {"split": "train"}, "env_id='CartPole-v1' is no verienv environment, or misses a setting"),
        ("verienv/VIRL-Discrete-v0", {}, "env_id='verienv/VIRL-Discrete-v0' is no verienv environment"),
        ("verienv/VIRL-L-v0", {"split": "dev"}, "split='dev': expected one of train, test"),
        ("verienv/VIRL-L-v0", {"render_mode": 5}, "render_mode=5: expected None or a string"),
        ("verienv/VIRL-L-v0", {"deck": "x" * 100_000}, "unknown setting 'deck'"),
    ],
)
def test_what_cannot_be_made_is_a_value_error_that_says_why(
    env_id: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make_env(env_id, **settings)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_unknown_setting_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownSettingError, match=r"unknown setting 'atempts' \(did you mean 'attempts'\?"):
        make_env("verienv/GeneralPoints-L-v0", atempts=2)
