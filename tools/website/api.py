"""The pages of the API: one for each public module, written by autodoc from the docstrings."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import verienv.adapters

PACKAGES = (
    "verienv", "verienv.generalpoints", "verienv.virl", "verienv.answers", "verienv.testing", "verienv.evaluation",
    "verienv.demos", "verienv.policies", "verienv.preferences", "verienv.replay", "verienv.numeric",
)  # fmt: skip


def modules() -> list[str]:
    """Return the public modules: packages, then the adapters that can be imported without their library."""
    found = list(PACKAGES)
    for each in iter_modules(verienv.adapters.__path__):
        name = f"verienv.adapters.{each.name}"
        try:
            module = import_module(name)
        except ImportError:
            continue
        if not each.name.startswith("_") and (module.__doc__ or "").strip():
            found.append(name)
    return found


def target_of(module: str) -> str:
    return f"api/{module}.md"


def page(module: str) -> str:
    """Return the page of a module: its docstring, then each public name with its own."""
    public = getattr(import_module(module), "__all__", None)
    skipped = [name for name in public or () if is_module(module, name)]
    options = [":members:", *([f":exclude-members: {', '.join(skipped)}"] if skipped else [])]
    lines = "\n".join(f"   {option}" for option in options)
    return f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n{lines}\n```\n"


def is_module(module: str, name: str) -> bool:
    try:
        import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True


def index(listed: list[str]) -> str:
    """Return the page that lists the others."""
    lines = [f"| [`{module}`]({module}.md) | {first_line(module)} |" for module in listed]
    return "\n".join(["# API", "", "Every public name, by module.", "", "| module | holds |", "|---|---|", *lines, ""])


def first_line(module: str) -> str:
    told = (import_module(module).__doc__ or "").strip().splitlines()[0]
    return told.replace("``", "`").replace("|", "\\|")
