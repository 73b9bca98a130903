"""GeneralPoints for verifiers: ``vf-eval verienv-generalpoints``."""

from verienv.adapters.verifiers import environment

GeneralPointsTaskset, GeneralPointsEnv = environment("verienv/GeneralPoints-L-v0")

__all__ = ["GeneralPointsEnv", "GeneralPointsTaskset"]
