"""The examples are scripts in a folder of their own; one thread keeps small models fast on a shared machine."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def policy():
    from verienv.policies import HuggingFacePolicy

    return HuggingFacePolicy.load("tiny-lm", device="cpu")


def playing(policy):
    """A policy as rollouts know it: that of a learner, in one process."""
    from distributed import ALONE

    return SimpleNamespace(policy=policy, team=ALONE)


def learning(arguments, rate=None, model=None):
    """A learner in one process and, with a rate, plain gradient descent in the place of its optimiser."""
    from distributed import Team
    from model import Learner

    learner = Learner(arguments, Team(device="cpu"), model or arguments.model)
    if rate:
        learner.optimiser = torch.optim.SGD(learner.policy.model.parameters(), lr=rate)
    return learner


def break_off(train, after):
    """Train until the line of an update is in the log, as Ctrl-C would end it there."""
    from run import Run

    log = Run.log

    def cut(self, line):
        log(self, line)
        if line["update"] == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Run, "log", cut)
        with pytest.raises(KeyboardInterrupt):
            train()


@pytest.fixture(scope="session")
def llava(tmp_path_factory):
    """A folder with a tiny LLaVA of random weights."""
    from tests.families import FAMILIES

    return FAMILIES["llava"].save(tmp_path_factory.mktemp("models") / "llava")


@pytest.fixture(scope="session")
def seeing(llava):
    from verienv.policies import HuggingFacePolicy

    return HuggingFacePolicy.load(llava, device="cpu", max_new_tokens=12)


@pytest.fixture(scope="session")
def qwen2_vl():
    """A tiny Qwen2-VL, and openings put together by hand: its processor needs torchvision."""
    import numpy as np
    from PIL import Image
    from tests.families import qwen2_vl_model, widened
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from verienv.policies import HuggingFacePolicy
    from verienv.policies.hugging_face.sampling import never_say_pictures
    from verienv.policies.hugging_face.tokens import Tokens

    torch.manual_seed(0)
    model, tokenizer = qwen2_vl_model()
    widened(model).eval()
    never_say_pictures(model)
    config = model.config
    begin, picture, end = config.vision_start_token_id, config.image_token_id, config.vision_end_token_id
    process, prompts = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112), []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 255, (112, 56 * (1 + seed % 2), 3), dtype=np.uint8)
        seen = dict(process([Image.fromarray(pixels)], return_tensors="pt"))
        pictures = [picture] * (int(seen["image_grid_thw"].prod()) // 4)
        ids = [2, begin, *pictures, end, *tokenizer("make 24 " * (seed + 1))["input_ids"], 1, 3]
        prompts.append(Tokens(ids, {**seen, "mm_token_type_ids": torch.tensor([[int(one == picture) for one in ids]])}))
    return HuggingFacePolicy(model, tokenizer, 12, processor=object()), prompts


@pytest.fixture
def stopped(capsys):
    """Calls a script that stops with an error; what it says in the one line that it ends with."""

    def said_by(call):
        from command_line import kind_endings

        with pytest.raises(SystemExit) as ending, kind_endings(Path("runs/x")):
            call()
        assert ending.value.code == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
        (said,) = [line for line in lines if "FLOP/s" not in line and "update/s" not in line]
        return said

    return said_by
