"""Write docs/gallery.md and its pictures: every deck, look and city, every failure kind with its verdict.

python tools/build_gallery.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from verienv.core.env import VerifiedEnv
from verienv.generalpoints import VISION_SPLITS, VISUALS, Visual, draw
from verienv.generalpoints.cards import RANKS, SUITS
from verienv.generalpoints.pictures.decks import SHIPPED, load_deck
from verienv.generalpoints.pictures.drawn_deck import DRAWN, DrawnDeck
from verienv.generalpoints.pictures.tabletop import TEXTURES, tabletop
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv
from verienv.virl import draw_map
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures.streets.visuals import VISUALS as STREET_VISUALS
from verienv.virl.vision_env import VIRLVisionEnv

DOCS = Path(__file__).parents[1] / "docs"
INSTANCE = "generalpoints:4-4-2-10:24"
"""A hand that can fail in every way."""
FIRST = "generalpoints:4-3-2-K:24"

ABOUT_DECKS = {
    "classic": "the default: Adrian Kennard's deck with large indices, CC0",
    "classic_four_color": "the same in four colours, CC0",
    "flat": "Kenney's deck, CC0; J, Q and K are crowns",
    "drawn": "our own, drawn with Pillow; its look is a `DrawnDeck`",
    "drawn_four_color": "our own in four colours",
    "drawn_dark": "our own on dark faces",
    "drawn_plain": "our own without pips, with jumbo indices",
}
OTHERS: dict[str, dict[str, Any]] = {
    "a grid": {"arrangement": "grid", "cards": 6, "suits": "all", "side": "all"},
    "a wide picture": {"image_size": [112, 336], "suits": "red"},
    "colours of one's own": {"deck": {"face": "ivory", "hearts": "deeppink", "spades": "navy", "font": "serif"}},
    "all at once": {
        "visual": "scattered", "background": "stone", "light": 0.5, "noise": 12.0, "blur": 0.6, "suits": "all"
    },
}  # fmt: skip

MAPS: dict[str, tuple[dict[str, Any], int]] = {
    "montevideo": ({"turns": (4, 4)}, 8),
    "helsinki": ({"city": "helsinki", "side": "test", "turns": (4, 4)}, 6),
    "astana": ({"city": "astana", "side": "test", "turns": (3, 3)}, 6),
    "grid-7": ({"city": "grid-7", "side": "all", "turns": (4, 4)}, 6),
    "radial-1": ({"city": "radial-1", "side": "all", "turns": (4, 4)}, 6),
    "organic-2": ({"city": "organic-2", "side": "all", "turns": (5, 5)}, 6),
}
"""By city: the settings of its route, and how many steps of it are done."""

STREETS = {
    name: {"city": name, "side": "all" if name not in ("astana", "helsinki") else "test"}
    for name in ("montevideo", "helsinki", "astana", "grid-7")
}
"""By city: the settings of street views in it."""


def pictures() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the files of the gallery: a name, and what draws its picture, an image or an array."""
    for deck in (*SHIPPED, *DRAWN):
        yield f"deck-{deck}", partial(sheet, deck)
    for look in VISUALS:
        yield f"look-{look}", partial(draw, ("10S", "QC", "6S", "AC"), Visual.of(look), jitter=4)
    for split in ("train", "visual_ood"):
        yield f"split-{split}", partial(dealt_picture, {"split": split, "side": "all"}, INSTANCE)
    for name, settings in OTHERS.items():
        yield f"other-{slug(name)}", partial(dealt_picture, settings)
    yield "tables", tables
    yield "hands", hands
    yield "failures", partial(dealt_picture, {"side": "all"}, INSTANCE)
    for name in MAPS:
        yield f"map-{name}", partial(map_of, name)
    for name, settings in STREETS.items():
        yield f"street-{name}", partial(four_views, settings)
    for name in STREET_VISUALS:
        yield f"visual-{name}", partial(four_views, {"visual": name})
    yield "streets", front_views
    yield "routes", lambda: side_by_side([walking("montevideo"), walking("helsinki")])


def image_of(drawn: Any) -> Image.Image:
    return drawn if isinstance(drawn, Image.Image) else Image.fromarray(drawn)


def at_a_corner(settings: dict[str, Any]) -> VIRLVisionEnv:
    """Return an environment with vision, its agent at the first intersection of a route where a landmark stands."""
    env = VIRLVisionEnv(view_size=240, **settings)
    env.reset(seed=5)
    while not (env.waypoint.at_intersection and env.waypoint.landmark):
        env.step(env.expert_response())
        if env.waypoint.move == "stop":
            env.reset()
    return env


def four_views(settings: dict[str, Any]) -> Any:
    """Return the view at a corner."""
    return at_a_corner(settings).pictures[0]


def front_views() -> Any:
    """Return the views ahead, in four cities and visuals, for the top of a page."""
    chosen = [STREETS["montevideo"], STREETS["helsinki"] | {"visual": "rain"}, STREETS["astana"] | {"visual": "winter"}]
    chosen += [{"visual": "night"}]
    seam = np.full((240, 6, 3), 255, np.uint8)
    return np.hstack([part for one in chosen for part in (seam, four_views(one)[:240, :240])][1:])


def side_by_side(envs: list[VIRLEnv]) -> Image.Image:
    """Maps for the top of a page."""
    maps = [np.asarray(draw_map(env.route, env.city, passed=env.passed, size=500)) for env in envs]
    seam = np.full((500, 6, 3), 255, np.uint8)
    return Image.fromarray(np.hstack([part for one in maps for part in (seam, one)][1:]))


def map_of(city: str) -> Image.Image:
    env = walking(city)
    return draw_map(env.route, env.city, passed=env.passed, size=560)


def walking(city: str) -> VIRLEnv:
    """An environment in the midst of a route."""
    settings, steps = MAPS[city]
    env = VIRLEnv(**settings)
    env.reset(seed=5)
    for _ in range(steps):
        env.step(env.expert_response())
    return env


def dealt_picture(settings: dict[str, Any], instance: str | None = None) -> Any:
    env = GeneralPointsVisionEnv(**settings)
    given = {"options": {"instance": instance}} if instance else {"seed": 5}
    return env.reset(**given)[0]["image"]  # type: ignore[arg-type]


def sheet(name: str, width: int = 60, gap: int = 6) -> Image.Image:
    """All 52 faces on felt, a row for each suit."""
    deck = load_deck(name)
    height = round(width * deck.aspect)
    table = Image.fromarray(tabletop("felt", 4 * (height + gap) + gap, 13 * (width + gap) + gap))
    for row, suit in enumerate(SUITS):
        for column, rank in enumerate(RANKS):
            face = deck.face(rank + suit, width, height)
            table.paste(face, (gap + column * (width + gap), gap + row * (height + gap)), face)
    return table


def hands() -> Image.Image:
    """One hand in four looks, for the top of the page."""
    table = [{}, {"suits": "red"}, {"visual": "scattered"}, {"visual": "dark"}]
    seam = np.full((224, 6, 3), 255, np.uint8)
    drawn = [dealt_picture({"side": "all", "image_size": 224, **visual}, FIRST) for visual in table]
    parts = [part for picture in drawn for part in (seam, picture)]
    return Image.fromarray(np.hstack(parts[1:]))


def tables() -> Image.Image:
    """The backgrounds side by side."""
    return Image.fromarray(np.hstack([tabletop(name, 120, 200) for name in TEXTURES]))


def slug(name: str) -> str:
    return name.replace("'", "").replace(" ", "-")


def page() -> str:
    """The page, as Markdown."""
    return "\n".join(
        [*introduction(), *decks(), *looks(), *splits(), *others(), *failures(), *routes(), *streets(), ""]
    )


def introduction() -> list[str]:
    return [
        "# Gallery",
        "",
        "![one hand in four looks](gallery/hands.webp)",
        "",
        "What `verienv/GeneralPoints-VL-v0` shows and `verienv/VIRL-L-v0` walks, drawn by the code itself:",
        "`make gallery` writes this page anew.",
        "",
        "```python",
        "import gymnasium as gym",
        "import verienv",
        "",
        'env = gym.make("verienv/GeneralPoints-VL-v0", visual="scattered", deck="flat", image_size=336)',
        "```",
    ]


def decks() -> list[str]:
    lines = [
        "", "## Decks", "",
        '`deck="..."` takes one of these names, a folder with 52 PNG files (`AC.png` to `KS.png`), or a dict of the',
        "fields of `DrawnDeck`: " + ", ".join(f"`{field}`" for field in DrawnDeck.model_fields) + ".",
    ]  # fmt: skip
    for name in (*SHIPPED, *DRAWN):
        lines += ["", f"**`{name}`**: {ABOUT_DECKS[name]}", "", f"![the 52 faces](gallery/deck-{name}.webp)"]
    return lines


def looks() -> list[str]:
    about = (
        '`visual="..."` is a name for settings; each can also be given by itself, as in `gym.make(..., noise=12.0)`.'
    )
    cells = []
    for name, settings in VISUALS.items():
        told = ", ".join(f"{field}={value!r}" for field, value in settings.items()) or "the paper's table"
        cells.append((f"![{name}](gallery/look-{name}.webp)", f"**`{name}`**<br>{told}"))
    tables = f"A background is {', '.join(f'`{name}`' for name in TEXTURES)}, or any colour:"
    return ["", "## Looks", "", about, "", *grid(cells, 3), "", tables, "", "![tables](gallery/tables.webp)"]


def splits() -> list[str]:
    lines = ["", "## Splits", "", "| split | stands for |", "|---|---|"]
    for name, settings in VISION_SPLITS.items():
        told = ", ".join(f"{field}={value}" for field, value in settings.items())
        lines.append(f"| `{name}` | {told} |")
    pair = [
        (f"![{split}](gallery/split-{split}.webp)", f"`{split}`, `{INSTANCE}`") for split in ("train", "visual_ood")
    ]
    return [*lines, "", "The same instance in two splits is the same hand, suit for suit:", "", *grid(pair, 2)]


def others() -> list[str]:
    cells = [
        (f"![{name}](gallery/other-{slug(name)}.webp)", f"**{name}**<br>`{settings}`")
        for name, settings in OTHERS.items()
    ]
    return ["", "## More settings", "", *grid(cells, 2)]


def failures() -> list[str]:
    env = GeneralPointsVisionEnv(side="all")
    lines = [
        "", "## Verdicts", "",
        "Every way to fail, on this hand (J, Q, K count 10; make 24), and what each attempt is paid and told:", "",
        "![the hand](gallery/failures.webp)", "",
        "| failure | response | reward | feedback |", "|---|---|---:|---|",
    ]  # fmt: skip
    for failure in env.measures.failures:
        env.reset(options={"instance": INSTANCE})
        response = env.wrong_response(failure, np.random.default_rng(3)) or ""
        lines.append(row(failure, response, env))
    env.reset(options={"instance": INSTANCE})
    return [*lines, row("none", env.expert_response(), env)]


def routes() -> list[str]:
    cells = [
        (f"![a route in {name}](gallery/map-{name}.webp)", f"`{settings}`") for name, (settings, _) in MAPS.items()
    ]
    env = walking("montevideo")
    text = str(env.messages[0]["content"])
    lines = [
        "", "## Routes", "", "![two routes](gallery/routes.webp)", "",
        "What `verienv/VIRL-L-v0` walks: `verienv show VIRL-L --after 6 --map map.png` draws one. Light blue is",
        "the way, dark blue the track so far; brown are the landmarks that instructions name. Streets and places",
        "of the first three are (c) OpenStreetMap contributors, ODbL 1.0; the others never were.", "",
        *grid(cells, 2), "",
        "The question at the agent's place on the first map:", "", "```text", text, "```", "",
        "| failure | response | reward | feedback |", "|---|---|---:|---|",
    ]  # fmt: skip
    for failure in env.measures.failures:
        lines.append(row(failure, env.wrong_response(failure, np.random.default_rng(3)) or "", env))
    return [*lines, row("none", env.expert_response(), env)]


def streets() -> list[str]:
    cells = [
        (f"![a corner in {name}](gallery/street-{name}.webp)", f"`{settings}`") for name, settings in STREETS.items()
    ]
    looks = [
        (f"![{name}](gallery/visual-{name}.webp)", f"**`{name}`**<br>" + pairs(settings, "the city's own"))
        for name, settings in STREET_VISUALS.items()
    ]
    return [
        "", "## Street views", "", "![four streets](gallery/streets.webp)", "",
        "What `verienv/VIRL-VL-v0` shows: front and right above, back and left below. Streets and places are those of",
        "the maps above; buildings, shop fronts and signs are drawn. Each city has its own architecture:", "",
        *grid(cells, 2), "",
        '`visual="..."` names a look; each of its settings can also be given by itself, as in',
        '`gym.make(..., time="night", sign_font="anton")`:', "",
        *grid(looks, 3),
    ]  # fmt: skip


def pairs(settings: dict[str, Any], otherwise: str) -> str:
    return ", ".join(f"{field}={value!r}" for field, value in settings.items()) or otherwise


def row(failure: str, response: str, env: VerifiedEnv) -> str:
    verdict = env.judge(response)
    return f"| {failure.replace('_', ' ')} | `{response}` | {verdict.reward:+g} | {verdict.feedback} |"


def grid(cells: list[tuple[str, str]], columns: int) -> list[str]:
    """A table of pictures with a line below each."""
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    lines = ["|" + "   |" * columns, "|" + ":-:|" * columns]
    for each in rows:
        padded = [*each, *[("", "")] * (columns - len(each))]
        lines.append("| " + " | ".join(f"{picture}<br>{text}" if picture else "" for picture, text in padded) + " |")
    return lines


def main() -> None:
    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    for name, drawn_by in pictures():
        image_of(drawn_by()).save(folder / f"{name}.webp", quality=92, method=6)
    (DOCS / "gallery.md").write_text(page())
    print(DOCS / "gallery.md", f"{sum(file.stat().st_size for file in folder.iterdir()) / 1024:.0f} KiB of pictures")


if __name__ == "__main__":
    main()
