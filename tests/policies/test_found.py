"""A name of no model ends within seconds in one line, and no checkpoint runs code of its own."""

import ast
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

from verienv.core.assets import asset_path
from verienv.policies import load
from verienv.policies.hugging_face import checkpoint

ROOT = Path(__file__).parents[2]
CONCRETE = ("LlamaForCausalLM", "PeftModel")
"""Classes that run no code but their own."""


def asked(monkeypatch, error):
    """Have the hub answer so; the fault of a model that is not in the cache."""

    def ask(*_, **__):
        raise error

    monkeypatch.setattr(checkpoint, "get_hf_file_metadata", ask)
    checkpoint.demand_found("nobody/nothing")


def replied(kind):
    """An error of the hub's, whose own making takes the reply of an HTTP library that changes by version."""
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OfflineModeIsEnabled("offline"), "HF_HUB_OFFLINE forbids to ask the hub"),
        (replied(RepositoryNotFoundError), "not on the hub, or private"),
        (replied(GatedRepoError), "its owner must let you have it"),
        (ConnectionError("no route\nto it"), "the hub cannot be reached: no route; HF_HUB_OFFLINE=1 does without"),
        (TimeoutError("timed out"), "the hub cannot be reached: timed out"),
    ],
)
def test_a_name_of_no_model_says_why_and_what_names_there_are(error, told, monkeypatch):
    with pytest.raises(
        ValueError, match=r"^there is no model 'nobody/nothing' \(.*\); give tiny-lm, .* or gp-sight,"
    ) as found:
        asked(monkeypatch, error)
    assert told in str(found.value)
    assert "\n" not in str(found.value)


def test_a_hub_that_is_busy_may_be_asked_again(monkeypatch):
    asked(monkeypatch, replied(HfHubHTTPError))


def test_a_name_that_no_hub_can_have_says_so():
    with pytest.raises(ValueError, match="there is no model 'a b' \\(no name that the hub can have: "):
        load("a b")


def test_a_hub_that_hangs_up_is_asked_once(monkeypatch):
    asks = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asks.append(self.path)
            self.close_connection = True  # without a word

        def log_message(self, *_):
            pass

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(
            checkpoint, "hf_hub_url", lambda *parts: f"http://127.0.0.1:{server.server_port}/{'/'.join(parts)}"
        )
        with pytest.raises(ValueError, match=r"'nobody/nothing' \(not in the cache, and the hub cannot be reached: "):
            load("nobody/nothing")
        server.shutdown()
    assert asks == ["/nobody/nothing/config.json"]


def test_every_loader_that_could_run_a_checkpoints_code_is_told_not_to():
    files = [path for room in ("src", "examples", "tools", "benchmarks") for path in (ROOT / room).rglob("*.py")]
    calls = [
        (f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.func.value), node.keywords)
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("from_pretrained", "from_config")
    ]
    told = {
        place: any(one.arg == "trust_remote_code" and ast.unparse(one.value) == "False" for one in keywords)
        for place, loader, keywords in calls
        if loader.rpartition(".")[2] not in CONCRETE
    }
    assert len(told) >= 6
    assert not [place for place, refuses in told.items() if not refuses]


def test_a_checkpoint_that_brings_code_is_refused_and_its_code_is_not_run(tmp_path):
    for file in asset_path("models/tiny-lm").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    own = {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.OwnModel"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": own}))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w').close()\n")
    with pytest.raises(ValueError, match=r"cannot be loaded .*contains custom code") as found:
        load(tmp_path, device="cpu")
    assert "\n" not in str(found.value)
    assert not (tmp_path / "was_run").exists()
