"""import verienv is light, and its names load when they are used."""

import subprocess
import sys

import pytest

import verienv
from verienv import generalpoints

HEAVY = ("pydantic", "sympy", "PIL", "torch", "transformers", "trl", "datasets", "typer", "rich", "hypothesis")


def loaded_by(code: str) -> set[str]:
    code = f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_verienv_loads_nothing_heavy() -> None:
    assert loaded_by("import verienv, verienv.registry") == set()


def test_importing_verienv_registers_the_ids() -> None:
    code = "import gymnasium, verienv\nassert 'verienv/GeneralPoints-L-v0' in gymnasium.registry"
    assert loaded_by(code) == set()


def test_making_an_environment_and_judging_a_wrong_answer_loads_no_sympy() -> None:
    code = "import gymnasium, verienv\ne = gymnasium.make('verienv/GeneralPoints-L-v0')\ne.reset()\ne.step('{}')"
    assert loaded_by(code) == {"pydantic"}


def test_an_environment_by_sight_loads_pil_besides() -> None:
    code = "import gymnasium, verienv\ne = gymnasium.make('verienv/GeneralPoints-VL-v0')\ne.reset()\ne.step('{}')"
    assert loaded_by(code) == {"pydantic", "PIL"}


@pytest.mark.parametrize("name", generalpoints.__all__)
def test_every_public_name_of_generalpoints_loads(name: str) -> None:
    assert getattr(generalpoints, name) is not None
    assert name in dir(generalpoints)


@pytest.mark.parametrize("name", verienv.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(verienv, name) is not None
    assert name in dir(verienv)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'verienv' has no attribute 'verify'"):
        verienv.verify  # noqa: B018


def test_verienv_has_a_version() -> None:
    assert verienv.__version__.count(".") == 2
