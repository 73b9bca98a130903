"""The floors of the house: who imports whom under src/, read from the syntax trees."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tests.contract.playing import EXAMPLES, MODULES, OUTSIDE

from verienv.registry import SHIPPED

SRC = Path(__file__).parents[2] / "src"
TASKS = tuple(entry.partition(".task:")[0] for entry in SHIPPED)
TASK_ROOMS = (*TASKS, "verienv.numeric", "verienv.compat")
LONGEST = 300

FLOORS = {
    0: ("core", "answers"),
    1: ("arithmetic", *(task.removeprefix("verienv.") for task in TASKS)),
    2: (
        "registry",
        *(f"{task.removeprefix('verienv.')}.{room}" for task in TASKS for room in ("env", "vision_env", "task")),
    ),
    3: (
        "demos",
        "evaluation",
        "policies",
        "preferences",
        "replay",
        "testing",
        "numeric",
        "pages",
        "browsing",
        "playing",
    ),
    4: ("cli", "adapters", "compat"),
}
"""The floor of a room, by the longest name that it begins with; verienv itself, its face, looks at all."""

HEADLESS = re.compile(r"(What|Where|Of|At which|The same)\b")


@dataclass(frozen=True)
class Import:
    """One import: who, whom, at which line, and when it happens."""

    module: str
    target: str
    line: int
    is_lazy: bool
    is_for_types: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every module under src/, by its full name."""
    return {
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text("utf-8")
        )
        for path in sorted(SRC.rglob("*.py"))
    }


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for module, tree in trees().items() for found in _imports(module, tree, False, False))


def _imports(module: str, node: ast.AST, is_lazy: bool, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(module, name.name, child.lineno, is_lazy, is_for_types)
        elif isinstance(child, ast.ImportFrom):
            for name in child.names:
                whole = f"{child.module}.{name.name}"
                target = whole if whole in trees() else str(child.module)
                yield Import(module, target, child.lineno, is_lazy, is_for_types)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for part in child.body:
                yield from _imports(module, ast.Module([part], []), is_lazy, True)
            for part in child.orelse:
                yield from _imports(module, ast.Module([part], []), is_lazy, is_for_types)
        else:
            inner = is_lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(module, child, inner, is_for_types)


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def floor(module: str) -> int:
    room = module.removeprefix("verienv.")
    if module == "verienv":
        return max(FLOORS) + 1
    fitting = [(len(name), number) for number, names in FLOORS.items() for name in names if is_in(room, (name,))]
    assert fitting, f"{module} stands on no floor: give it one here, and in DESIGN.md"
    return max(fitting)[1]


def test_imports_are_absolute() -> None:
    relative = [
        f"{module}:{node.lineno}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_no_shared_room_imports_a_task() -> None:
    assert not [str(one) for one in imports() if is_in(one.target, TASKS) and not is_in(one.module, TASK_ROOMS)]


def test_tasks_never_import_each_other() -> None:
    faults = [
        str(one)
        for one in imports()
        for task in TASKS
        if is_in(one.module, (task,)) and is_in(one.target, tuple(other for other in TASKS if other != task))
    ]
    assert not faults


def test_imports_go_down_the_floors_or_stay_on_one() -> None:
    ours = [one for one in imports() if is_in(one.target, ("verienv",)) and not is_of_a_face(one)]
    assert not [str(one) for one in ours if floor(one.target) > floor(one.module)]


def is_of_a_face(one: Import) -> bool:
    """Whether a package declares for type checkers a name of its own rooms, which it loads when that is asked for."""
    return one.is_for_types and one.target.startswith(f"{one.module}.")


def test_core_imports_nothing_above_core() -> None:
    core = [one for one in imports() if is_in(one.module, ("verienv.core",)) and is_in(one.target, ("verienv",))]
    assert core
    assert not [str(one) for one in core if floor(one.target) > 0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle in a graph of imports, [] if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("for_types_too", [False, True], ids=["when it runs", "for types too"])
def test_there_is_no_circle_of_imports_lazy_ones_included(for_types_too: bool) -> None:
    graph = {module: set[str]() for module in trees()}
    for one in imports():
        if one.target in graph and (for_types_too or not one.is_for_types):
            graph[one.module].add(one.target)
    if for_types_too:
        graph["verienv"] = set()  # its names, lazy all, are declared for type checkers from every floor
    assert not circle(graph)


def test_a_module_has_at_most_300_lines() -> None:
    lengths = {str(path.relative_to(SRC)): len(path.read_text("utf-8").splitlines()) for path in SRC.rglob("*.py")}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


TRAINING = ("torch", "transformers", "trl", "verl", "datasets", "peft", "accelerate", "tokenizers", "safetensors")


ROOMS = ("model", "sampling", "run", "distributed", "scoring", "asking", "episodes")
SITTINGS = {"sft": 250, "ppo": 250, "reward": 200, "best_of_n": 130, **dict.fromkeys(ROOMS, 150)}
"""The most lines of a training script, which holds its algorithm whole, and of the rooms below it."""


@pytest.mark.parametrize("script", SITTINGS)
def test_a_training_script_is_read_in_one_sitting(script: str) -> None:
    assert len((EXAMPLES / f"{script}.py").read_text("utf-8").splitlines()) <= SITTINGS[script]


LOADED_LATE = ("verienv.policies.hugging_face",)
"""The package of modules that are torch code through and through; all others import them in functions."""


def test_no_module_imports_a_training_library_at_its_top() -> None:
    tops = [one for one in imports() if not one.is_lazy and not one.is_for_types and not is_in(one.module, LOADED_LATE)]
    assert not [str(one) for one in tops if is_in(one.target, (*TRAINING, *LOADED_LATE))]


def test_importing_verienv_loads_neither_pydantic_nor_sympy_nor_pil() -> None:
    heavy = ("pydantic", "sympy", "PIL", *TRAINING)
    code = f"import sys, verienv; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings that stand as statements: docstrings, also those of attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def test_no_docstring_begins_without_a_head() -> None:
    faults = [
        f"{module}:{text.lineno} {str(text.value).strip().partition(chr(10))[0]}"
        for module, tree in trees().items()
        for text in docstrings(tree)
        if HEADLESS.match(str(text.value).strip())
    ]
    assert not faults, "\n".join(faults)


def test_an_outside_task_costs_one_file_and_no_line_under_src() -> None:
    words = re.compile("|".join([*MODULES.values(), *OUTSIDE.values(), *OUTSIDE]), re.IGNORECASE)
    said = [
        f"{path.relative_to(SRC)}: {line.strip()}"
        for path in SRC.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for line in path.read_text("utf-8", errors="ignore").splitlines()
        if words.search(line)
    ]
    assert not said


@pytest.mark.parametrize("module", MODULES.values())
def test_an_outside_task_is_short_enough_to_be_read(module: str) -> None:
    lines = (EXAMPLES / f"{module}.py").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 100


@pytest.mark.parametrize("module", MODULES.values())
def test_an_outside_task_imports_none_of_the_shipped_ones(module: str) -> None:
    tree = ast.parse((EXAMPLES / f"{module}.py").read_text("utf-8"))
    assert not [one for one in _imports(module, tree, False, False) if is_in(one.target, TASK_ROOMS)]
