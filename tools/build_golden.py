"""Write tests/golden/: what seeds, prompts, feedback, demonstrations and pictures must stay.

python tools/build_golden.py

A change of these files in a release changes published results: say so in the changelog. Pictures are pinned by the
hash of their pixels, for the versions of Pillow and numpy in constraints.txt.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import verienv
from verienv.generalpoints import SPLITS, VISION_SPLITS, VISUALS, Puzzle, Visual, draw, verify, write_question
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.pictures.drawn_deck import DRAWN
from verienv.generalpoints.prompts import PHRASINGS
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv
from verienv.virl import SPLITS as ROUTE_SPLITS
from verienv.virl import shipped_city
from verienv.virl import write_question as write_route_question
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures.streets.panorama_drawing import draw_panorama
from verienv.virl.pictures.streets.visuals import VISUALS as STREET_VISUALS
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.prompts import PHRASINGS as ROUTE_PHRASINGS
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.lots import Lots

ENV_ID = "verienv/GeneralPoints-L-v0"
GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
SETTINGS: dict[str, dict[str, Any]] = {
    **{split: {"split": split} for split in SPLITS},
    "iid, forced, red": {"sampling": "iid", "face_cards": "force", "suits": "red"},
    "five cards, diverse": {"cards": 5, "prompt": "diverse", "side": "all", "target": 36},
    "probe": {"rule": "rank", "stated_rule": "ten", "side": "test"},
}
RESPONSES = [
    "I pass", '{"formula": "4*3+2+K"}', '{"formula": "4*3+2"}', '{"formula": "4*3+2+10=25"}', '{"formula": "4*3*2/10"}',
    '{"formula": "4*3*2+10"}', '{"formula": "10/(4-2-3+1)"}', '{"formula": "4/(3+2-10/2)"}', '{"formula": "4*3+2+10"}',
]  # fmt: skip


def golden() -> dict[str, Any]:
    """Everything pinned, as plain JSON."""
    return {
        "instances": {name: _instances(settings) for name, settings in SETTINGS.items()},
        "phrasings": [
            write_question(Puzzle(("4", "10", "A", "K"), "rank", 36), number) for number in range(len(PHRASINGS))
        ],
        "first observation": GeneralPointsEnv().reset(seed=0)[0]["text"],
        "feedback": {response: _feedback(response) for response in RESPONSES},
        "demonstrations": {
            kind: list(verienv.demonstrations(ENV_ID, kind, n=3, seed=0, steps=True, split="rule_ood"))
            for kind in ("sft", "revision", "preference")
        },
    }


def _instances(settings: dict[str, Any]) -> list[str]:
    env = GeneralPointsEnv(**settings)
    return [env.reset(seed=0 if number == 0 else None)[1]["instance"] for number in range(10)]


def _feedback(response: str) -> str:
    return verify(response, Puzzle(("4", "3", "2", "K"))).feedback


def pictures() -> dict[str, Any]:
    """What is dealt with pictures, and the hash of a picture's pixels in every visual and deck at three sizes."""
    visuals = {name: Visual.of(name) for name in VISUALS} | {f"deck {deck}": Visual(deck=deck) for deck in DRAWN}
    return {
        "instances": {split: _seen({"split": split}) for split in VISION_SPLITS}
        | {"all suits, diverse": _seen({"suits": "all", "prompt": "diverse"})},
        "pixels": {
            name: {f"{height} x {width}": _pixels(visual, (height, width)) for height, width in SIZES}
            for name, visual in visuals.items()
        },
    }


SIZES = ((336, 336), (224, 224), (96, 320))
HANDS = (("10S", "QC", "7S", "AC"), ("KD", "9H", "6H", "JD"))


def _seen(settings: dict[str, Any]) -> list[str]:
    env = GeneralPointsVisionEnv(**settings)
    infos = [env.reset(seed=0 if number == 0 else None)[1] for number in range(10)]
    return [f"{info['instance']} {info['suits']} {info['jitter']}" for info in infos]


def _pixels(visual: Visual, size: tuple[int, int]) -> str:
    return sha256(b"".join(draw(hand, visual, size, jitter=7).tobytes() for hand in HANDS)).hexdigest()


ROUTES: dict[str, dict[str, Any]] = {
    **{split: {"split": split} for split in ROUTE_SPLITS},
    "landmarks, diverse": {"directions": "landmarks", "prompt": "diverse", "side": "all"},
    "grid": {"city": "grid-1", "turns": (2, 2), "directions": "relative"},
    "organic, test side": {"city": "organic-4", "side": "test", "spacing": 25.0, "actions": "relative"},
}


def routes() -> dict[str, Any]:
    """What is dealt of V-IRL, whole routes told by their actions, and every phrasing."""
    return {
        "instances": {name: _dealt(settings) for name, settings in ROUTES.items()},
        "walks": {name: _walk(settings) for name, settings in ROUTES.items()},
        "phrasings": [_asked(number) for number in range(len(ROUTE_PHRASINGS))],
        "demonstrations": {
            kind: list(verienv.demonstrations("verienv/VIRL-L-v0", kind, n=3, seed=0, steps=True, split="rule_ood"))
            for kind in ("sft", "revision", "preference")
        },
    }


CORNERS = {"montevideo-centre": 100, "montevideo-north": 100, "astana": 100, "helsinki": 7}
"""By city, the node at which its panoramas are pinned."""


def streets() -> dict[str, str]:
    """The hash of the pixels of a small panorama in each city, and in each visual of one; and of the views of one."""
    drawn = {city: _street(city, "default") for city in CORNERS}
    drawn |= {f"helsinki, {visual}": _street("helsinki", visual) for visual in STREET_VISUALS}
    env = VIRLVisionEnv(view_size=96)
    env.reset(seed=0)
    return drawn | {"four views": sha256(env.pictures[0].tobytes()).hexdigest()}


def _street(name: str, visual: str) -> str:
    city = shipped_city(name)
    panorama = draw_panorama(Lots(city), city.nodes[CORNERS[name]], StreetVisual.of(visual), (128, 256))
    return sha256(panorama.tobytes()).hexdigest()


def _dealt(settings: dict[str, Any]) -> list[str]:
    env = VIRLEnv(**settings)
    return [env.reset(seed=0 if number == 0 else None)[1]["instance"] for number in range(10)]


def _walk(settings: dict[str, Any]) -> dict[str, Any]:
    env = VIRLEnv(**settings)
    observation, _ = env.reset(seed=0)
    actions, over = [], False
    last = ""
    while not over:
        last = observation["text"]
        actions.append(env.waypoint.action)
        observation, _, over, _, _ = env.step(env.expert_response())
    return {"actions": actions, "last observation": last}


def _asked(phrasing: int) -> str:
    return write_route_question(
        "1. Turn left.\n2. Stop.", ["No landmark is near. -> forward()"], "X.", "relative", phrasing
    )


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, made in (
        ("generalpoints", golden()),
        ("pictures", pictures()),
        ("virl", routes()),
        ("streets", streets()),
    ):
        (GOLDEN / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")
        print(GOLDEN / f"{name}.json")


if __name__ == "__main__":
    main()
