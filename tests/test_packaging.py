"""What the package declares agrees with what the repository holds. (make wheel builds one and uses it.)"""

import re
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from verienv.registry import ENTRY_POINTS, NUMERIC_ENTRY_POINTS

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


def test_every_asset_but_the_models_is_packed_into_the_wheel() -> None:
    packed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    folders = {f"assets/{folder.name}" for folder in (ROOT / "assets").iterdir() if folder.is_dir()}
    assert set(packed) == folders - {"assets/models"}
    assert all(inside == f"verienv/{folder}" for folder, inside in packed.items())


def test_the_core_needs_five_packages_and_no_more() -> None:
    assert {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]} == {
        "gymnasium", "numpy", "pillow", "sympy", "pydantic",
    }  # fmt: skip


def test_every_declared_package_is_pinned_in_the_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    pinned = {name_of(line) for line in lines}
    declared = [*PROJECT["project"]["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
    assert {name_of(requirement) for requirement in declared} <= pinned
    assert "torch==2.13.0" in lines


def test_the_package_is_typed() -> None:
    assert (ROOT / "src" / "verienv" / "py.typed").is_file()


@pytest.mark.parametrize("entry_point", [*ENTRY_POINTS.values(), *NUMERIC_ENTRY_POINTS.values()])
def test_every_id_leads_to_an_environment(entry_point: str) -> None:
    module, name = entry_point.split(":")
    assert module.startswith("verienv.")
    assert callable(getattr(import_module(module), name))


def test_the_command_line_is_installed_as_verienv() -> None:
    (command,) = entry_points(group="console_scripts", name="verienv")
    assert command.value == PROJECT["project"]["scripts"]["verienv"]


@pytest.mark.parametrize(
    "room", sorted((ROOT / "src").rglob("*.py")), ids=lambda room: str(room.relative_to(ROOT / "src"))
)
def test_a_room_stays_readable(room: Path) -> None:
    assert len(room.read_text().splitlines()) <= 330


@pytest.mark.parametrize(
    "room", sorted((ROOT / "src").rglob("*.py")), ids=lambda room: str(room.relative_to(ROOT / "src"))
)
def test_imports_only_go_down(room: Path) -> None:
    text, inside = room.read_text(), room.relative_to(ROOT / "src" / "verienv").parts
    imported = re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE)
    if inside[0] == "core":
        assert not [name for name in imported if re.match(r"verienv\.(?!core)", name)]
    if inside[0] in ("generalpoints", "virl"):
        assert not [name for name in imported if re.match(rf"verienv\.(?!core|{inside[0]})", name)]
    assert not [name for name in imported if name.split(".")[0] in ("torch", "transformers", "trl", "datasets")]
