"""Rows that anyone may have written: none imports, none opens a path, and each fault is told by its column."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import verienv
from verienv.core import tasks
from verienv.core.episode import Episode
from verienv.core.question import Question
from verienv.core.rows import MOST_STEPS

WORDS, SEEN, ROUTES, STREETS = (env_id for task in tasks.every() for env_id in task.environments)


class WATCHED:
    """Where the paths that are opened go, while a test looks at them: a hook cannot be taken away again."""

    paths: list[str] | None = None


def note(event: str, args: tuple[Any, ...]) -> None:
    if WATCHED.paths is not None and event in ("open", "os.listdir", "os.scandir"):
        WATCHED.paths.append(str(args[0]))


sys.addaudithook(note)


def row_of(env_id: str, **settings: Any) -> dict[str, Any]:
    (row,) = verienv.rows(env_id, n=1)
    return {**row, "settings": json.dumps(settings)}


@pytest.mark.parametrize("env_id", ["verienv_evil:mine/Game-v0", "os:verienv/VIRL-L-v0", "verienv_evil", "", 5, ["os"]])
def test_a_row_never_imports(env_id: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "verienv_evil.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = {**row_of(WORDS), "env_id": env_id}
    for read in (Episode.of, Question.from_row, lambda row: verienv.judge(row, "")):
        with pytest.raises(ValueError, match=r"env_id=.*: expected one of verienv/GeneralPoints-L-v0"):
            read(row)
    assert "verienv_evil" not in sys.modules


@pytest.mark.parametrize(
    ("env_id", "settings", "named"),
    [
        (ROUTES, {"data": "PATH"}, "data"),
        (STREETS, {"panoramas": "PATH"}, "panoramas"),
        (STREETS, {"data": "PATH", "panoramas": "PATH"}, "data, panoramas"),
        (ROUTES, {"city": "PATH.json"}, "city"),
        (ROUTES, {"city": ["grid-1", "PATH.json"]}, "city"),
        (SEEN, {"deck": "PATH"}, "deck"),
    ],
)
def test_a_row_opens_no_path_unless_it_is_trusted(
    env_id: str, settings: dict[str, Any], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = json.loads(json.dumps(settings).replace("PATH", str(tmp_path / "there")))
    row, opened = row_of(env_id, **settings), list[str]()
    monkeypatch.setattr(WATCHED, "paths", opened)
    monkeypatch.setattr(tasks.of_env_id(env_id), "environment", lambda *args, **kwargs: pytest.fail("made"))
    with pytest.raises(ValueError, match=rf"open paths of this machine \({named}\).*trusted=True"):
        Episode.of(row)
    assert not [path for path in opened if str(tmp_path) in path]
    monkeypatch.undo()
    with pytest.raises((ValueError, OSError), match="there"):
        Episode.of(row, trusted=True)


def test_a_trusted_row_opens_its_path(tmp_path: Path) -> None:
    path = tmp_path / "town.json"
    verienv.virl.save_city(verienv.virl.procedural_city("grid", 3), path)
    (row,) = verienv.rows(ROUTES, n=1, city=str(path))
    assert Episode.of(row, trusted=True).messages == row["prompt"]
    assert verienv.judge(row, Episode.of(row, trusted=True).expert()).is_correct
    with pytest.raises(ValueError, match=r"open paths of this machine \(city\)"):
        Episode.of(row)


def test_the_columns_that_judge_a_row_open_nothing_whatever_its_settings_say() -> None:
    assert not verienv.judge(row_of(ROUTES, data="/nowhere"), "").is_correct


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("seed", value) for value in ("5", 5.5, -1, True, float("inf"), 1e300, 2**64, 10**5000, [1])),
        *(("step", value) for value in ("1", -1, True, 0.5, 1, 10**5000, MOST_STEPS)),
        *(
            ("settings", value)
            for value in ("", "[]", "{", "{'split': 'train'}", "null", 5, {"split": "train"}, "[" * 100_000, b"\xff")
        ),
        *(("settings", f'{{"{name}": 1}}') for name in ("self", "env_id", "task", "render_mode", "bogus", "")),
        ("settings", '{"split": 3}'),
        ("settings", '{"attempts": "many"}'),
        *(("instance", value) for value in ("generalpoints:A-A-A-A:24", "x", 5, ["x"], {"x": 1})),
    ],
    ids=lambda value: ascii(value)[:30] if not isinstance(value, int) else "integer",
)
def test_a_malformed_column_is_a_value_error_that_names_it(column: str, value: Any) -> None:
    said = {"settings": r"settings|split=3|attempts='many'|unknown setting|render_mode"}.get(column, column)
    with pytest.raises(ValueError, match=said) as caught:
        Episode.of({**row_of(WORDS), column: value})
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", [{}, {"cards": None}, {"question": "?"}, {"instance": "chess:e4"}, {"waypoint": None}])
def test_the_row_of_no_known_task_is_an_error_that_tells_what_is_missing(row: dict[str, Any]) -> None:
    for read in (Episode.of, Question.from_row, lambda row: verienv.judge(row, "")):
        with pytest.raises(ValueError, match=r"no env_id, and no column of a known task: cards .* or waypoint"):
            read(row)


@pytest.mark.parametrize("env_id", [WORDS, ROUTES])
def test_a_step_beyond_the_end_is_an_error(env_id: str) -> None:
    with pytest.raises(ValueError, match=rf"step={MOST_STEPS - 1}: expected a smaller number, since \S+ ends before"):
        Episode.of({**row_of(env_id), "step": MOST_STEPS - 1})


def test_a_row_that_is_nested_too_deeply_is_a_value_error() -> None:
    (row,) = verienv.rows("verienv/GeneralPoints-L-v0", n=1)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for name in ("settings", "rule", "cards", "env_id", "seed", "rewards"):
        with pytest.raises(ValueError, match=r"."):
            Episode.of({**row, name: deep})
    for name in ("rule", "cards", "rewards"):
        with pytest.raises(ValueError, match=r"."):
            verienv.judge({**row, name: deep}, "")
    for depth in (985, 986, 987, 988, 989, 2000):
        with pytest.raises(ValueError, match=r"settings|attempts|nested"):
            Episode.of({**row, "settings": '{"attempts": ' + "[" * depth + "]" * depth + "}"})


def test_errors_show_a_long_value_in_short() -> None:
    (row,) = verienv.rows("verienv/GeneralPoints-L-v0", n=1)
    for name in ("env_id", "rule", "rewards", "instance", "settings"):
        with pytest.raises(ValueError, match=r".") as error:
            Episode.of({**row, name: "x" * 1_000_000})
        assert len(str(error.value)) < 1000


def test_a_city_is_named_once() -> None:
    (row,) = verienv.rows("verienv/VIRL-L-v0", n=1)
    with pytest.raises(ValueError, match=r"city=.*: expected each city once"):
        Episode.of({**row, "instance": None, "settings": json.dumps({"city": ["montevideo"] * 5000})})


@pytest.mark.parametrize("settings", [{"cards": 6, "target": 999_999}, {"cards": 5, "target": 99_991}])
def test_a_row_that_no_hand_meets_is_refused_within_seconds(settings: dict[str, Any]) -> None:
    begin = time.thread_time()
    with pytest.raises(ValueError, match="1000 deals brought no hand"):
        Episode.of({**row_of(WORDS, **settings), "instance": None})
    assert time.thread_time() - begin < 5  # six cards took a minute
