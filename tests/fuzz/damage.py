"""Damage done to files: to their bytes, and to the values of JSON."""

import json
import random
from typing import Any

NUMBERS = (
    *(0, 1, -1, 2, 7.5, 90, 180, 181, 359.99, 1e-320, 1e5, 1e30, 1e308, -1e308, 2**31, 2**63, 10**30, -0.0),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *("", " ", "0", "north", "\ud800", "a\nb", "\x1b[31m", "x" * 300, "y" * 50_000, "../../secret", "/dev/zero"),
    *("{}", '"', "\\", " is on your left", "No landmark nearby", "\u0660", "\u202e", "CON", "a.jpg/..", "None"),
)
BYTES = (b"\x00", b"\xff", b"\x80", b"\n", b'"', b"[", b"{", b"]", b",", b"9", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")


def deep(rng: random.Random) -> Any:
    nested: Any = rng.choice(NUMBERS)
    for _ in range(rng.choice((1, 3, 300))):
        nested = [nested] if rng.random() < 0.5 else {"a": nested}
    return nested


def value(rng: random.Random) -> Any:
    """Draw a value that hardly fits anywhere."""
    kind = rng.randrange(5)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.choice(TEXTS)
    return rng.choice((None, True, False, [], {}, [[]], [1, 2], [0.0, 0.0, 0.0])) if kind == 3 else deep(rng)


def spots(tree: Any) -> list[tuple[Any, Any]]:
    """List every place within a tree of JSON: what holds it, and the key or index there."""
    found: list[tuple[Any, Any]] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            todo.append(node[key])
    return found


def values(tree: Any, rng: random.Random) -> bytes:
    """Write a tree of JSON with one to three of its values replaced, doubled, taken away, renamed or moved a little."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = spots(tree)
        if not places:
            break
        node, key = rng.choice(places)
        copies = [holder[at] for holder, at in places]
        deed = rng.randrange(8)
        if deed == 0:
            del node[key]
        elif deed == 1 and isinstance(node, list):
            node.insert(key, node[key])
        elif deed == 2 and isinstance(node, dict):
            node[rng.choice(TEXTS)] = node.pop(key)
        elif deed == 3:
            node[key] = json.loads(json.dumps(rng.choice(copies)))
        elif deed == 4 and type(node[key]) in (int, float):
            node[key] += rng.choice((1, -1, 0.5, 1e-7, 45, 360))
        else:
            node[key] = value(rng)
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def raw(whole: bytes, rng: random.Random) -> bytes:
    """Flip, cut, double, insert or overwrite some bytes."""
    broken = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(broken) + 1)
        deed = rng.randrange(6)
        if deed == 0:
            del broken[at:]
        elif deed == 1:
            del broken[at : at + rng.randrange(1, 50)]
        elif deed == 2:
            broken[at:at] = broken[max(0, at - rng.randrange(1, 200)) : at]
        elif deed == 3:
            broken[at:at] = rng.choice(BYTES)
        elif at < len(broken):
            broken[at] = broken[at] ^ (1 << rng.randrange(8)) if deed == 4 else rng.randrange(256)
    return bytes(broken)
