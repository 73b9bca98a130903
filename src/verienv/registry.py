"""The one table of environment ids."""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

ENTRY_POINTS = {
    "verienv/GeneralPoints-L-v0": "verienv.generalpoints.env:GeneralPointsEnv",
    "verienv/GeneralPoints-VL-v0": "verienv.generalpoints.vision_env:GeneralPointsVisionEnv",
    "verienv/VIRL-L-v0": "verienv.virl.env:VIRLEnv",
    "verienv/VIRL-VL-v0": "verienv.virl.vision_env:VIRLVisionEnv",
}
"""The tasks, in text and pictures."""

NUMERIC_ENTRY_POINTS = {
    "verienv/GeneralPoints-Tokens-v0": "verienv.numeric.tokens:make",
    "verienv/GeneralPoints-VL-Tokens-v0": "verienv.numeric.tokens:make_by_sight",
    "verienv/VIRL-Discrete-v0": "verienv.numeric.navigation:make",
    "verienv/VIRL-VL-Discrete-v0": "verienv.numeric.navigation:make_by_sight",
}
"""Their numeric faces, for libraries that accept neither text observations nor text actions."""


def register_all() -> None:
    """Register every id with Gymnasium, once."""
    for env_id, entry_point in (ENTRY_POINTS | NUMERIC_ENTRY_POINTS).items():
        if env_id not in registry:
            register(id=env_id, entry_point=entry_point)
