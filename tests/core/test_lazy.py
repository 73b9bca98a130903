"""lazy_attributes: a module loads with the first use of a name."""

import importlib
import subprocess
import sys
from pkgutil import iter_modules, walk_packages
from types import ModuleType

import pytest

import verienv
from verienv.core.lazy import lazy_attributes


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An empty package that offers a name of a verienv module, and a module."""
    made = ModuleType("verienv.offering")
    made.__path__ = []
    get, listed, public = lazy_attributes("verienv.offering", {"verienv.core.files": ["atomic_write"]}, ["rooms"])
    made.__getattr__, made.__dir__, made.__all__ = get, listed, public  # type: ignore[method-assign, assignment, attr-defined]
    monkeypatch.setitem(sys.modules, "verienv.offering", made)
    return made


def test_a_name_is_found_in_its_module_and_kept(package: ModuleType) -> None:
    from verienv.core.files import atomic_write

    assert "atomic_write" not in vars(package)
    assert package.atomic_write is atomic_write
    assert vars(package)["atomic_write"] is atomic_write


def test_a_module_is_a_name_too(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = ModuleType("verienv.offering.rooms")
    monkeypatch.setitem(sys.modules, "verienv.offering.rooms", rooms)
    assert package.rooms is rooms


def test_the_public_names_are_listed_without_loading_any(package: ModuleType) -> None:
    assert dir(package) == package.__all__ == ["atomic_write", "rooms"]
    assert "atomic_write" not in vars(package)


def test_a_module_that_is_not_listed_is_found_all_the_same() -> None:
    assert "registry" not in dir(verienv)
    assert verienv.registry is importlib.import_module("verienv.registry")


PACKAGES = sorted(
    {"verienv"} | {found.name for found in walk_packages(verienv.__path__, "verienv.") if found.ispkg}
)  # fmt: skip
MODULES = sorted(found.name for found in walk_packages(verienv.__path__, "verienv."))


def test_everything_is_an_attribute_after_importing_verienv() -> None:
    code = f"import verienv\nfor name in {MODULES}: print(eval(name).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == MODULES


def test_the_face_shows_the_names_and_the_subpackages_and_nothing_else() -> None:
    names = ["Episode", "Question", "Task", "Verdict", "VerifiedEnv", "check_verifier", "compare", "demonstrations"]
    names += ["evaluate", "judge", "register_feedback", "register_format", "register_prompt", "register_rewards"]
    names += ["register_task", "rows", "tasks"]
    packages = [name.removeprefix("verienv.") for name in PACKAGES if name.count(".") == 1]
    code = (
        "import sys, verienv; print(*dir(verienv)); print(*(set(sys.modules) & {'pydantic', 'sympy', 'PIL', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [" ".join(sorted([*names, *packages])), ""]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_of_a_package_is_that_of_another_module_below_it(name: str) -> None:
    package = importlib.import_module(name)
    assert set(dir(package)) >= set(getattr(package, "__all__", ()))
    for found in iter_modules(package.__path__):
        assert getattr(package, found.name) is importlib.import_module(f"{name}.{found.name}")


def test_another_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=r"module 'verienv.offering' has no attribute 'nothing'"):
        package.nothing  # noqa: B018
