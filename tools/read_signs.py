"""How many of the signs that routes rely on an independent OCR reads, city by city and font by font.

    pip install rapidocr-onnxruntime==1.4.4    # brings OpenCV and a model; best in an environment of its own
    python tools/read_signs.py [--poses 60] [--out FILE.json]

A pose is one at which a leg ends or the route stops, where a sentence names the landmark. The view is the one of the
four that the landmark stands in. The sign counts as read if its label, letters and digits alone, is found among the
lines that the OCR reads, joined as they stand below each other, with at most one letter in seven wrong. The OCR is
shown the view and, since it overlooks letters that are very large, the view at half its size.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.evaluation.statistics import wilson
from verienv.virl.pictures.panorama import view
from verienv.virl.routes.route import Waypoint
from verienv.virl.routes.sampler import CITIES
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.geometry import wrap_angle

LEAST_LIKE = 6 / 7
Line = tuple[float, float, float, float, str]
"""Left, top, right, bottom in px, and the text."""


def plain(text: str) -> str:
    """Letters and digits alone, small; what looks alike to any reader is one."""
    return (
        "".join(letter for letter in text.lower() if letter.isalnum())
        .replace("0", "o")
        .replace("l", "i")
        .replace("1", "i")
    )


def is_read(ocr: Any, picture: NDArray[np.uint8], label: str) -> bool:
    """Whether the OCR reads a label in a picture, or in it at half its size."""
    tall, wide = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    half = picture[:tall, :wide].reshape(tall // 2, 2, wide // 2, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    return reads(lines_of(ocr, picture), label) or reads(lines_of(ocr, half), label)


def lines_of(ocr: Any, picture: NDArray[np.uint8]) -> list[Line]:
    """What the OCR reads, from the top down."""
    found, _ = ocr(np.ascontiguousarray(picture[:, :, ::-1]))
    lines = []
    for corners, text, _ in found or ():
        across, down = [corner[0] for corner in corners], [corner[1] for corner in corners]
        lines.append((min(across), min(down), max(across), max(down), str(text)))
    return sorted(lines, key=lambda line: line[1])


def reads(lines: list[Line], label: str) -> bool:
    """Whether some lines, one below the other, say the label."""
    wanted = plain(label)
    return any(like(said, wanted) for start in range(len(lines)) for said in _columns(lines, start, ""))


def like(said: str, wanted: str) -> bool:
    """Whether two plain texts are the same but for one letter in seven."""
    return SequenceMatcher(None, said, wanted, autojunk=False).ratio() >= LEAST_LIKE


def _columns(lines: list[Line], start: int, before: str) -> list[str]:
    """The texts that begin with a line and go on with lines right below it, to 60 letters or so."""
    said = before + plain(lines[start][4])
    below = (index for index in range(start + 1, len(lines)) if is_below(lines[start], lines[index]))
    following = next(below, None) if len(said) <= 60 else None
    return [said] if following is None else [said, *_columns(lines, following, said)]


def is_below(upper: Line, lower: Line) -> bool:
    """Whether a line stands right below another."""
    (left, top, right, bottom, _), (other_left, other_top, other_right, other_bottom, _) = upper, lower
    overlap = min(right, other_right) - max(left, other_left)
    is_in_column = overlap > 0.3 * min(right - left, other_right - other_left)
    return is_in_column and top < other_top < bottom + (other_bottom - other_top)


def poses(env: VIRLVisionEnv, seed: int) -> list[Waypoint]:
    """The waypoints of a route at which a sentence names the landmark that is seen."""
    env.reset(seed=seed)
    told = env.route.instructions
    return [
        waypoint
        for waypoint in env.route.waypoints
        if waypoint.landmark and any(f"{waypoint.landmark} is {waypoint.where}." in sentence for sentence in told)
    ]


def quadrant(env: VIRLVisionEnv, waypoint: Waypoint) -> NDArray[np.uint8]:
    """The view of the four in which the landmark stands."""
    towards = round(wrap_angle(waypoint.landmark_bearing - waypoint.heading) / 90) % 4
    env._at = env.route.waypoints.index(waypoint)
    panorama, rotation = env.panorama
    return view(
        panorama,
        wrap_angle(waypoint.heading + 90 * towards),
        size=env.config.view_size,
        rotation=rotation,
        engine="numpy",
    )


def measured(ocr: Any, count: int, settings: dict[str, Any], shown: Path | None) -> tuple[int, int, list[str]]:
    """How many of ``count`` signs are read, how many were shown, and the labels that were not."""
    env, read, missed, seen = VIRLVisionEnv(**settings), 0, [], set[str]()
    for seed in range(10 * count):
        for waypoint in poses(env, seed):
            if waypoint.landmark in seen or len(seen) == count:
                continue
            seen.add(waypoint.landmark)
            picture = quadrant(env, waypoint)
            if is_read(ocr, picture, waypoint.landmark):
                read += 1
            else:
                missed.append(waypoint.landmark)
                if shown:
                    from PIL import Image

                    Image.fromarray(picture).save(shown / f"{len(missed)}-{plain(waypoint.landmark)}.png")
        if len(seen) == count:
            break
    return read, len(seen), missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=60, help="signs in each row, each another label")
    parser.add_argument("--out", type=Path, help="write what came out, as JSON")
    parser.add_argument("--missed", type=Path, help="a folder for the views whose sign was not read")
    parser.add_argument("--rows", nargs="*", help="the rows to measure; all by default")
    options = parser.parse_args()
    from rapidocr_onnxruntime import RapidOCR

    from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS

    rows: dict[str, dict[str, Any]] = {
        city: {"city": city, "side": "all" if city == "montevideo" else "test"} for city in CITIES
    }
    rows["grid-7"] = {"city": "grid-7", "side": "all"}
    rows |= {f"font {font}": {"side": "all", "sign_font": font} for font in DISPLAY_FONTS}
    rows |= {visual: {"side": "all", "visual": visual} for visual in ("night", "rain", "winter", "fog", "dusk")}
    ocr, results = RapidOCR(), defaultdict[str, Any](dict)
    for name, settings in rows.items():
        if options.rows and name not in options.rows:
            continue
        shown = options.missed / name.replace(" ", "-") if options.missed else None
        if shown:
            shown.mkdir(parents=True, exist_ok=True)
        read, count, missed = measured(ocr, options.poses, settings, shown)
        low, high = wilson(read, count)
        results[name] = {"read": read, "of": count, "interval": [low, high], "missed": missed}
        share = f"{100 * read / count:5.1f}% ({100 * low:.1f}..{100 * high:.1f})"
        print(f"{name:24} {read:4} of {count:4}  {share}  {missed[:6]}", flush=True)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
