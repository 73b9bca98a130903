"""The list of the tasks that verienv brings. Another one is a line here, or ``verienv.register_task`` from outside."""

from __future__ import annotations

from importlib import import_module

from verienv.core.tasks import register_task

SHIPPED = ("verienv.generalpoints.task:GENERALPOINTS", "verienv.virl.task:VIRL")


def register_shipped() -> None:
    """Put the shipped tasks on the list, and their environments into Gymnasium's registry."""
    for entry in SHIPPED:
        module, _, name = entry.partition(":")
        register_task(getattr(import_module(module), name))
