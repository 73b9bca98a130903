r"""Build assets/vectors/virl.jsonl: responses at V-IRL waypoints and what a verifier owes them.

python tools/build_virl_vectors.py

Each line is one JSON object in ASCII: name, response, waypoint (its fields), actions (the rule), expect {is_correct,
failure, reward (the paper's), observation_correct}, why; "strict" stands only where the verdict holds for that mode
alone. What is expected is written here by hand or follows from whole tenths of degrees; nothing asks the verifier.
"""

# ruff: noqa: E501  (tables)

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import cos, radians
from pathlib import Path
from typing import Any

from verienv.virl.routes.route import Waypoint

COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
TURNS = ("left", "right", "slightly left", "slightly right")
RULES = ("absolute", "relative")

CROSS = Waypoint((40.7308, -73.9973), 350.0, "turn", 80.0, "Turn right to face east.", "Joe's Pizza", "Joe's Pizza", 260.0,
                 True, (80.0, 170.0, 260.0, 350.0))  # fmt: skip
WALK = Waypoint((40.7311, -73.9973), 80.0, sentence="Walk forward to the intersection where Joe's Pizza is on your left.",
                streets=(80.0, 260.0))  # fmt: skip
SHOP = replace(WALK, landmark="Cafe Muller", landmark_name="Café Müller", landmark_bearing=95.0)
OPEN = replace(WALK, at_intersection=True, streets=(80.0, 170.0, 260.0))
LAST = replace(SHOP, move="stop", sentence="Stop, you have reached your destination.")
DUE = {  # the expert's action under both rules, by hand
    CROSS: ("turn_direction(east)", "turn_direction(right)"),
    WALK: ("forward()", "forward()"),
    SHOP: ("forward()", "forward()"),
    OPEN: ("forward()", "forward()"),
    LAST: ("stop()", "stop()"),
}
SEEN = {
    CROSS: "Joe's Pizza is on your left. You are at an intersection.",
    WALK: "No landmark is near.",
    SHOP: "Cafe Muller is on your front.",
    OPEN: "No landmark is near. You are at an intersection.",
    LAST: "Cafe Muller is on your front.",
}
UNSEEN = "The Moon is on your left."
vectors: list[dict[str, Any]] = []
names: dict[str, int] = {}


def case(
    name: str,
    response: str,
    failure: str,
    why: str,
    place: Waypoint = CROSS,
    actions: str = "absolute",
    *,
    observed: bool = True,
    strict: bool | None = None,
) -> None:
    """One vector; ``observed`` is whether the observation in it is true. Where ``strict`` is None it holds in both."""
    names[name] = names.get(name, 0) + 1
    observed = observed and failure != "unreadable"
    waypoint = asdict(place)
    del waypoint["actions"]  # beside it, since both rules are tried at one place
    vector: dict[str, Any] = {"name": f"{name} {names[name]:03}", "response": response, "waypoint": waypoint}
    vector |= {"actions": actions} | ({"strict": strict} if strict is not None else {})
    reward = 1.0 if not failure else -1.0 if observed else -1.5
    expect = {"is_correct": not failure, "failure": failure, "reward": reward, "observation_correct": observed}
    vectors.append(vector | {"expect": expect, "why": why})


def due(place: Waypoint, actions: str) -> str:
    return DUE[place][RULES.index(actions)]


def answer(action: Any, place: Waypoint = CROSS, observation: Any = ...) -> str:
    """Plain JSON with a true observation, so that only the action decides."""
    seen = SEEN[place] if observation is ... else observation
    return json.dumps({"current observation": seen, "current instruction": place.sentence, "action": action})


def calls(name: str, failure: str, why: str, *texts: Any, place: Waypoint = CROSS, actions: str = "absolute") -> None:
    for text in texts:
        case(name, answer(text, place), failure, why, place, actions)


def spellings() -> None:
    why = "case, white space and quotes around the argument are free"
    for place in DUE:
        for actions in RULES:
            case("expert", answer(due(place, actions), place), "", "the expert's answer", place, actions)
            case("expert", answer(due(place, actions), place, UNSEEN), "", "a correct action is paid whatever the observation says",
                 place, actions, observed=False)  # fmt: skip
    calls(
        "spelling", "", why, "turn_direction(east)", "turn_direction('east')", 'turn_direction("east")', "turn_direction(East)",
        "TURN_DIRECTION(EAST)", "Turn_Direction( 'East' )", "turn_direction( \"east\" )", " turn_direction(east) ",
        "\tturn_direction\n(\r\neast\n)\n", "turn_direction (east)", "turn_direction(' east ')", "turn_direction(\f'east'\v)",
        "  tUrN_dIrEcTiOn  (  \"  eAsT  \"  )  ",
    )  # fmt: skip
    calls(
        "spelling",
        "",
        why,
        "turn_direction( 'RIGHT' )",
        'Turn_direction("Right")',
        "turn_direction(right) ",
        actions="relative",
    )
    calls(
        "spelling",
        "",
        why,
        "Forward()",
        "FORWARD()",
        "forward( )",
        " forward() ",
        "forward ()",
        "forward\t(\n)",
        place=WALK,
    )
    calls("spelling", "", why, "Stop()", "STOP( )", "\nstop()\n", "sToP ( )", place=LAST, actions="relative")
    slight = replace(CROSS, turn_to=40.0, sentence="Turn slightly right to face northeast.")
    SEEN[slight] = SEEN[CROSS]
    calls("spelling", "", "white space between two words is free", "turn_direction(slightly right)", "turn_direction('slightly   right')",
          "Turn_Direction(Slightly\tRight)", "turn_direction(\"slightly\nright\")", place=slight, actions="relative")  # fmt: skip
    calls("spelling", "illegal_action", "two words are parted by white space", "turn_direction(slightlyright)",
          "turn_direction(slightly_right)", "turn_direction(slightly-right)", "turn_direction(right slightly)",
          "turn_direction(slight right)", "turn_direction(slightly slightly right)", place=slight, actions="relative")  # fmt: skip
    calls(
        "wrong",
        "wrong_action",
        "right is not slightly right",
        "turn_direction(right)",
        place=slight,
        actions="relative",
    )


def wrong_actions() -> None:
    spaces = {"absolute": COMPASS, "relative": TURNS}
    for place in (CROSS, WALK, LAST):
        for actions, words in spaces.items():
            for text in ("forward()", *(f"turn_direction({word})" for word in words), "stop()"):
                if text != due(place, actions):
                    case(
                        "wrong", answer(text, place), "wrong_action", "a legal action, not the one due", place, actions
                    )
            for word in spaces["relative" if actions == "absolute" else "absolute"]:
                why = "a word of the other rule is outside the action space, wherever it would lead"
                case("outside", answer(f"turn_direction({word})", place), "outside_action_space", why, place, actions)
    both = "a wrong action and a wrong observation"
    case("both", answer("forward()", CROSS, UNSEEN), "wrong_action", both, observed=False)
    case("both", answer("turn_direction(left)", CROSS, UNSEEN), "outside_action_space", both, observed=False)
    case("both", answer("turn left", CROSS, UNSEEN), "illegal_action", both, observed=False)
    case("both", '{"action": "forward()"}', "wrong_action", "no observation is no true one", observed=False)
    case("both", '{"action": "turn_direction(east)"}', "", "the action alone earns its price", observed=False)
    case("outside", answer("Turn_Direction( 'LEFT' )"), "outside_action_space", "however it is spelled")


def illegal() -> None:
    calls(
        "syntax", "illegal_action", "not exactly one call of a known action",
        "", " ", ".", "()", "east", "turn", "turn east", "turn_direction", "turn_direction()", "turn_direction(", "turn_direction)east(",
        "turn_direction(east", "turn_direction east)", "turn_direction east", "turn_direction[east]", "turn_direction{east}",
        "turn_direction((east))", "(turn_direction(east))", "turn_direction(east))", "turn_direction(east)()", "turn_direction(east).",
        "turn_direction(east);", "turn_direction(east),", "turn_direction(east)!", "turn_direction(east) # go", "`turn_direction(east)`",
        "'turn_direction(east)'", '"turn_direction(east)"', "turn_direction(east')", "turn_direction('east)", "turn_direction('east\")",
        "turn_direction(''east'')", "turn_direction(\\'east\\')", "turn_direction(`east`)", "turn_direction(“east”)",
        "turn_direction(x)", "turn_direction(x=east)", "turn_direction(direction='east')", "turn_direction(e)", "turn_direction(E)",
        "turn_direction(90)", "turn_direction(80.0)", "turn_direction(due east)", "turn_direction(to east)", "turn_direction(eastward)",
        "turn_direction(east,)", "turn_direction(['east'])", "turn_direction(None)", "turn_direction('')", "turn_direction(east east)",
        "turn(east)", "turn_right()", "turn_to(east)", "turnDirection(east)", "turndirection(east)", "turn-direction(east)",
        "turn direction(east)", "turn_ direction(east)", "env.turn_direction(east)", "agent.turn_direction(east)", "return turn_direction(east)",
        "action = turn_direction(east)", "turn_direction(east) -> east", "print(turn_direction(east))", "I turn_direction(east)",
        "turn_direction(east) please", "do_nothing()", "back()", "turn_direction(back)", "turn_direction(straight)", "turn_direction(forward)",
        "turn_direction(around)", "turn_direction(north east)", "turn_direction(north-east)", "turn_direction(east north)",
        "TURN_DIRECTION", "turn__direction(east)", "_turn_direction(east)", "turn_direction_(east)", "forward(east)", "stop(east)",
    )  # fmt: skip
    calls("syntax", "illegal_action", "not exactly one call of a known action", "forward", "forward(", "forward)", "forward[]",
          "forward(())", "forward()()", "forward();", "forward().", "forwards()", "go_forward()", "move_forward()", "walk()", "forward(1)",
          "forward('')", "for ward()", "Forward() .", "'forward()'", "forward(\"\")", "not forward()", "!forward()", "-forward()",
          "await forward()", "forward() if True else stop()", "forward() or stop()", "forward(),", "`forward()`", "**forward()**",
          place=WALK)  # fmt: skip
    calls("several", "illegal_action", "two answers are none", "forward();stop()", "forward(); forward()", "forward() forward()",
          "forward()forward()", "forward()\nforward()", "forward(), stop()", "forward() and turn_direction(north)", "forward() | stop()",
          "stop(), forward()", "forward(stop())", "[forward()]", "(forward(), stop())", "forward() / stop() / turn_direction(north)", place=WALK)  # fmt: skip
    calls("several", "illegal_action", "two answers are none", "turn_direction(left or right)", "turn_direction(left, right)",
          "turn_direction(left|right)", "turn_direction(right)turn_direction(right)", "turn_direction(right); forward()",
          "turn_direction('left' 'right')", "turn_direction(left/right)", "turn_direction(right) or turn_direction(left)",
          "turn_direction(left right)", "turn_direction(right, right)", "turn_direction(not left)", "turn_direction(any)", "turn_direction(*)",
          "turn_direction(right east)", "turn_direction(right)/turn_direction(east)", actions="relative")  # fmt: skip
    calls("look-alike", "illegal_action", "no character but ASCII is read",
          "ｆorward()", "forward（）", "ｆｏｒｗａｒｄ（）", "fоrward()", "forwаrd()", "forward()\u200b", "\u200bforward()", "for\u00adward()",
          "\ufeffforward()", "forward()\u00a0", "\u2003forward()", "forward(\u3000)", "\u202eforward()", "\u200fforward()\u200f",
          "\u2066forward()\u2069", "forward()\u0301", "𝐟𝐨𝐫𝐰𝐚𝐫𝐝()", "forward()\u2028", "forward()\x85", "ƒorward()", "forward()\ud800", "\ud83dforward()",
          place=WALK)  # fmt: skip
    calls("look-alike", "illegal_action", "no character but ASCII is read", "turn_direction(eaſt)", "turn_direction(ｅast)",
          "turn＿direction(east)", "turn_direction(’east’)", "turn_direction(east）", "turn_direction(eаst)", "turn_dırection(east)",
          "turn_direction(\u202eeast)", "turn_direction(eas\u200dt)", "TURN_DİRECTION(EAST)", "turn_direction(東)")  # fmt: skip
    calls(
        "look-alike",
        "illegal_action",
        "the long s does not fold to an s, nor the ligature to st",
        "ſtop()",
        "ﬆop()",
        "ﬅop()",
        place=LAST,
    )
    calls("control", "illegal_action", "control characters are not white space", "forward()\0", "\0forward()", "for\0ward()", "forward(\0)",
          "forward()\x1b[0m", "forward()\x08", "\x1cforward()", "forward()\x1f", "forward\x7f()", place=WALK)  # fmt: skip
    calls("code", "illegal_action", "model text is never run as code", "__import__('os').getcwd()", "eval('forward()')", "exec('forward()')",
          "forward.__class__()", "(lambda: 'forward()')()", "'for' + 'ward()'", "f'{forward()}'", "getattr(env, 'forward')()",
          "forward() if __import__('os') else stop()", "forward();__import__('os')", "{{forward()}}", "${forward()}", "forward\\u0028)", "%66orward()",
          "forward&#40;)", place=WALK)  # fmt: skip
    calls("huge", "illegal_action", "an action is short", "forward()" * 400, "forward(" + " " * 3000 + ")", " " * 3000, "(" * 3000,
          "turn_direction(" * 200, "turn_direction(north " * 150, "f" * 3000, "'" * 3000, place=WALK)  # fmt: skip
    for wrong in (0, 1.5, None, True, False, [], {}, ["forward()"], ["forward()", "stop()"], {"forward()": 1}, {"name": "forward"}, 10**30,
                  [["forward()"]], {"action": "forward()"}, 1e300):  # fmt: skip
        case(
            "type",
            answer(wrong, WALK),
            "illegal_action",
            "a field of the wrong type is a wrong answer, not an error",
            WALK,
        )


def reading() -> None:
    """How the answer is found and read, whatever its action is worth."""
    right, off = answer("turn_direction(east)"), answer("forward()")
    wrappers = {
        "bare": "{}",
        "fence": "```json\n{}\n```",
        "reasoning": "I'm facing north; Joe's is on my left. So I turn {{right}}.\n\n{}",
        "afterword": "{}\n\nThat's it: I turn_direction(north)? No {{never}}.",
        "think": "<think>\nIs {{it}} 'east'? \"Yes {{\n</think>\n<answer>{}</answer>",
        "wrapped": '{{"answer": {}}}',
        "in a list": "[{}]",
        "in quotation marks": 'My answer is "{}".',
        "stray close": "}} }} {} }}",
        "surrogate": "\ud83d {} \udc00",
        "NUL": "\0{}\0",
        "marks": "\u202e\u200f{}\u2069",
    }
    outcomes = (("turn_direction(east)", ""), ("stop()", "wrong_action"), ("turn_direction(left)", "outside_action_space"), ("east", "illegal_action"))  # fmt: skip
    for name, wrapper in wrappers.items():
        for action, failure in outcomes:
            case(f"reading: {name}", wrapper.format(answer(action)), failure, "wherever the object stands")
    last = "the last object counts; a list of guesses earns one try"
    case("drafts", f"{off}\nNo: {right}", "", last)
    case("drafts", f"{right}\nNo: {off}", "wrong_action", last)
    case("drafts", f"[{right}, {off}]", "wrong_action", last)
    case("drafts", f"[{off}, {right}]", "", last)
    case(
        "drafts",
        "\n".join([answer(f"turn_direction({word})") for word in COMPASS]),
        "wrong_action",
        "every answer is not the answer",
    )
    case("drafts", "\n".join([off] * 50 + [right]), "", "drafts are free")
    case(
        "drafts",
        f"{right}\n" + answer("forward()", CROSS, UNSEEN),
        "wrong_action",
        "the observation of the last object counts",
        observed=False,
    )
    case(
        "drafts",
        answer("turn_direction(east)", CROSS, UNSEEN) + f"\n{off}",
        "wrong_action",
        "the observation of the last object counts",
    )
    case("unfinished", right + "\n" + off[:-5], "", "an unfinished object at the end does not void an earlier one")
    case("unfinished", off + "\n" + right[:-1], "wrong_action", "an unfinished object is no answer")
    for text in (right[:-1], right[:-3], right[:20], right[1:], right.replace('"action"', '"move"'), right.replace('"action"', '"Action"'), "{}", "[]", "",
                 "{", "turn_direction(east)", "action: turn_direction(east)", '"action": "turn_direction(east)"', '{"action"}', '{"action":}', "null",
                 '{"action" "turn_direction(east)"}', '{"action" = "turn_direction(east)"}', "I turn to the east.", "\0", "\ud800", "['action']",
                 '{"action ": "turn_direction(east)"}', '{"action": "turn_direction(east)"', "x" * 100_000, "{'action': __import__('os').getcwd()}",
                 "{'action': 'turn_direction(' + 'east)'}"):  # fmt: skip
        case("no answer", text, "unreadable", "no readable object with an action")
    for text in ('{"action":', '"', "'", "\\", "{", "}", "[", "{}", '{"', '{"action": [', '{"action": "f', '{"a":'):
        case("flood", text * 200, "unreadable", "no answer in any of it")
    case("flood", '{"a":' * 2000 + "1" + "}" * 2000, "unreadable", "nesting is bounded")
    case("keys", right[:-1] + ', "action": "forward()"}', "wrong_action", "of repeated keys the last")
    case("keys", off[:-1] + ', "action": "turn_direction(east)"}', "", "of repeated keys the last")
    case("keys", right.replace('"action"', '"\\u0061ction"'), "", "an escaped key is the key")
    case("keys", right.replace("east", "\\u0065ast"), "", "escapes are read")
    case("keys", right[:-1] + ', "extra": [1, {"x": null}], "z": "ü"}', "", "other fields do not matter")
    case(
        "keys",
        off.replace("current observation", "current_observation"),
        "wrong_action",
        "an underscore for the space counts",
    )
    case(
        "keys",
        off.replace("current observation", "observation"),
        "wrong_action",
        "another key is no observation",
        observed=False,
    )
    case(
        "nested",
        f'{{"action": {right}}}',
        "illegal_action",
        "objects inside the chosen one are not entered",
        observed=False,
    )
    case("nested", off[:-1] + f', "better": {right}}}', "wrong_action", "objects inside the chosen one are not entered")
    case("nested", '{"a":' * 7 + right + "}" * 7, "", "wrappers may be nested 8 deep")
    case(
        "strings",
        off[:-1] + ', "note": ' + json.dumps(right) + "}",
        "wrong_action",
        "an object inside a string is text",
    )
    single = str(json.loads(answer("turn_direction(east)", CROSS, "An intersection.")))
    case("long", "x" * 66_000 + right, "", "of a long response the last 64 KiB are read")
    case("long", answer("f" * 66_000), "unreadable", "of a long response the last 64 KiB are read")
    case("long", right + "x" * 66_000, "unreadable", "of a long response the last 64 KiB are read")
    for name, text in {
        "single quotes": single,
        "trailing comma": right[:-1] + ",}",
        "bare keys": '{action: "turn_direction(east)"}',
        "Python words": single[:-1] + ", 'sure': True, 'n': None}",
        "raw line break": right.replace("(east", "(\neast"),
        "fenced": f"```python\nanswer = {single}\n```",
    }.items():
        seen = "observation" in text and text != single and "answer =" not in text and "sure" not in text
        case(f"lenient: {name}", text, "", "read as the JSON that models write", observed=seen, strict=False)
        case(f"lenient: {name}", text, "unreadable", "not plain JSON", strict=True)
    case("strict: order", f"{off} {single}", "", "the last readable object", observed=False, strict=False)
    case("strict: order", f"{off} {single}", "unreadable", "the last object, which is not plain", strict=True)
    case("strict: order", f"{right} {single}", "unreadable", "the last object, which is not plain", strict=True)


def spoken() -> None:
    """Further spellings of an object that a person reads without doubt, and what is left unread. Strict admits none."""
    right = answer("turn_direction(east)")
    texts = {
        "comment": ('{"action": "ACTION" // done\n}', '{"action": "ACTION" /* } ok */}', "{'action': 'ACTION',  # {isn't}\n}"),
        "escaped braces": (r'\{"action": "ACTION"\}', r'\boxed{\{"action": "ACTION"\}}', r'{\"action\": \"ACTION\"}'),
        "curly quotes": ("{“action”: “ACTION”}", "{‘action’: ‘ACTION’}", "{«action»: «ACTION»}"),
        "no comma": ('{"n": "x" "action": "ACTION"}', '{"action": "ACTION"\n"n": []}'),
        "bare action": ("{action: ACTION}", '{"action": ACTION}', '{"action": ACTION, "n": 1}', '{"action": ACTION // done\n}', '{"action": ACTION "n": 1}'),
    }  # fmt: skip
    for name, spelled in texts.items():
        for text in spelled:
            for action, failure in (("turn_direction(east)", ""), ("forward()", "wrong_action"), ("turn_direction(slightly left)", "outside_action_space"), ("go(east)", "illegal_action")):  # fmt: skip
                said = text.replace("ACTION", action)
                case(name, said, failure, "a person reads it without doubt", observed=False, strict=False)
                case(name, f"{right}\nNo: {said}", failure, "the last object decides", observed=False, strict=False)
            case(name, text.replace("ACTION", "turn_direction(east)"), "unreadable", "not plain JSON", strict=True)
    for text in (
        "{\"action\": turn_direction('east')}",
        '{"action": turn_direction( "east" )}',
        r'{"action": "turn\_direction(east)"}',
        r'{"action": turn\_direction(east)}',
        r"\{action: turn\_direction(east)\}",
        r'{current\_observation: "x", action: "turn_direction(east)"}',
    ):
        case("bare action", text, "", "a person reads it without doubt", observed=False, strict=False)
    for text in ('{"action": turn_direction(east) or forward()}', '{"action": turn direction(east)}', '{"action": "turn_direction(east)}',
                 '{"action": I turn east}', '{"action": turn_direction(east); forward()}', '{"action": @}', '{"action" "turn_direction(east)"}'):  # fmt: skip
        case("in doubt", text, "unreadable", "two readers could differ, so nothing is read")
        case(
            "final", f"{right}\nNo: {text}", "unreadable", "an answer that cannot be read is no answer; drafts are none"
        )
    for text in ("The {action} is clear.", '{"next": "action"}', '{"action": "stop()"', "{}", "{action"):
        case("final", f"{right}\n{text}", "", "no further object holds the key")


def calls_reasoning_and_echoes() -> None:
    """Tool calls whose arguments are a string; reasoning, which is no answer; the question's own template."""
    right, off = answer("turn_direction(east)"), answer("forward()")
    why = "a string of arguments that is an object is entered"
    for text, failure in ((right, ""), (off, "wrong_action")):
        inner = json.dumps(text)
        for call in (f'{{"name": "act", "arguments": {inner}}}', f'{{"name": "act", "parameters": {inner}}}', f'{{"name": "act", "input": {inner}}}',
                     f'{{"tool_calls": [{{"function": {{"name": "act", "arguments": {inner}}}}}]}}'):  # fmt: skip
            case("call", call, failure, why)
            case("call", f"{right} No: {call}", failure, "the last decides")
    for text in (
        "<think>{}</think> I give up.",
        "<think>{}",
        "{}</think>",
        "<think>x</think><think>{}",
        "{} <think>",
        "<THINK>{}</Think>",
        "<think>" + "x" * 66_000 + "{}",
    ):
        case("reasoning", text.format(right), "unreadable", "reasoning is no answer")
    for text in (
        "<think>{0}</think>{1}",
        "{0}</think>{1}",
        "<think>{0}</think>{0}<think>{0}</think>{1}",
        "<think>{0}<think>{0}</think>{1}",
        "<think></think>{1}",
    ):
        case("reasoning", text.format(off, right), "", "reading begins behind the last closing tag")
        case("reasoning", text.format(right, off), "wrong_action", "reading begins behind the last closing tag")
    echo = '{"current observation": "...", "current instruction": "...", "action": "..."}'
    case("echo", f"{right}\nThe form was {echo}", "", "an exact echo of the question's template")
    case("echo", f"{echo} {off} {echo} {echo}", "wrong_action", "an exact echo of the question's template")
    case("echo", echo, "unreadable", "an echo is no answer")
    case("echo", f'{right}\n{{"action": "..."}}', "illegal_action", "no exact echo", observed=False)


def says(place: Waypoint, owed: bool, why: str, *texts: Any) -> None:
    """Observations that are true at ``place`` or not, beside an illegal action so that the reward tells them apart."""
    for text in texts:
        case("claims", answer("nothing", place, text), "illegal_action", why, place, observed=owed)


def claims() -> None:
    says(
        CROSS, True, "the landmark and the crossing, in any of these words",
        "Joe's Pizza is on your left. You are at an intersection.", "Joe's Pizza is on your left; You observe an intersection",
        "joe's pizza is on your left. you are at an intersection", "JOE’S PIZZA is on your left. You are at an intersection.",
        "Joe`s  Pizza is on your left .  You are at an intersection .", "Joe's Pizza. You are at an intersection.", "Joe's Pizza; intersection",
        "I see Joe's Pizza on the left and an intersection", "There is Joe's Pizza on my right. I am at an intersection.",
        "You are at an intersection. Joe's Pizza is on your left.", "I'm at an intersection with Joe's Pizza on my left.",
        "At an intersection, Joe's Pizza is on the left.", "Joe's Pizza is behind me, and there is an intersection.",
        "You observe an intersection; Joe's Pizza is on your left behind", "On my left is Joe's Pizza. I see an intersection.",
        "Joe's Pizza is in front of you. You are now at the intersection!", "Landmark: Joe's Pizza; intersection: yes",
        "The Joe's Pizza is on your left. You are at an intersection.", "\"Joe's Pizza\" is on your left. You are at an intersection.",
        "Jöe's Pízza is on your left. You are at an intersection.", "Joe's Pizza is on your left and you are at an intersection",
        "Joe's Pizza is on your right front. You are at an intersection.",
    )  # fmt: skip
    says(
        CROSS, False, "a claim is missing, denied, added or other than the truth",
        "", " ", "Joe's Pizza", "Joe's Pizza is on your left.", "You are at an intersection.", "An intersection", "No landmark is near. You are at an intersection.",
        "Joe's Pizza is on your left. You are not at an intersection.", "Joe's Pizza is on your left; no intersection",
        "Joe's Pizza is not on your left. You are at an intersection.", "No Joe's Pizza is on your left. You are at an intersection.",
        "I don't see Joe's Pizza. You are at an intersection.", "Not Joe's Pizza. You are at an intersection.",
        "Joe's Pizza is on your left and Cafe Muller is on your right. You are at an intersection.",
        "Joe's Pizza, Cafe Muller. You are at an intersection.", "Joe's Pizza or Cafe Muller. You are at an intersection.",
        "Joe's Pizza is on your left. No landmark is near. You are at an intersection.", "Joe's Pizzeria is on your left. You are at an intersection.",
        "Joe's is on your left. You are at an intersection.", "Pizza is on your left. You are at an intersection.",
        "Joe's Pizza is on your left. You are at an intersection. You are not at an intersection.",
        "You are not at an intersection. Joe's Pizza is on your left. You are at an intersection.",
        "You are at an intersection. Joe's Pizza is on your left. No intersection.", "Joe's Pizza is on your left. Are you at an intersection?",
        "Joe's Pizza is on your left. You are at an intersection or not.", "Joe's Pizza is on your left. You may be at an intersection.",
        "Joe's Pizza is on your left. It is false that you are at an intersection.", "Perhaps Joe's Pizza is on your left. You are at an intersection.",
        "Joe's Pizza is on your left. You will be at an intersection.", "Joe's Pizza is on your left. Nearly at an intersection.",
        "Joes Pizza is on your left. You are at an intersection.", "Joe's Pizza is on your left. You are at an intersection. Joe's Pizza is on your left.",
        "Joe's Pizza Joe's Pizza. You are at an intersection.", "Landmark: Joe's Pizza; intersection: no", "Joe's Pizza is on your left. Intersection?",
        "{landmark} is on your left. You are at an intersection.", "Joe\u202e's Pizza is on your left. You are at an intersection.",
        "Joe\0's Pizza is on your left. You are at an intersection.", "Jое's Pizza is on your left. You are at an intersection.",
        "Joe's Pizza is on your left. " * 200, "You are at an intersection. " * 200, "Joe's Pizza is on your left. You are at an intersection." + " " * 3000,
        5, None, True, [], ["Joe's Pizza is on your left. You are at an intersection."], {"landmark": "Joe's Pizza", "intersection": True},
    )  # fmt: skip
    none = ("No landmark is near.", "no landmark is near", "No landmarks nearby", "No landmarks nearby.", "There is no landmark.", "There are no landmarks nearby.",
            "I see no landmark.", "None", "Nothing nearby.", "No landmark")  # fmt: skip
    crossing = ("You are at an intersection.", "You observe an intersection", "I see an intersection", "At an intersection.", "Intersection",
                "No landmarks nearby; You observe an intersection", "No landmark is near and you are at an intersection.",
                "You are at an intersection. No landmark is near.", "There is no landmark, but I am at an intersection.", "There is an intersection.")  # fmt: skip
    neither = ("No landmark or intersection is nearby.", "Not at an intersection", "No intersection", "You are not at an intersection.",
               "No landmark is near. You are not at an intersection.", "No landmark, no intersection.", "I do not see an intersection.",
               "No landmark and no intersection", "There is no intersection; no landmarks nearby", "landmark: none; intersection: no")  # fmt: skip
    says(WALK, True, "no landmark and no crossing, said or not mentioned", *none, *neither)
    says(OPEN, True, "a crossing and no landmark", *crossing)
    says(WALK, False, "a crossing that is not there", *crossing)
    says(OPEN, False, "the crossing is not mentioned, or denied", *none, *neither)
    says(WALK, False, "a landmark that is not there, or words that claim nothing known", "Joe's Pizza", "Joe's Pizza is on your left.", "I see it.", "?", ".",
         "I am walking.", "No landmark is near. Joe's Pizza is on your left.", "No landmark is near, is it?", "Not no landmark", "N/A", "unknown", "", "\0", "\ud800")  # fmt: skip
    says(SHOP, True, "the label and the name both count, accents and case do not", "Cafe Muller", "Café Müller", "CAFÉ MÜLLER is on your front.",
         "Cafe\u0301 Mu\u0308ller is on your front.", "There is a Cafe Muller on my right.", "I see the Café Muller in front of me.", "ＣＡＦＥ Muller is ahead.",
         "Cafe Muller is on your front. You are not at an intersection.", "Cafe Muller, no intersection", "Not at an intersection. Cafe Muller is nearby.")  # fmt: skip
    says(SHOP, False, "another landmark, or a crossing that is not there", "Cafe Mueller", "No landmark is near.", "You are not at an intersection.",
         "Cafe Muller is on your front. You are at an intersection.", "Cafe Muller and an intersection", "Cafe", "Muller", "Cafe Muller Cafe", "Cafe Muller's", "You are not at an intersection with Cafe Muller ahead.")  # fmt: skip
    odd_names = ("'wichcraft", "St. Mary's; \"X\"", "{Brace} }{", "No. 9", "The Crown is here", "Intersection", "There is a Light", "You are at an intersection",
                 "Yahoo!", "Foo Inc.", "A", "No landmark", "Turn on your left", "7-Eleven – Main St.", "is", "Joe's and an intersection")  # fmt: skip
    for name in odd_names:
        for place in (SHOP, OPEN):
            named = replace(place, landmark=name, landmark_name=name, landmark_bearing=350.0)
            SEEN[named] = f"{name} is on your left." + (" You are at an intersection." if place is OPEN else "")
            says(named, True, "names may hold any words and signs", SEEN[named])
            says(
                named, False, "another name", SEEN[named].replace(name, f"{name} Two"), SEEN[named].replace(name, "Two")
            )
    kyiv = replace(
        SHOP, landmark="Tsentral'nyy universal'nyy mahazyn", landmark_name="Центральний універсальний магазин"
    )
    says(kyiv, True, "the name in its own script, or its label", "Центральний універсальний магазин", "ЦЕНТРАЛЬНИЙ універсальний магазин is on your left.",
         "Tsentral'nyy universal'nyy mahazyn is on your left.", "I see Tsentral’nyy universal’nyy mahazyn on my right.")  # fmt: skip
    says(kyiv, False, "neither", "Центральний магазин", "Tsentralnyy", "Central Department Store")


def seam() -> None:
    """Turns across north and everywhere, in whole tenths of degrees so that every bound is exact."""
    turns = [(3500, 200), (3500, 260), (3500, 575), (3500, 576), (3500, 900), (3500, 1674), (100, 3700), (100, 3400), (100, 3026), (100, 3024),
             (600, 3500), (200, 3500), (0, 3300), (0, 300), (3590, 450), (10, 3200), (3375, 100), (225, 3374), (1800, 0), (900, 2700), (2700, 900),
             (3599, 2250), (1, 1350), (0, 675), (0, 2925), (0, 676), (0, 2924), (0, 226), (0, 3374), (450, 1350), (3150, 450), (3000, 1200), (1350, 900),
             (2250, 2690), (2690, 2250), (3500, 1700), (3510, 1700), (3490, 1700)]  # fmt: skip
    for start, end in turns:
        end %= 3600
        signed = (end - start) % 3600
        signed -= 3600 if signed > 1800 else 0
        if abs(signed) <= 225:
            continue
        side, other = ("right", "left") if signed > 0 else ("left", "right")
        slight = "slightly " if abs(signed) <= 675 else ""
        compass = max(COMPASS, key=lambda word: cos(radians(end / 10 - 45 * COMPASS.index(word))))
        place = replace(CROSS, heading=start / 10, turn_to=end / 10, sentence=f"Turn {slight}{side}.")
        SEEN[place] = SEEN[CROSS]
        why = f"from {start / 10:g} to {end / 10:g} degrees is {signed / 10:+g}"
        calls("seam", "", why, f"turn_direction({slight}{side})", place=place, actions="relative")
        calls("seam", "wrong_action", why, f"turn_direction({slight}{other})", f"turn_direction({'' if slight else 'slightly '}{side})", place=place, actions="relative")  # fmt: skip
        if end % 450 == 225:
            continue  # half way between two words of the compass
        calls("seam", "", why, f"turn_direction({compass})", place=place)
        near = COMPASS[(COMPASS.index(compass) + 1) % 8]
        calls("seam", "wrong_action", why, f"turn_direction({near})", place=place)
    place = replace(CROSS, heading=350.0, turn_to=10.0, sentence="Turn to face north.")
    SEEN[place] = SEEN[CROSS]
    calls("seam", "", "10 degrees is nearest to north", "turn_direction(north)", place=place)
    calls(
        "seam",
        "outside_action_space",
        "from 350 to 10 degrees is no turn to the left",
        "turn_direction(left)",
        place=place,
    )


def main() -> None:
    sections = (spellings, wrong_actions, illegal, reading, spoken, calls_reasoning_and_echoes, claims, seam)
    for section in sections:
        section()
    path = Path(__file__).parents[1] / "assets" / "vectors" / "virl.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(vector) + "\n" for vector in vectors), encoding="ascii")
    paid = sum(vector["expect"]["is_correct"] for vector in vectors)
    print(f"{path.name}: {len(vectors)} cases, {paid} to be paid, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
