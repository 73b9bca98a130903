"""The gallery page is what the code writes, and shows every deck, visual and failure."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from verienv.generalpoints import GENERALPOINTS, VISUALS
from verienv.generalpoints.pictures.decks import SHIPPED
from verienv.generalpoints.pictures.drawn_deck import DRAWN
from verienv.virl import CITIES, VIRL

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "gallery.md").read_text()
SHOWN = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE)


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("build_gallery", ROOT / "tools" / "build_gallery.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_make_gallery_writes(tool: Any) -> None:
    assert tool.page() == PAGE


def test_every_deck_visual_and_failure_is_on_the_page() -> None:
    assert {f"gallery/deck-{deck}.webp" for deck in (*SHIPPED, *DRAWN)} <= set(SHOWN)
    assert {f"gallery/look-{visual}.webp" for visual in VISUALS} <= set(SHOWN)
    assert all(f"| {failure.replace('_', ' ')} | `" in PAGE for failure in VIRL.measures(vision=False).failures)
    assert all(f"gallery/map-{city}.webp" in SHOWN for city in CITIES)
    assert all(f"| {failure.replace('_', ' ')} | `" in PAGE for failure in GENERALPOINTS.measures(vision=True).failures)


def test_the_pictures_shown_are_the_pictures_there_are() -> None:
    files = {f"gallery/{file.name}" for file in (ROOT / "docs" / "gallery").iterdir()}
    assert set(SHOWN) == files


def demand_drawn_today(tool: Any, every: int = 1) -> None:
    for name, drawn_by in list(tool.pictures())[::every]:
        picture = tool.image_of(drawn_by())
        with Image.open(ROOT / "docs" / "gallery" / f"{name}.webp") as kept:
            assert kept.size == picture.size
            small = [image.convert("RGB").resize((24, 24), Image.Resampling.BOX).tobytes() for image in (kept, picture)]
            assert max(abs(one - other) for one, other in zip(*small, strict=True)) < 24, name


def test_every_sixth_picture_is_that_which_the_code_draws_today(tool: Any) -> None:
    """The pixels of every deck, visual and city are pinned besides, in tests/golden."""
    demand_drawn_today(tool, every=6)


@pytest.mark.slow
def test_the_pictures_are_those_that_the_code_draws_today(tool: Any) -> None:
    demand_drawn_today(tool)
