"""lazy_attributes: a module loads with the first use of a name."""

import sys
from types import ModuleType

import pytest

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


def test_another_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=r"module 'verienv.offering' has no attribute 'nothing'"):
        package.nothing  # noqa: B018
