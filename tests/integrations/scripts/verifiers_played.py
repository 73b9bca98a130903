"""Play the packages of ``examples/verifiers`` by ``vf-eval`` against a server of scripted answers; print it as JSON."""

import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
from forty_rows import COUNT, SEED, SETTINGS, SPLIT, forty

import verienv
from verienv import Episode
from verienv.adapters import openai

EXAMPLES = Path(__file__).parents[3] / "examples" / "verifiers"
SECONDS = 600
SHORT = {"turns": [1, 1], "attempts": 2}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "cards": ("verienv/GeneralPoints-L-v0", {"attempts": 3, "system_prompt": "You solve card puzzles."}),
    "cards by sight": ("verienv/GeneralPoints-VL-v0", {"attempts": 3}),
    "routes": ("verienv/VIRL-L-v0", SHORT),
    "routes by sight": ("verienv/VIRL-VL-v0", {**SHORT, "view_size": 96}),
}


def wrong(episode: Episode) -> str:
    """Answer readably and wrongly, in a way that depends on the attempt."""
    question, failures = episode.question, episode.measures.failures
    at = question.attempt % len(failures)
    texts = (question.wrong(failure, np.random.default_rng(0)) for failure in failures[at:] + failures[:at])
    return next(text for text in texts if text is not None)


def mending(episode: Episode) -> str:
    return wrong(episode) if episode.question.attempt == 1 else episode.expert()


def unreadable(episode: Episode) -> str:
    return ("", "}{<|im_end|>", "I do not know.")[len(episode.verdicts) % 3]


Player = Callable[[Episode], str]
PLAYERS: dict[str, Player] = {"right": Episode.expert, "mending": mending, "wrong": wrong, "unreadable": unreadable}


def earned(row: dict[str, Any], player: Player) -> float:
    """The return of a player in the environment of ``gym.make``."""
    env: Any = gym.make(row["env_id"], **json.loads(row["settings"]))
    env.reset(seed=row["seed"])
    sums, over = 0.0, False
    while not over:
        _, reward, over, _, _ = env.step(player(env.unwrapped.episode))
        sums += reward
    return sums


class Twins:
    """The episodes that are played over HTTP, each told apart by its first question, and what was amiss in them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.problems, self.pictures, self.asked, self.begun_again = list[str](), 0, 0, 0
        self._lock = threading.Lock()
        self._playing = {}
        for row, player in zip(rows, PLAYERS.values(), strict=True):
            episode = Episode.of(row)
            self._playing[json.dumps(openai.messages(episode)[-1])] = (row, episode, player, openai.messages(episode))

    def answer(self, messages: list[dict[str, Any]]) -> str:
        """Say what the player would, if it is asked what the episode asks."""
        with self._lock:
            self.asked += 1
            first = next(message for message in messages if message["role"] == "user")
            found = self._playing.get(json.dumps(first))
            if found is None:
                self.problems.append(f"an unknown question: {json.dumps(messages)[:300]}")
                return ""
            row, episode, player, opening = found
            if messages == opening and episode.verdicts:
                self.begun_again += 1
                episode = Episode.of(row)
                self._playing[json.dumps(first)] = (row, episode, player, opening)
            self.pictures += sum(part["type"] == "image_url" for part in messages[-1]["content"] if type(part) is dict)
            if messages[: len(opening)] != opening or messages[-1] != openai.messages(episode)[-1]:
                self.problems.append(f"other words: {json.dumps(messages)[:300]}")
            if sum(message["role"] == "assistant" for message in messages) != len(episode.verdicts):
                self.problems.append("a turn is lost")
            said = player(episode)
            episode.answer(said)
            return said


def served(twins: Twins) -> ThreadingHTTPServer:
    """A server of streamed chat completions on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert body["stream"]
            delta = {"role": "assistant", "content": twins.answer(body["messages"])}
            told = {"id": "0", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
            chunks = [
                {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
            ]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for chunk in [json.dumps(told | chunk) for chunk in chunks] + ["[DONE]"]:
                self.wfile.write(f"data: {chunk}\n\n".encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def run(tool: str, *arguments: str) -> list[str]:
    """Run a command in a session of its own; the processes of it that stay."""
    bin = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [str(bin / tool), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, said[-4000:]
    stats = [path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")]
    return [f"a process, {stat[1]}" for stat in stats if stat[3] == str(process.pid)]


def package_of(env_id: str) -> str:
    return "verienv-virl" if "VIRL" in env_id else "verienv-generalpoints"


def played(name: str, play: Callable[[str, dict[str, Any], str, Path], tuple[Any, list[str]]], out: Path) -> Any:
    """Play a case, an episode for each player, and tell what came of it."""
    env_id, settings = CASES[name]
    rows = verienv.rows(env_id, SPLIT, len(PLAYERS), SEED, **settings)
    twins = Twins(rows)
    server = served(twins)
    taskset = {"env_id": env_id, "split": SPLIT, "seed": SEED, "n": len(rows), "settings": settings}
    try:
        episodes, left = play(package_of(env_id), taskset, f"http://127.0.0.1:{server.server_port}/v1", out)
    finally:
        server.shutdown()
        server.server_close()
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", server.server_port)):
            left.append("a port")
    episodes.sort(key=lambda episode: episode["task"]["data"]["idx"])
    traces = [trace for episode in episodes for trace in episode["traces"]]
    return {
        "players": list(PLAYERS),
        "rewards": [sum(each["score"] * each["weight"] for each in trace["rewards"].values()) for trace in traces],
        "earned": [earned(row, player) for row, player in zip(rows, PLAYERS.values(), strict=True)],
        "success": [trace["metrics"]["success"] for trace in traces],
        "failures": [trace["info"]["failure"] for trace in traces],
        "ok": [episode["ok"] for episode in episodes],
        "turns": twins.asked,
        "begun again": twins.begun_again,
        "pictures": twins.pictures,
        "problems": [*twins.problems, *(f"left behind: {each}" for each in left)],
    }


def by_command(package: str, taskset: dict[str, Any], url: str, out: Path) -> tuple[list[Any], list[str]]:
    """Play by ``vf-eval``."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in taskset.items()}
    flags = [part for name, text in texts.items() for part in (f"--env.taskset.{name}", text)]
    flags += ["--model", "stand-in", "--client.base-url", url, "--client.api-key-var", "NO_KEY"]
    left = run("vf-eval", package, *flags, "--no-push", "--no-rich", "-o", str(out))
    [file] = out.glob("*/traces.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()], left


def by_resuming(package: str, taskset: dict[str, Any], url: str, out: Path) -> tuple[list[Any], list[str]]:
    """Play by ``vf-eval``, lose the later half of what was played, and let it go on."""
    by_command(package, taskset, url, out)
    [file] = out.glob("*/traces.jsonl")
    lines = file.read_text().splitlines(keepends=True)
    kept = lines[: len(lines) // 2]
    file.write_text("".join(kept))
    [config] = file.parent.rglob("eval.json")
    left = run("vf-eval", "@", str(config), "--resume", "true", "--no-push", "--no-rich")
    assert file.read_text().startswith("".join(kept)), "what was played was played again"
    return [json.loads(line) for line in file.read_text().splitlines()], left


def by_server(package: str, taskset: dict[str, Any], url: str, out: Path) -> tuple[list[Any], list[str]]:
    """Play by an environment server with a worker process, as a trainer does."""
    import verifiers.v1 as vf
    from verifiers.v1.serve import EnvClient, env_config_data, serve_env

    config = vf.resolve_env_config({"taskset": {"id": package, **taskset}})
    client = vf.EvalClientConfig(base_url=url, api_key_var="NO_KEY")
    tasks = list(vf.load_taskset(config.taskset))
    context = multiprocessing.get_context("spawn")
    address = context.Queue()
    told = {"max_workers": 2, "address": "tcp://127.0.0.1:0", "address_queue": address}
    server = context.Process(target=serve_env, kwargs={**told, "config_data": env_config_data(config)})
    server.start()

    async def play() -> list[Any]:
        there = EnvClient(address.get(timeout=SECONDS))
        await there.wait_for_server_startup(SECONDS)
        asked = (
            there.run(client, "stand-in", vf.SamplingConfig(), task.data.model_dump(mode="json")) for task in tasks
        )
        episodes = await asyncio.gather(*asked)
        await there.close()
        return [episode.model_dump(mode="json") for episode in episodes]

    try:
        return asyncio.run(play()), []
    finally:
        server.terminate()
        server.join()


class Talk:
    """An agent's side of an interaction: it says what it is told to, and keeps what the environment records."""

    def __init__(self, said: tuple[str, ...]) -> None:
        self.agent, self.trace, self.left = self, self, [*said]
        self.info: dict[str, Any] = {}
        self.rewards: dict[str, float] = {}

    @asynccontextmanager
    async def interaction(self, task: Any) -> AsyncIterator["Talk"]:
        yield self

    async def turn(self, messages: list[Any]) -> Any:
        return SimpleNamespace(last_reply=self.left.pop(0), terminated=False)

    def record_reward(self, name: str, value: float) -> None:
        self.rewards[name] = value

    def record_metric(self, name: str, value: float) -> None:
        assert isinstance(value, float)


def forty_earned(env_id: str) -> dict[str, Any]:
    """What the forty rows of an id earn in verifiers' own taskset and environment, and what they are to earn."""
    import verifiers.v1 as vf

    package, taskset = package_of(env_id), {"env_id": env_id, "split": SPLIT, "seed": SEED, "n": COUNT}
    config = vf.resolve_env_config({"taskset": {"id": package, **taskset, "settings": SETTINGS[env_id]}})
    env, tasks = vf.load_environment(config), list(vf.load_taskset(config.taskset))
    rows, earned = [each for each in forty() if each.env_id == env_id], []
    for each, task in zip(rows, tasks, strict=True):
        talk = Talk(each.said)
        asyncio.run(env.run(task, talk))
        assert not talk.left
        earned.append(talk.rewards["reward"])
    return {"earned": earned, "paid": [each.reward for each in rows]}


def validated(out: Path) -> list[Any]:
    """What ``vf-validate`` finds: whether the expert succeeds at each task."""
    flags = ["--taskset.settings", json.dumps(SHORT), "--runtime.type", "subprocess", "--only-gold", "--no-rich"]
    run("vf-validate", "verienv-virl", "-n", "2", *flags, "-o", str(out))
    [file] = out.glob("*/results.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def main() -> None:
    out = Path(sys.argv[1])
    packages = [str(EXAMPLES / name) for name in ("generalpoints", "virl")]
    run("uv", "pip", "install", "-q", "--python", sys.executable, "--no-deps", "--reinstall", *packages)
    told: dict[str, Any] = {"versions": {name: version(name) for name in ("verifiers", "verienv", "openai")}}
    for name in CASES:
        told[name] = played(name, by_command, out / name.replace(" ", "-"))
    told["resumed"] = played("cards", by_resuming, out / "resumed")
    told["served"] = played("cards by sight", by_server, out)
    told["forty"] = {env_id: forty_earned(env_id) for env_id in SETTINGS}
    told["validated"] = validated(out / "validated")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
