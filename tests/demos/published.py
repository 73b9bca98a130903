"""Rows in the two published forms, in words of our own around the marks by which a reader knows them."""

import json

TEN = "'J', 'Q', and 'K' count as '10'."
RANK = "'J', 'Q', and 'K' count as '11', '12', and '13' respectively."
TWELVE = "'J', 'Q', and 'K' all count as '12'"
MIXED = "'J' counts as '8', 'Q' counts as '9', and 'K' counts as '10'"
ANSWER = "{\n  \"cards\": ['4', '3', '2', 'K'],\n  \"number\": [4, 3, 2, 10],\n  \"formula\": \"4*3+2+10=24\",\n}"


def hand_prompt(cards=("4", "3", "2", "K"), rule=TEN, target=24):
    return (
        f"\nThis is a {target} points card game.\nNote that {rule}, and each card must be used once.\n"
        f'\nCards: {list(cards)}\n\nAnswer like {{"formula": "..."}}\n\n'
    )


def conversation(prompt, answer=ANSWER):
    return {"conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": answer}]}


def table_row(prompt, numbers=(4, 3, 2, 10), cards=("4", "3", "2", "K"), answer=ANSWER, **extra):
    about = {"index": 0, "cards": list(cards), "display_cards": list(numbers), "target": 24, **extra}
    return {"data_source": "gp-l", "question": prompt, "answer": answer, "extra_info": about}


NEAR = "Joe's is on your right front; You observe an intersection"
COMPASS = "north, northeast, east, southeast, south, southwest, west, northwest"


def route_prompt(observed=("No landmarks nearby; ", NEAR), words=COMPASS):
    acts = ["forward()"] * (len(observed) - 1) + [""]
    pairs = enumerate(zip(observed, acts, strict=True), 1)
    steps = "".join(f"O_{n}: {seen}\nA_{n}: {act}\n" for n, (seen, act) in pairs)
    return (
        "\n[Instruction]\n1. First, turn slightly left to face north.\n2. Move on to the next intersection.\n"
        f"\n\n[Action space]\nforward(), stop(), turn_direction(x) with x in {words}\n"
        f'\n[Observations and actions sequence]\n{steps}\n\n[Output]\n{{"action": "..."}}\n'
    )


def route_answer(action="turn_direction(west)", seen=NEAR):
    said = {"current observation": seen, "current instruction": "Turn left to face west.", "action": action}
    return json.dumps(said)
