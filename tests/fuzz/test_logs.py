"""Damaged logs: what goes on gives the results of the undamaged run, and else one line names the file and the place."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.policies import ENV, is_solved_by_hash

from verienv.cli.replay import deal
from verienv.core.make import make_env
from verienv.evaluation import evaluate

pytestmark = pytest.mark.slow

Damage = Callable[[list[bytes], random.Random], bytes]
ROUTES = "verienv/VIRL-L-v0"
NUMBERS = [0, -1, 1, 2, 10**30, 0.5, float("nan"), float("inf")]
VALUES = [None, True, False, *NUMBERS, "", "x", "\ud800", "y" * 5000, [], {}]
TYPED = (b"0", b"9", b"-", b"\n", b"\r", b" ", b'"', b"}", b"\xff", b"\xef\xbb\xbf")
FOREIGN = (
    b"[" * 100_000,
    b"[" * 900 + b"]" * 900,
    b'{"a":' * 100_000,
    b'{"response": "x", "cell": ' + b"[" * 900 + b"]" * 900 + b"}",
    b"{}",
    b"null",
    b"notes",
    b"\xff\xfe",
    b'{"setup": {}}',
    b'{"response": "x"}',
    b'{"response": "x", "cell": "train", "episode": 0}',
    b"9" * 5000,
    b'"' + b"x" * 100_000 + b'"',
)
PARTS = (["response"], ["verdict"], ["response", "verdict"], ["response", "verdict", "success", "over"])
REFUSALS = tuple(f"damaged.jsonl{why}" for why in (", line ", " is no evaluation's log", " logs another evaluation ("))


def first_or_forward(dialogues: list[Any]) -> list[str]:
    """Walk straight on, but now and then say nothing."""
    said = [sum(map(ord, str(dialogue[-1]["content"]))) % 5 for dialogue in dialogues]
    return ['{"action": "forward()"}' if number else "I do not know." for number in said]


RUNS: dict[str, tuple[Any, ...]] = {
    "hands": (is_solved_by_hash, ENV, ["train", "test"], (6,)),
    "a grown log": (is_solved_by_hash, ENV, ["train", "rule_ood"], (2, 4)),
    "routes": (first_or_forward, ROUTES, ["train"], (8,)),
}


def lost(lines: list[bytes], rng: random.Random) -> bytes:
    del lines[(at := rng.randrange(len(lines))) : at + rng.choice((1, 1, 2, 7))]
    return b"".join(lines)


def doubled(lines: list[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(lines))
    lines[at:at] = lines[at : at + rng.choice((1, 1, 2, 7))]
    return b"".join(lines)


def moved(lines: list[bytes], rng: random.Random) -> bytes:
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return b"".join(lines)


def swapped(lines: list[bytes], rng: random.Random) -> bytes:
    one, other = rng.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def interleaved(lines: list[bytes], rng: random.Random) -> bytes:
    """Sort a stretch of the lines by their attempts, as if episodes had been written while they were played."""
    at = rng.randrange(1, len(lines))
    end = at + rng.randrange(2, 20)
    lines[at:end] = sorted(lines[at:end], key=lambda line: int(json.loads(line).get("attempt", 0)))
    return b"".join(lines)


def mixed(lines: list[bytes], rng: random.Random) -> bytes:
    """Put two halves of lines together, as two writers at once do."""
    at = rng.randrange(len(lines))
    cut = rng.randrange(len(lines[at]))
    return b"".join([*lines[:at], lines[at][:cut], *lines[at + 1 :][:1], lines[at][cut:], *lines[at + 2 :]])


def cut(lines: list[bytes], rng: random.Random) -> bytes:
    data = b"".join(lines)
    return data[: rng.randrange(len(data))]


def with_a_hole(lines: list[bytes], rng: random.Random) -> bytes:
    data = b"".join(lines)
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 1, 3, 40, 700)) :]


def blanked(lines: list[bytes], rng: random.Random) -> bytes:
    """Fill a stretch with NUL bytes, as a file system does after a crash."""
    data = b"".join(lines)
    at = rng.randrange(len(data))
    zeros = min(rng.choice((1, 5, 512, len(data))), len(data) - at)
    return data[:at] + bytes(zeros) + data[at + zeros :]


def flipped(lines: list[bytes], rng: random.Random) -> bytes:
    data = bytearray(b"".join(lines))
    for _ in range(rng.choice((1, 1, 1, 4))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def typed(lines: list[bytes], rng: random.Random) -> bytes:
    """Put a character or an odd byte somewhere."""
    data = b"".join(lines)
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(TYPED) + data[at:]


def foreign(lines: list[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(lines) + 1)
    lines[at : at + rng.choice((0, 1))] = [rng.choice(FOREIGN) + b"\n"]
    return b"".join(lines)


def changed(lines: list[bytes], rng: random.Random) -> bytes:
    """Give a field of a line, at any depth, another value, or take it away, or add one."""
    at = rng.randrange(len(lines))
    line = json.loads(lines[at])
    place = line
    while (inner := [value for value in place.values() if isinstance(value, dict) and value]) and rng.random() < 0.6:
        place = rng.choice(inner)
    name = rng.choice([*place, "new"])
    if rng.random() < 0.15:
        place.pop(name, None)
    elif isinstance(place.get(name), int | float) and rng.random() < 0.4:
        place[name] = place[name] + rng.choice((-1, 1))
    else:
        place[name] = rng.choice(VALUES)
    lines[at] = json.dumps(line).encode() + b"\n"
    return b"".join(lines)


def of_another_line(lines: list[bytes], rng: random.Random) -> bytes:
    """Take the response of another line, its verdict, or more of it."""
    at = rng.sample(range(len(lines)), 2)
    one, other = (json.loads(lines[number]) for number in at)
    for name in rng.choice(PARTS):
        if name in one and name in other:
            one[name] = other[name]
    lines[at[0]] = json.dumps(one).encode() + b"\n"
    return b"".join(lines)


DAMAGES: list[Damage] = [
    *(lost, doubled, moved, swapped, interleaved, mixed, cut, with_a_hole),
    *(blanked, flipped, flipped, typed, foreign, changed, changed, of_another_line),
]


def is_one_line(message: str) -> bool:
    return message.isprintable() and len(message) < 800


def replayed(run: str, log: Path) -> tuple[str, list[str]]:
    """Return the first episode of a log as ``verienv show --responses`` reads it: what it is, and its responses."""
    dealt = deal(make_env(RUNS[run][1]), 0, responses=log)
    return dealt.origin, dealt.left or []


def told(data: bytes) -> dict[str, list[str]]:
    """Return the responses of each episode of an undamaged log, by what ``replayed`` says that it is."""
    found: dict[str, list[str]] = {}
    for line in map(json.loads, data.splitlines()):
        if "setup" not in line:
            origin = f"episode {line['episode']} of {line['cell']} in damaged.jsonl"
            found.setdefault(origin, []).append(line["response"])
    return found


def gone_on_with(run: str, log: Path) -> str:
    """Go on with a log; return the results as JSON."""
    policy, env_id, splits, sizes = RUNS[run]
    return evaluate(policy, env_id, splits, sizes[-1], log=log).to_json()


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, str]]:
    """The log of each run, and its results."""
    found = {}
    for run, (policy, env_id, splits, sizes) in RUNS.items():
        log = tmp_path_factory.mktemp("logs") / "log"
        for size in sizes:
            result = evaluate(policy, env_id, splits, size, log=log)
        found[run] = log.read_bytes(), result.to_json()
    return found


def test_a_damaged_log_is_read_right_or_refused_in_one_line(
    undamaged: dict[str, tuple[bytes, str]],
    tmp_path: Path,
    fuzz_size: Callable[[int], int],
    fuzz_seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    log, counts = Path("damaged.jsonl"), {"read": 0, "refused": 0, "replayed": 0}
    for number in range(fuzz_size(2000)):
        rng = random.Random(f"{fuzz_seed}-{number}")
        run = rng.choice(list(RUNS))
        data, result = undamaged[run]
        damages = [rng.choice(DAMAGES)]
        held = damages[0](data.splitlines(keepends=True), rng)
        if rng.random() < 0.2 and damages[0] is not changed:
            damages.append(rng.choice((cut, flipped, with_a_hole)))
            held = damages[1](held.splitlines(keepends=True), rng) if len(held) > 1 else held
        log.write_bytes(held)
        case = f"damage {number} of {run}: {[damage.__name__ for damage in damages]}"
        try:
            origin, responses = replayed(run, log)
        except ValueError as error:
            message = str(error)
            assert is_one_line(message), f"{case}, replayed: {message[:300]!r}"
        except BaseException as error:
            raise AssertionError(f"{case}, replayed: {type(error).__name__}: {str(error)[:300]}") from error
        else:
            counts["replayed"] += 1
            if origin != "of damaged.jsonl":  # the header was lost: lines with responses, and no log
                whole = told(data)[origin]
                assert responses == whole[: len(responses)], f"{case}, replayed: misread"
        try:
            found = gone_on_with(run, log)
        except ValueError as error:
            counts["refused"] += 1
            message = str(error)
            assert message.startswith(REFUSALS), f"{case}: {message[:300]}"
            assert is_one_line(message), f"{case}: {message[:300]!r}"
            assert log.read_bytes() == held, f"{case}: the log was changed"
        except BaseException as error:
            raise AssertionError(f"{case}: {type(error).__name__}: {str(error)[:300]}") from error
        else:
            counts["read"] += 1
            assert found == result, f"{case}: misread"
            assert gone_on_with(run, log) == result, f"{case}: misread after it was gone on with"
    print(counts)
    assert min(counts.values()) > 0.05 * fuzz_size(2000) or fuzz_size(2000) < 100
