"""Settings that a reset changes, on a task of two questions."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.core.next_number import NextNumber, NextNumberConfig, NextNumberEnv


class Config(NextNumberConfig):
    changeable: ClassVar[tuple[str, ...]] = ("most", "least")
    least: int = 0


class Env(NextNumberEnv):
    settings = Config
    config: Config

    def prepare(self) -> None:
        if self.config.least >= self.config.most:
            raise ValueError(f"least={self.config.least}: there is no number below {self.config.most}")
        self.span = (self.config.least, self.config.most)

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> NextNumber:
        return super().deal(rng, instance) if instance else NextNumber(number=int(rng.integers(*self.span)))


def number(env: Env, **reset: Any) -> int:
    env.reset(**reset)
    return int(env.instance.partition(":")[2])


def options(**settings: Any) -> Mapping[str, Any]:
    return {"options": settings}


def test_a_changed_setting_holds_for_this_episode_and_those_that_follow() -> None:
    env = Env()
    assert number(env, **options(most=1)) == 0
    assert [number(env), number(env, seed=5), number(env, options={})] == [0, 0, 0]
    assert (env.config.most, env.span) == (1, (0, 1))


def test_a_reset_that_names_settings_changes_those_of_gym_make() -> None:
    env = Env(least=90)
    env.reset(options={"most": 91})
    assert number(env, seed=3, options={"least": 95}) == number(Env(least=95), seed=3)
    assert (env.config.least, env.config.most) == (95, 100)


def test_a_seed_and_options_that_name_settings_are_the_same_episode_at_any_time() -> None:
    env = Env()
    first = number(env, seed=7, options={"most": 50})
    for before in ({"most": 3}, {"least": 97}, {"least": 2, "most": 4}):
        env.reset(options=before)
        assert number(env, seed=7, options={"most": 50}) == first == number(Env(most=50), seed=7)


def test_an_instance_is_for_one_episode_and_keeps_the_settings() -> None:
    env = Env()
    env.reset(options={"most": 1})
    assert number(env, options={"instance": "next:5"}) == 5
    assert number(env) == 0
    assert number(env, options={"instance": "next:5", "most": 2}) == 5
    assert env.config.most == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"most": "x"}, "most='x'"),
        ({"least": 200}, "least=200: there is no number below 100"),
        ({"attempts": 2}, r"reset options \['attempts'\] are unknown; accepted: 'instance', 'most', 'least'"),
        ({"most": 50, "instance": "five"}, "instance='five'"),
        ({7: 1}, r"reset options \['7'\] are unknown"),
    ],
)
def test_options_that_cannot_be_met_change_nothing(given: dict[Any, Any], message: str) -> None:
    env = Env()
    env.reset(options={"most": 1})
    with pytest.raises(ValueError, match=message):
        env.reset(options=given)
    assert number(env) == 0
    assert (env.config.most, env.span) == (1, (0, 1))


def test_a_callers_list_may_change_after_the_reset() -> None:
    env, span = Env(), {"most": 1}
    env.reset(options=span)
    span["most"] = 2
    env.reset(options=span)
    assert env.config.most == 2


def test_the_same_options_again_prepare_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    env = Env()
    env.reset(options={"most": 1})
    monkeypatch.setattr(env, "prepare", lambda: pytest.fail("prepared again"))
    env.reset(options={"most": 1})
