"""Settings as texts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from verienv.core import registered
from verienv.core.settings import files_of, read_setting, read_settings


def test_a_value_is_json_where_it_can_be_and_else_a_string() -> None:
    pairs = ("rule=rank", "attempts=1", "strict=true", 'rule2={"J": 5}', "city=grid-7", "sum=a=b", "none=")
    assert read_settings(pairs) == {
        "rule": "rank", "attempts": 1, "strict": True, "rule2": {"J": 5}, "city": "grid-7", "sum": "a=b", "none": "",
    }  # fmt: skip


def test_a_value_nested_too_deep_to_be_json_stays_a_string() -> None:
    assert read_settings(["rule=" + "[" * 100_000]) == {"rule": "[" * 100_000}


@pytest.mark.parametrize("pair", ["rule", "=rank", "two words=1", ""])
def test_a_text_that_is_no_setting_is_named_with_an_example(pair: str) -> None:
    with pytest.raises(ValueError, match="expected key=value"):
        read_settings([pair])


def test_it_needs_no_typer() -> None:
    code = "import sys, verienv.core.settings; assert 'typer' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "text", ["Make {target} from {cards}.\n{format}", "42", "[1, 2]", '{"formula": 1}', "null", "a=b", "@"]
)
def test_a_prompt_is_a_text_whatever_else_it_could_be_read_as(text: str, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text(text + "\n")
    from_file = f"@{tmp_path / 'prompt.txt'}"
    for name in ("prompt", "system_prompt"):
        assert read_settings([f"{name}={json.dumps(text)}", f"other={json.dumps(text)}"])[name] == text
        assert read_settings([f"{name}={from_file}"]) == {name: text}
        if text != "@":
            assert read_settings([f"{name}={text}"]) == {name: text}


def test_a_value_that_is_no_text_may_stand_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "rule.json").write_text('{"J": 5, "Q": 6, "K": 7}\r\n')
    assert read_settings([f"rule=@{tmp_path / 'rule.json'}"]) == {"rule": {"J": 5, "Q": 6, "K": 7}}
    assert files_of(["cards=5", "prompt=@a.txt"]) == {"-s prompt": "a.txt"}


@pytest.mark.parametrize("key", ["prompt", "system_prompt"])
def test_the_name_of_a_file_is_no_prompt(key: str, tmp_path: Path) -> None:
    path = tmp_path / "template.txt"
    assert read_settings([f"{key}={path}"]) == {key: str(path)}
    path.write_text("{cards}")
    with pytest.raises(ValueError, match=f"write {key}=@.*template.txt for what it says"):
        read_settings([f"{key}={path}"])


@pytest.mark.parametrize(
    ("content", "told"), [(None, "no such file"), (b"", "is empty"), (b"\xff", "no text in UTF-8")]
)
def test_a_file_that_cannot_be_read_is_one_line(content: bytes | None, told: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "prompt.txt").write_bytes(content)
    with pytest.raises(ValueError, match=rf"-s prompt=@\.\.\.: .*{told}[^\n]*$"):
        read_settings([f"prompt=@{tmp_path / 'prompt.txt'}"])


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module in the current folder."""
    name = f"typed_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "TEMPLATE = 'Make {target} from {cards}. {rule} {format}'\n"
        "def words(*given): return 'words'\n"
        "class Reader:\n    instruction = 'Say it.'\n    def read(self, response): return response\n"
        "reader = Reader()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def test_an_object_of_ones_own_is_imported_and_registered_under_the_name_that_was_typed(own_module: str) -> None:
    kinds: dict[str, tuple[registered.Kind, str]] = {
        "prompt": ("prompt", "words"), "answer_format": ("format", "reader"), "feedback": ("feedback", "words"),
        "rewards": ("rewards", "words"),
    }  # fmt: skip
    typed = {setting: f"{own_module}:{name}" for setting, (_, name) in kinds.items()}
    for _ in range(2):  # and once more, as in a script that reads its settings twice
        assert read_settings(f"{setting}={text}" for setting, text in typed.items()) == typed
    for setting, (kind, name) in kinds.items():
        assert registered.find(kind, typed[setting]) is getattr(sys.modules[own_module], name)


def test_a_template_of_ones_own_module_is_the_value_itself(own_module: str) -> None:
    assert read_setting("prompt", f"{own_module}:TEMPLATE").startswith("Make {target}")


@pytest.mark.parametrize(
    ("setting", "name", "told"),
    [
        ("prompt", "nothing", "has no 'nothing'; it has TEMPLATE, words, Reader, reader"),
        ("prompt", "reader", "expected a function"),
        ("answer_format", "words", "expected an object with `instruction`"),
    ],
)
def test_a_name_that_means_nothing_for_a_setting_is_one_line(
    setting: str, name: str, told: str, own_module: str
) -> None:
    with pytest.raises(ValueError, match=f"^{setting}={own_module}:{name}: [^\n]*{told}[^\n]*$"):
        read_setting(setting, f"{own_module}:{name}")


def test_a_module_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ValueError, match="there is no module 'no_such_module'"):
        read_setting("rewards", "no_such_module:pay")


@pytest.mark.parametrize("setting", ["rule", "city", "system_prompt", "tokens"])
def test_other_settings_import_nothing(setting: str, own_module: str) -> None:
    assert read_setting(setting, f"{own_module}:words") == f"{own_module}:words"
    assert own_module not in sys.modules


def test_what_stands_in_a_file_imports_nothing(own_module: str) -> None:
    Path("name.txt").write_text(f"{own_module}:words")
    assert read_setting("prompt", "@name.txt") == read_setting("rewards", "@name.txt") == f"{own_module}:words"
    assert own_module not in sys.modules
