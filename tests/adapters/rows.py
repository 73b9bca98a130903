"""The rows and answers that the tests of several adapters share."""

from verienv.adapters.trl import dataset, reward
from verienv.virl import Waypoint, write_answer

ID = "verienv/GeneralPoints-L-v0"
VISION_ID = "verienv/GeneralPoints-VL-v0"
ROUTES_ID = "verienv/VIRL-L-v0"
KINDS = ("prompt", "sft", "revision", "preference")
HAND = {"cards": ["4", "3", "2", "K"], "rule": {"J": 10, "Q": 10, "K": 10}, "target": 24}
RIGHT = '{"formula": "4*3+2+10"}'
WRONG = '{"formula": "4+3+2+10"}'


def pay(completion, function=reward, **columns):
    (paid,) = function(prompts=["?"], completions=[completion], **{k: [v] for k, v in (HAND | columns).items()})
    return paid


def routes(n=12, split="rule_ood", kind="prompt", **settings):
    return dataset(ROUTES_ID, split, n=n, kind=kind, city="grid-0", **settings)


def answer_to(row, **changed):
    return write_answer(Waypoint(**row["waypoint"], actions=row["actions"]), **changed)


def paid(rows, completions, function=reward):
    columns = {name: list(rows[name]) for name in rows.column_names if name not in ("prompt", "completion")}
    return function(prompts=list(rows["prompt"]), completions=completions, **columns)
