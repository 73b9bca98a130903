"""Play the forty rows with OpenEnv's client against the server of ``examples/openenv``; print it as JSON."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from forty_rows import COUNT, SEED, SETTINGS, SPLIT, Played, forty

from verienv.adapters.openenv import client

FOLDER = Path(__file__).parents[3] / "examples" / "openenv"
SECONDS = 120
IDLE = 3.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(env_id: str, left: list[str], **about: object) -> Iterator[str]:
    """Run the server in a process of its own; ``left`` gets what stays behind it."""
    port = free_port()
    told = {"VERIENV_ID": env_id, "VERIENV_SETTINGS": json.dumps(SETTINGS[env_id]), "PORT": port, **about}
    environment = os.environ | {name: str(value) for name, value in told.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "server.app"], cwd=FOLDER, env=environment, start_new_session=True, stderr=sys.stderr
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(10 * SECONDS):
            try:
                urlopen(f"{url}/health").close()  # noqa: S310 - a server of this script's
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            left.append("a server that does not end")
            process.kill()
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", port)):
            left.append("a port")
    stats = [path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")]
    left += [f"a process, {stat[1]}" for stat in stats if stat[3] == str(process.pid)]


def asked(url: str, path: str, data: Any = None) -> tuple[int, Any]:
    """The status and the JSON of a request, a POST where there is data."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode() if data is not None else None
    try:
        request = Request(url + path, body, {"Content-Type": "application/json"})  # noqa: S310
        with urlopen(request) as reply:  # noqa: S310
            return reply.status, json.load(reply)
    except HTTPError as error:
        with error:
            text = error.read().decode()
        return error.code, text


def turns(there: Any, each: Played) -> Iterator[tuple[float, int]]:
    """Play an episode, and yield the reward of each answer and the pictures in what was asked."""
    told = there.reset(split=SPLIT, index=each.index, seed=SEED)
    for answer in each.said:
        content = told.observation["messages"][-1]["content"]
        pictures = sum(part["type"] == "image_url" for part in content) if isinstance(content, list) else 0
        told = there.step({"response": answer})
        assert told.done == (answer is each.said[-1]) or each.said.count(answer) > 1
        yield told.reward, pictures
    assert told.done
    assert told.observation["metadata"]["reward"] == each.reward


def two_sessions(env_id: str) -> dict[str, Any]:
    """What the ten rows of an id earn, two sessions taking turns."""
    left: list[str] = []
    rows = [each for each in forty() if each.env_id == env_id]
    earned: dict[int, list[float]] = {}
    pictures = 0
    with served(env_id, left, VERIENV_EPISODES=COUNT, VERIENV_SESSIONS=2) as url:
        splits = [each["name"] for each in asked(url, "/verienv/splits")[1]]
        task = asked(url, "/verienv/task", {"split": SPLIT, "index": 1})[1]["task"]
        with client(url).sync() as first, client(url).sync() as second:
            for pair in zip(rows[::2], rows[1::2], strict=True):
                playing = [(each, turns(there, each)) for each, there in zip(pair, (first, second), strict=True)]
                while playing:
                    for each, play in list(playing):
                        if (turn := next(play, None)) is None:
                            playing.remove((each, play))
                        else:
                            earned.setdefault(each.index, []).append(turn[0])
                            pictures += turn[1]
    return {
        "earned": [earned[each.index] for each in rows],
        "paid": [list(each.paid) for each in rows],
        "pictures": pictures,
        "splits": splits,
        "task": task,
        "left": left,
    }


def by_hand(url: str, *arguments: str) -> tuple[int, str]:
    """The status of ``client.py`` with nothing typed, and its last line."""
    command = [sys.executable, str(FOLDER / "client.py"), url, *arguments]
    ran = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=SECONDS)
    return ran.returncode, (ran.stdout + ran.stderr).strip().splitlines()[-1]


def bounds() -> dict[str, Any]:
    """What a server says to clients who ask for too much."""
    left: list[str] = []
    told: dict[str, Any] = {}
    with served("verienv/GeneralPoints-L-v0", left, VERIENV_SESSIONS=2, VERIENV_IDLE=IDLE) as url:
        told["setting"] = asked(url, "/reset", {"attempts": 99})
        told["index"] = asked(url, "/verienv/task", {"split": "test", "index": 1000})
        told["step"] = asked(url, "/step", {"action": {"response": "x"}})
        told["by hand"] = [by_hand(url, "nowhere", "3"), by_hand(url, "test", "x"), by_hand(url)]
        told["body"] = asked(url, "/reset", b"[" * 1_000_001)[0]

        def said(there: Any, call: str, *arguments: Any, **named: Any) -> str:
            try:
                return f"done: {getattr(there, call)(*arguments, **named).done}"
            except Exception as error:  # of OpenEnv's own
                return f"{type(error).__name__}: {error}"

        with client(url).sync() as first, client(url).sync() as second:
            first.reset()
            second.reset()
            told["settings"] = said(first, "reset", settings={"attempts": 9})
            told["surrogate"] = said(first, "step", {"response": "\ud800{"})
            with client(url).sync() as third:
                told["third"] = said(third, "reset")
            told["long"] = said(first, "step", {"response": "x" * 1_000_001})
            time.sleep(3 * IDLE)
            with client(url).sync() as third, client(url).sync() as fourth:
                told["after silence"] = [said(third, "reset"), said(fourth, "reset")]
    told["left"] = left
    told["by hand"].append(by_hand(url))
    return told


def main() -> None:
    versions = {name: version(name) for name in ("openenv", "fastapi", "uvicorn", "websockets", "gymnasium", "numpy")}
    print(json.dumps({"versions": versions, **{name: two_sessions(name) for name in SETTINGS}, "bounds": bounds()}))


if __name__ == "__main__":
    main()
