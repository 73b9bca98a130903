"""torchvision beside a torch of another build."""

import sys

import torch


def import_torchvision() -> None:
    """Import torchvision, also beside a torch of another build, where its compiled operators cannot be loaded.

    Image processors use none of them, but its import looks for two.
    """
    try:
        import torchvision
    except RuntimeError:  # operator torchvision::nms does not exist
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        kept.append(library)  # an operator goes with its library
        import torchvision  # noqa: F401


kept: list[torch.library.Library] = []
