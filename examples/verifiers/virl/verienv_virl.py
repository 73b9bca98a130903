"""V-IRL's routes for verifiers: ``vf-eval verienv-virl``."""

from verienv.adapters.verifiers import environment

VIRLTaskset, VIRLEnv = environment("verienv/VIRL-L-v0")

__all__ = ["VIRLEnv", "VIRLTaskset"]
