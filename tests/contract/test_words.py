"""One word for one thing: no public name of the old vocabulary is left, and each new one is there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "verienv"
ROWS = re.findall(r"^\| `([\w.]+)` \| `?([\w.]+)`? \|$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__") for path in SRC.rglob("*.py")
}

OLD_WORDS = re.compile(
    r"(?:^|_)(?:seen|unseen|sees|sight|perception|flaws?|flawed|claims?|looks?|rail|film|still|dealer|telling|told|"
    r"known|piles?|heavy|frontage|facades?|panels?|masonry|scenery|wrappers?)(?:_|$)"
    r"|^(?:is_seen|made|asked|dealt|fitted|joined|numbered|fresh|written|packed|mixed|painted|positive|pooled|headed)$"
)
OLD_CLASSES = re.compile(
    r"Looks?(?![a-z])|Film|Still(?![a-z])|Telling|Claims?|Dealer|Frontage|Facades?|Public|Panel|Sight"
)


def public_names() -> Iterator[tuple[str, str]]:
    """Every public name under src/: modules, classes, functions, arguments, attributes of classes, constants."""
    for path in sorted(SRC.rglob("*.py")):
        module = ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
        yield module, module.rpartition(".")[2]
        yield from ((module, name) for name in _names(ast.parse(path.read_text())))


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child.name
            if isinstance(child, ast.ClassDef):
                yield from _names(child)
            else:
                yield from (each.arg for each in [*child.args.args, *child.args.kwonlyargs])
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from (each.id for each in targets if isinstance(each, ast.Name) and not each.id.startswith("_"))


@cache
def defined(module: str) -> set[str]:
    """The names that a module defines, attributes of its classes as "Class.name"."""
    path = SRC / module.replace(".", "/")
    tree = ast.parse(
        (path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py").read_text()
    )
    found = set(_names(tree))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for name in _names(node)}
    return found


def split(name: str) -> tuple[str, str]:
    """Module and name in "virl.world.lots.Lots.near"."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        if ".".join(parts[:count]) in MODULES:
            return ".".join(parts[:count]), ".".join(parts[count:])
    return "", name


def test_no_public_name_has_a_word_of_the_old_vocabulary() -> None:
    old = [f"{module}: {name}" for module, name in public_names() if OLD_WORDS.search(name) or OLD_CLASSES.search(name)]
    assert not old


def test_the_changelog_names_what_was_renamed() -> None:
    assert len(ROWS) > 200


def is_there(name: str) -> bool:
    module, rest = split(name)
    return bool(module) and (not rest or rest in defined(module))


def test_the_old_names_of_the_changelog_are_gone() -> None:
    assert not [old for old, _ in ROWS if is_there(old)]


def test_the_new_names_of_the_changelog_are_there() -> None:
    assert not [new for _, new in ROWS if new != "gone" and not is_there(new)]
