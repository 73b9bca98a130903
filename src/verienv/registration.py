"""The one table of environment ids."""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

ENTRY_POINTS = {
    "verienv/GeneralPoints-L-v0": "verienv.generalpoints.env:GeneralPointsEnv",
    "verienv/GeneralPoints-VL-v0": "verienv.generalpoints.vision_env:GeneralPointsVisionEnv",
    "verienv/VIRL-L-v0": "verienv.virl.env:VIRLEnv",
    "verienv/VIRL-VL-v0": "verienv.virl.vision_env:VIRLVisionEnv",
}


def register_all() -> None:
    """Register every id with Gymnasium, once."""
    for env_id, entry_point in ENTRY_POINTS.items():
        if env_id not in registry:
            register(id=env_id, entry_point=entry_point)
