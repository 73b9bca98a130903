"""Slips in a task of one's own are errors that say what to do, at once and not somewhere else."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image
from tests.core.next_number import ENV_ID, NextNumber, NextNumberEnv, NextNumberTask

import verienv
from verienv.adapters import openai
from verienv.core.episode import Episode
from verienv.core.question import Picture
from verienv.core.task import Measures, Task
from verienv.replay import record


@dataclass(frozen=True, kw_only=True)
class Drawn(NextNumber):
    """A number in a picture, which ``pictures`` gives as it likes."""

    given: Any = None
    vision: bool = True

    @property
    def pictures(self) -> list[Picture]:
        return [self.given]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Image.new("RGB", (8, 8)), "Image; expected uint8 arrays, height x width x 3"),
        (np.zeros((8, 8, 3)), r"float64, \(8, 8, 3\)"),
        (np.zeros((8, 8), np.uint8), r"uint8, \(8, 8\)"),
    ],
)
def test_a_picture_that_is_no_array_of_pixels_is_refused_by_name(given: Any, told: str) -> None:
    episode = Episode(Drawn(number=3, given=given), NextNumberTask())
    with pytest.raises(TypeError, match=f"Drawn.pictures: {told}"):
        episode.pictures  # noqa: B018


class Forgetful(NextNumberEnv):
    """An environment whose author forgot to return the question."""

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Any:
        return None


class ForgetfulTask(NextNumberTask):
    name, title = "forgetful", "Forgetful"
    environments: ClassVar = {"tests/Forgetful-v0": "tests.core.test_own_tasks:Forgetful"}


@pytest.mark.usefixtures("listed")
def test_an_environment_that_deals_nothing_is_named_wherever_it_is_asked() -> None:
    verienv.register_task(ForgetfulTask())
    told = "Forgetful.deal returned None; expected a Question"
    with pytest.raises(TypeError, match=told):
        Forgetful().reset(seed=0)
    with pytest.raises(TypeError, match=told):
        verienv.rows("tests/Forgetful-v0", n=1)
    with pytest.raises(TypeError, match=told):
        list(verienv.demonstrations("tests/Forgetful-v0", n=1))
    with pytest.raises(TypeError, match=told):
        verienv.evaluate("expert", "tests/Forgetful-v0", ("train",), episodes=1)


@dataclass(frozen=True, kw_only=True)
class Seeded(NextNumber):
    """A question with a field that rows have for something else."""

    seed: int = 5


class SeededEnv(NextNumberEnv):
    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Any:
        return Seeded(number=1)


class SeededTask(NextNumberTask):
    name, title = "seeded", "Seeded"
    environments: ClassVar = {"tests/Seeded-v0": "tests.core.test_own_tasks:SeededEnv"}


@pytest.mark.usefixtures("listed")
def test_a_field_that_bears_the_name_of_a_column_of_rows_is_refused() -> None:
    verienv.register_task(SeededTask())
    with pytest.raises(ValueError, match=r"Seeded.seed: rows have a column of this name; rename the field"):
        verienv.rows("tests/Seeded-v0", n=1)


def test_a_class_in_place_of_a_task_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a task, not its class: register_task\(NextNumberTask\(\)\)"):
        verienv.register_task(NextNumberTask)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["name", "title", "environments"])
def test_a_task_without_a_name_a_title_or_environments_is_refused(missing: str) -> None:
    task = type("Half", (NextNumberTask,), {missing: {} if missing == "environments" else ""})()
    with pytest.raises(ValueError, match="Half: a task needs a name, a title and environments"):
        verienv.register_task(task)


@pytest.mark.usefixtures("registered")
def test_demonstrations_say_why_no_wrong_response_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"attempts=1 leaves no room for a wrong attempt"):
        verienv.demonstrations(ENV_ID, "revision", n=1, attempts=1)
    monkeypatch.setattr(NextNumberTask, "measures", lambda self, vision: Measures())
    with pytest.raises(ValueError, match="kind='preference': Next number names no failures in its measures"):
        verienv.demonstrations(ENV_ID, "preference", n=1)


@pytest.mark.usefixtures("registered")
def test_an_environment_of_gymnasiums_with_its_wrappers_is_recorded() -> None:
    env = gym.make(ENV_ID)
    env.reset(seed=0)
    assert record(env).env_id == ENV_ID  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [None, [1], "cards", 5])
def test_what_is_no_row_is_an_error_that_says_so(row: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a mapping, such as one of verienv\.rows"):
        verienv.judge(row, "")


@dataclass(frozen=True, kw_only=True)
class Counted(NextNumber):
    """A question whose answer is a number in JSON."""

    def expert(self, *, steps: bool = False) -> str:
        return json.dumps({"number": self.number + 1, "why": "it follows"})


class CountedTask(NextNumberTask):
    fields = ("number", "why")


def test_what_a_person_types_takes_the_place_of_the_deciding_field_of_the_experts_answer() -> None:
    typed = CountedTask().typed
    assert json.loads(typed(Counted(number=5), "850")) == {"number": 850, "why": "it follows"}
    assert json.loads(typed(Counted(number=5), "many")) == {"number": "many", "why": "it follows"}
    assert typed(Counted(number=5), '{"number": 1}') == '{"number": 1}'
    assert Task.typed(NextNumberTask(), NextNumber(number=5), "6") == "6"


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"environments": {"bad id!": "my:Env"}}, ValueError, "'bad id!' is no id of Gymnasium's"),
        ({"environments": ["tests/Own-v0"]}, TypeError, "expected ids and entry points|expected ids with"),
        ({"environments": {"tests/Own-v0": "nowhere"}}, TypeError, "'nowhere' is no entry point"),
        ({"name": 3}, TypeError, "name, title and column must be strings"),
        ({"column": "instance"}, ValueError, "column='instance': every task's rows have it"),
        ({"column": "cards"}, ValueError, "column='cards': GeneralPoints has this column already"),
        ({"fields": "formula"}, TypeError, r"fields='formula': expected a tuple"),
        ({"name": "virl"}, ValueError, "name='virl': another task is registered under this name"),
    ],
)
def test_a_task_that_cannot_be_is_refused_and_nothing_is_registered(
    listed: dict[str, Task], changes: dict[str, Any], error: type[Exception], told: str
) -> None:
    own = {"name": "own", "title": "Own", "environments": {"tests/Own-v0": "tests.core.next_number:NextNumberEnv"}}
    before = dict(listed)
    with pytest.raises(error, match=told):
        verienv.register_task(type("OwnTask", (NextNumberTask,), {**own, **changes})())
    assert listed == before
    assert "tests/Own-v0" not in gym.registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Slotted(NextNumber):
    """A question in a class with slots."""

    extra: int = 1


def test_a_question_with_slots_can_be_changed_too() -> None:
    assert Slotted(number=1).again() == Slotted(number=1, attempt=2)
    assert Slotted(number=1).but(extra=2) == Slotted(number=1, extra=2)


class Stubborn(NextNumberEnv):
    """An environment that deals what it likes."""

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Any:
        return NextNumber(number=4, attempts=3)


def test_an_environment_that_deals_another_instance_is_found_out() -> None:
    with pytest.raises(ValueError, match=r"instance='next:9': Stubborn.deal gave 'next:4' in its place"):
        Stubborn().reset(options={"instance": "next:9"})
    assert Stubborn().reset(options={"instance": "next:4"})[1]["instance"] == "next:4"


@dataclass(frozen=True, kw_only=True)
class Pair(Drawn):
    """A question with two pictures."""

    @property
    def picture_count(self) -> int:
        return 2

    @property
    def pictures(self) -> list[Picture]:
        return [self.given] * 2


def test_each_picture_of_a_question_has_a_place_in_its_message() -> None:
    square = np.zeros((8, 8, 3), np.uint8)
    episode = Episode(Pair(number=3, given=square), NextNumberTask())
    (message,) = openai.messages(episode)
    assert [part["type"] for part in message["content"]] == ["image_url", "image_url", "text"]
    with pytest.raises(TypeError, match=r"Drawn\.pictures: 2, but picture_count is 1"):
        Episode(type("Drawn", (Pair,), {"picture_count": 1})(number=3, given=square), NextNumberTask()).pictures  # noqa: B018
