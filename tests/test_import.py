"""import verienv is light, and its names load when they are used."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import verienv
from verienv import generalpoints, virl

SRC = Path(verienv.__file__).parent
HEAVY = ("pydantic", "sympy", "PIL", "torch", "transformers", "trl", "datasets", "typer", "rich", "hypothesis")
FACE = {
    "tasks", "register_task", "Task", "Question", "Episode", "Verdict", "VerifiedEnv", "rows", "judge", "evaluate",
    "compare", "demonstrations", "check_verifier", "register_feedback", "register_format", "register_prompt",
    "register_rewards",
}  # fmt: skip
SUBPACKAGES = {each.name for each in pkgutil.iter_modules([str(SRC)]) if each.ispkg}
PACKAGES = [
    ".".join(("verienv", *folder.relative_to(SRC).parts))
    for folder in sorted(path.parent for path in SRC.rglob("__init__.py"))
]
PARALLEL = {
    "Failure", "REWARDS", "SPLITS", "VISUALS", "verify", "expert_answer", "write_answer", "wrong_answer",
    "write_question", "load_vectors",
}  # fmt: skip
"""The names that every task exports, and with the task's name before each of these:"""
NAMED_AFTER_THE_TASK = ("Config", "VisionConfig", "Env", "VisionEnv", "Question", "Rewards")


def printed(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def loaded_by(code: str) -> set[str]:
    return set(printed(f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"))


def test_importing_verienv_loads_nothing_heavy() -> None:
    assert loaded_by("import verienv, verienv.registry") == set()


def test_importing_verienv_loads_no_more_of_itself_than_the_tasks() -> None:
    rooms = set(printed("import sys, verienv\nprint(*(name for name in sys.modules if name.startswith('verienv.')))"))
    assert {"verienv.generalpoints.task", "verienv.virl.task"} <= rooms
    assert not {"verienv.core.env", "verienv.core.rows", "verienv.evaluation", "verienv.testing"} & rooms
    assert len(rooms) < 20


def test_looking_at_the_names_loads_nothing() -> None:
    assert (
        loaded_by("import verienv\ndir(verienv)\nverienv.__all__\ndir(verienv.virl)\ndir(verienv.generalpoints)")
        == set()
    )


def test_a_row_of_any_task_is_read_right_after_importing_verienv() -> None:
    code = "import verienv; print(verienv.Question.from_row({'cards': ['4', '3', '2', 'K']}).instance)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "generalpoints:4-3-2-K:24\n"


def test_importing_verienv_registers_the_ids() -> None:
    code = "import gymnasium, verienv\nassert 'verienv/GeneralPoints-L-v0' in gymnasium.registry"
    assert loaded_by(code) == set()


def test_making_an_environment_and_judging_a_wrong_answer_loads_no_sympy() -> None:
    code = "import gymnasium, verienv\ne = gymnasium.make('verienv/GeneralPoints-L-v0')\ne.reset()\ne.step('{}')"
    assert loaded_by(code) == {"pydantic"}


def test_an_environment_with_pictures_loads_pil_besides() -> None:
    code = "import gymnasium, verienv\ne = gymnasium.make('verienv/GeneralPoints-VL-v0')\ne.reset()\ne.step('{}')"
    assert loaded_by(code) == {"pydantic", "PIL"}


def test_judging_the_row_of_a_hand_loads_neither_sympy_nor_pil() -> None:
    code = "import verienv\nverienv.judge({'cards': ['4', '3', '2', 'K']}, '{}')"
    assert loaded_by(code) == {"pydantic"}


def test_after_a_bare_import_every_subpackage_is_there() -> None:
    assert {"adapters", "core", "evaluation", "generalpoints", "numeric", "replay", "testing", "virl"} <= SUBPACKAGES
    code = f"import verienv\nprint(*(getattr(verienv, name).__name__ for name in {sorted(SUBPACKAGES)}))"
    assert printed(code) == [f"verienv.{name}" for name in sorted(SUBPACKAGES)]


def test_after_a_bare_import_every_name_of_the_face_is_there() -> None:
    code = f"import verienv\nprint(*(getattr(verienv, name).__name__ for name in {sorted(FACE)}))"
    assert printed(code) == sorted(FACE)


def test_the_face_of_the_library_is_these_names_and_its_subpackages() -> None:
    assert set(dir(verienv)) == set(verienv.__all__) == FACE | SUBPACKAGES
    assert len(dir(verienv)) == len(FACE | SUBPACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_of_a_package_loads_and_is_shown(package: str) -> None:
    room = import_module(package)
    for name in getattr(room, "__all__", ()):
        assert getattr(room, name) is not None
        assert name in dir(room)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_exported_name_of_a_package_is_also_the_name_of_a_module_of_it(package: str) -> None:
    """Which of the two the name means would depend on what has been imported before."""
    room = import_module(package)
    below = {each.name: each.ispkg for each in pkgutil.iter_modules(room.__path__)}
    exported = set(getattr(room, "__all__", ())) - (SUBPACKAGES if package == "verienv" else set())
    assert not exported & set(below)


@pytest.mark.parametrize(("task", "name"), [(generalpoints, "GeneralPoints"), (virl, "VIRL")])
def test_the_tasks_export_the_same_names_for_the_same_things(task: object, name: str) -> None:
    assert PARALLEL | {name + each for each in NAMED_AFTER_THE_TASK} | {name.upper()} <= set(dir(task))


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error_that_names_the_package(package: str) -> None:
    with pytest.raises(AttributeError, match=rf"module '{package}' has no attribute 'nothing'"):
        import_module(package).nothing  # noqa: B018


def test_an_unknown_name_of_the_face_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'verienv' has no attribute 'verify'"):
        verienv.verify  # noqa: B018


def test_verienv_has_a_version() -> None:
    assert verienv.__version__.count(".") == 2
