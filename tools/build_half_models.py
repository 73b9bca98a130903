"""Write the built-in models in half precision, which the wheel carries in place of those in single precision.

    python tools/build_half_models.py

Each weight is rounded to the nearest float16. Models are loaded in float32 either way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

MODELS = Path(__file__).parents[1] / "assets" / "models"


def halved(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights in half precision. Raises ValueError where one is too large for it."""
    half = {name: np.ascontiguousarray(weight, dtype=np.float16) for name, weight in weights.items()}
    for name, weight in half.items():
        if not np.isfinite(weight).all():
            raise ValueError(f"{name} does not fit into float16")
    return half


def main() -> None:
    for model in sorted(MODELS.glob("*/model.safetensors")):
        out = model.with_name("model.fp16.safetensors")
        save_file(halved(load_file(model)), out, {"format": "pt"})
        print(f"{out.relative_to(MODELS.parents[1])}: {out.stat().st_size:,} bytes, from {model.stat().st_size:,}")


if __name__ == "__main__":
    main()
