"""Write tests/golden/generalpoints.json: what seeds, prompts, feedback and demonstrations must stay.

python tools/build_golden.py

A change of this file in a release changes published results: say so in the changelog.
"""

import json
from pathlib import Path
from typing import Any

import verienv
from verienv.generalpoints import SPLITS, Puzzle, question, verify
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.prompts import PHRASINGS

ENV_ID = "verienv/GeneralPoints-L-v0"
GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "generalpoints.json"
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
        "phrasings": [question(Puzzle(("4", "10", "A", "K"), "rank", 36), number) for number in range(len(PHRASINGS))],
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


def main() -> None:
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n")
    print(GOLDEN)


if __name__ == "__main__":
    main()
