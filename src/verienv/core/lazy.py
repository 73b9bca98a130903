"""Names of a package that load with their first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any


def lazy_attributes(
    package: str, exports: Mapping[str, Sequence[str]] = MappingProxyType({}), modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return the ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose modules load when they are needed.

    A package without ``exports`` takes the first two: it exports no names, and lists its modules.

    Args:
        package: its ``__name__``.
        exports: by module its names; a module below the package, such as "verifier", or one with its full name.
        modules: modules and packages below it that are names too; without ``exports`` all of them. The others are found
            as well, but not listed.
    """
    if not exports:
        modules = [found.name for found in iter_modules(sys.modules[package].__path__)]
    module_of = {name: home for home, names in exports.items() for name in names}
    public = sorted([*module_of, *modules])

    def get(name: str) -> Any:
        if name in module_of:
            home = module_of[name]
            module = import_module(home if home.startswith("verienv.") else f"{package}.{home}")
            value = getattr(module, name)
            setattr(sys.modules[package], name, value)  # found without this function from now on
            return value
        if name in modules or (name.isidentifier() and name[0] != "_" and find_spec(f"{package}.{name}")):
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: public, public
