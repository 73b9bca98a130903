"""What the package declares agrees with what the repository holds. (make wheel builds one and uses it.)"""

import re
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verienv.core import tasks
from verienv.core.task import Task
from verienv.registry import SHIPPED

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
LATER = {"deepspeed", "low-memory"}
"""Extras whose lowest versions want a later torch than the lowest one: tests/integrations has them."""
ALONE = {"inspect", "lm-eval", "openenv"}
"""Extras that have an environment of their own: Inspect wants an older fsspec than ours, OpenEnv an older Pillow."""


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


PACKED: dict[str, str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]


def test_every_asset_is_packed_into_the_wheel() -> None:
    packed = {path: inside for path, inside in PACKED.items() if not path.startswith("assets/models/")}
    folders = {f"assets/{folder.name}" for folder in (ROOT / "assets").iterdir() if folder.is_dir()}
    assert set(packed) == folders - {"assets/models"}
    assert all(inside == f"verienv/{folder}" for folder, inside in packed.items())


def test_the_wheel_carries_the_built_in_models_in_half_precision_and_without_their_training() -> None:
    packed = {path: inside for path, inside in PACKED.items() if path.startswith("assets/models/")}
    files = {file.relative_to(ROOT).as_posix() for file in (ROOT / "assets" / "models").glob("*/*")}
    left_out = {file for file in files if Path(file).stem == "training" or Path(file).name == "model.safetensors"}
    assert set(packed) == files - left_out
    assert all(inside == f"verienv/{path.replace('.fp16', '')}" for path, inside in packed.items())
    assert sum((ROOT / path).stat().st_size for path in packed) <= 10e6


def test_the_source_archive_has_all_that_its_tests_need() -> None:
    source = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]
    needed = ("assets", "benchmarks", "docs", "examples", "src", "tests", "tools", "constraints.txt", "CITATION.cff")
    assert {f"/{name}" for name in needed} <= {*source["include"]}
    assert "exclude" not in source


@pytest.mark.parametrize("model", ["gp-arithmetic", "gp-rule", "gp-sight", "tiny-lm", "tiny-vlm"])
def test_the_weights_in_half_precision_are_the_rounded_ones(model: str) -> None:
    load_file = pytest.importorskip("safetensors.numpy").load_file
    whole, half = (load_file(ROOT / "assets" / "models" / model / f"model{kind}.safetensors") for kind in ("", ".fp16"))
    assert half.keys() == whole.keys()
    for name, weight in half.items():
        assert weight.dtype == np.float16
        assert np.array_equal(weight, whole[name].astype(np.float16)), name


def test_the_core_needs_five_packages_and_no_more() -> None:
    assert {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]} == {
        "gymnasium", "numpy", "pillow", "sympy", "pydantic",
    }  # fmt: skip


def test_every_declared_package_is_pinned_in_the_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    pinned = {name_of(line) for line in lines}
    together = [EXTRAS[extra] for extra in {*EXTRAS} - ALONE]
    declared = [*PROJECT["project"]["dependencies"], *(each for extra in together for each in extra)]
    assert {name_of(requirement) for requirement in declared} <= pinned
    assert "torch==2.13.0" in lines


def package_page() -> str:
    """The README as a package's page shows it, by the substitutions that the build makes."""
    page = (ROOT / "README.md").read_text()
    for each in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        page = re.sub(each["pattern"], each["replacement"], page)
    return page


def test_a_package_page_has_no_link_into_a_repository_that_is_not_there() -> None:
    readme, page = (ROOT / "README.md").read_text(), package_page()
    relative = r"\]\((?!https?://)([^)]*)\)"
    assert len(re.findall(relative, readme)) > 10
    assert not re.findall(relative, page)
    assert page.count("](https://") == readme.count("](https://")
    assert page.count("```") == readme.count("```")


def test_what_a_link_of_the_readme_leads_to_is_named_on_a_package_page_and_is_there() -> None:
    page = package_page()
    for path in re.findall(r"(?<!!)\[[^\]]+\]\((?!https?://)([^)#]*)", (ROOT / "README.md").read_text()):
        assert f"`{path}" in page, path
        assert (ROOT / path).exists(), path


def test_the_source_archive_takes_files_from_the_top_alone() -> None:
    """In hatch's patterns, as in git's, README.md without a slash is that of every folder."""
    taken = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert all(each.startswith("/") and (ROOT / each[1:]).exists() for each in taken)


def test_every_lower_bound_is_one_that_make_test_lowest_installs() -> None:
    extras = {*EXTRAS} - {"assets", "docs", *LATER, *ALONE}  # two build what is in the repository; and see below
    path = ROOT / "tools" / "check_lowest.py"
    spec = spec_from_file_location("check_lowest", path)
    assert spec
    assert spec.loader
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert {extra for kind in tool.LIBRARIES.values() for extra in kind} == extras
    for requirement in [*PROJECT["project"]["dependencies"], *(each for name in extras for each in EXTRAS[name])]:
        assert re.fullmatch(r"[\w.-]+>=[\d.]+", requirement), requirement


def test_the_package_is_typed() -> None:
    assert (ROOT / "src" / "verienv" / "py.typed").is_file()


ENTRY_POINTS = {
    env_id: entry_point
    for task in map(tasks.named, ("generalpoints", "virl"))
    for env_id, entry_point in {**task.environments, **task.numeric}.items()
}


@pytest.mark.parametrize("entry_point", [*ENTRY_POINTS.values(), *SHIPPED])
def test_every_id_and_every_line_of_the_registry_lead_somewhere(entry_point: str) -> None:
    module, name = entry_point.split(":")
    assert module.startswith("verienv.")
    found = getattr(import_module(module), name)
    assert isinstance(found, Task) if entry_point in SHIPPED else callable(found)


def test_the_ids_are_those_that_results_are_published_with() -> None:
    assert set(ENTRY_POINTS) == {
        "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0", "verienv/VIRL-L-v0", "verienv/VIRL-VL-v0",
        "verienv/GeneralPoints-Tokens-v0", "verienv/GeneralPoints-VL-Tokens-v0", "verienv/VIRL-Discrete-v0",
        "verienv/VIRL-VL-Discrete-v0",
    }  # fmt: skip


def test_the_command_line_is_installed_as_verienv() -> None:
    (command,) = entry_points(group="console_scripts", name="verienv")
    assert command.value == PROJECT["project"]["scripts"]["verienv"]


@pytest.mark.parametrize(
    ("extra", "file"),
    [("deepspeed", "deepspeed"), ("inspect", "inspect_ai"), ("lm-eval", "lm_eval"), ("openenv", "openenv")],
)
def test_the_lower_bound_of_a_library_of_its_own_is_what_make_test_integrations_installs(extra: str, file: str) -> None:
    (requirement,) = EXTRAS[extra]
    installed = (ROOT / "tests" / "integrations" / "requirements" / f"{file}.txt").read_text().split()
    assert requirement.replace(">=", "==") in installed


def test_the_entry_point_for_inspect_leads_to_what_registers_the_tasks() -> None:
    module, name = PROJECT["project"]["entry-points"]["inspect_ai"]["verienv"].split(":")
    assert name in dir(import_module(module))
