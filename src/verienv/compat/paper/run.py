"""Run a module of the paper's code over ours: ``python -m verienv.compat.paper.run MODULE [ARGUMENT...]``."""

from __future__ import annotations

import runpy
import sys


def main() -> None:
    """Run the module that the first argument names as a program, with the others as its own."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(
            "give a module of the paper's code, e.g. python -m verienv.compat.paper.run evaluation.launcher -f FILE"
        )
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
