"""Judge pairs by a built-in model behind transformers' own server, and print what came of it as JSON."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

import judge
import judge_models
import judging
from label import GUIDELINES
from verienv.policies import HuggingFacePolicy
from verienv.policies.server import OpenAIPolicy
from verienv.preferences import Pair, read_judgements, read_labels
from verienv.preferences.judging import BY_WORD, Question

MODEL = Path(__file__).parents[3] / "assets/models/tiny-lm"
SECONDS = 300


def make_pairs(folder: Path) -> list[Pair]:
    """Write three pairs."""
    folder.mkdir(parents=True)
    about = {"env_id": "verienv/GeneralPoints-L-v0", "split": "train", "policy": "tiny-lm"}
    pairs = [
        Pair.model_validate(
            {
                **about,
                **dict.fromkeys(("pair", "instance", "cluster", "question"), f"q{number}"),
                "prompt": [{"role": "user", "content": f"Make 24 of {number}, 4, 3 and 2."}],
                "a": f'{{"formula": "{number}+4+3+2"}}',
                "b": f'{{"formula": "{number}*4*3*2"}}',
            }
        )
        for number in (1, 5, 9)
    ]
    (folder / "pairs.jsonl").write_text("".join(f"{pair.model_dump_json()}\n" for pair in pairs))
    return pairs


@contextmanager
def server(log: Path) -> Any:
    """transformers serve with the model, on a free port; its URL once it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(MODEL), "--device", "cpu"]
    with log.open("w") as file:
        process = subprocess.Popen([*command, "--port", str(port)], stdout=file, stderr=file)
        try:
            for _ in range(SECONDS):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(1)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def main() -> None:
    folder = Path(sys.argv[1])
    pairs = make_pairs(folder)
    local = HuggingFacePolicy.load(str(MODEL), device="cpu", max_new_tokens=24)
    question = Question(GUIDELINES, BY_WORD)
    dialogues = [question.dialogue(pair, first) for pair in pairs for first in ("a", "b")]
    with server(folder / "server.log") as url:
        arguments = judge.Arguments(folder, model=f"openai:{MODEL}", base_url=url, max_new_tokens=24, concurrency=2)
        labels = [judge.judge(arguments), judge.judge(arguments)]
        policy = OpenAIPolicy(str(MODEL), url, max_new_tokens=24, top_logprobs=5)
        told = policy.complete(dialogues[0]).result()
    kept = read_judgements(folder / "judgements.jsonl").values()
    about = judge_models.ServerJudge(policy, model=arguments.model, max_new_tokens=24, temperature=0.0, logprobs=True)
    asked = [each for two in judging.both_orders(pairs, about, GUIDELINES, folder) for each in two]
    said = {each.key: each for each in kept}
    print(
        json.dumps(
            {
                "labels": labels,
                "answers": len(kept),
                "choices": [label.choice for label in read_labels(folder / "labels-judge.jsonl")],
                "said": [said[each.key].said for each in asked],
                "said here": [text[-2000:] for text in local(dialogues)],
                "prompt tokens": [said[each.key].prompt_tokens for each in asked],
                "prompt tokens here": [len(local.opening(each)) for each in dialogues],
                "log-probabilities": told.logprobs,
            }
        )
    )


if __name__ == "__main__":
    main()
