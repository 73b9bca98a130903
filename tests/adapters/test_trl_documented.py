"""The lines for TRL's trainers that the adapter's docstring gives run as printed, on a CPU too."""

import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from verienv.adapters import trl
from verienv.core.assets import asset_path

PAGE = (Path(__file__).parents[2] / "docs" / "wording.md").read_text()
(OWN_WORDING,) = [
    block for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "trl" in block
]
OWN_PAGE = (Path(__file__).parents[2] / "docs" / "trl.md").read_text()
ON_PAGE = re.findall(r"^```python\n(.*?)^```", OWN_PAGE, re.MULTILINE | re.DOTALL)
TRAINERS = ["GRPO", "RLOO", "GRPO", "SFT", "DPO", "KTO", "Reward"]
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"::\n\n((?:    .*\n|\n)+)", trl.__doc__ or "")]


def test_there_are_lines_for_grpo_sft_several_attempts_and_both_tasks() -> None:
    assert ["GRPOTrainer" in block for block in BLOCKS] == [True, False, True, False]


@pytest.mark.parametrize("block", BLOCKS, ids=["grpo", "sft", "several attempts", "both tasks"])
def test_each_block_brings_all_its_names(block: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,E9", "-"]
    done = subprocess.run(command, input=block, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("block", [BLOCKS[0], BLOCKS[1], BLOCKS[3]], ids=["grpo", "sft", "both tasks"])
def test_each_block_runs_by_itself_for_a_step_of_a_small_model(block: str, tmp_path) -> None:
    """Several attempts want a model that calls tools, which test_trl_environments.py builds."""
    run_small(block, "tiny-lm", tmp_path)


def test_the_page_has_every_trainer_and_names_files_that_trl_brings() -> None:
    assert [f"{name}Trainer(" in block for name, block in zip(TRAINERS, ON_PAGE, strict=True)] == [True] * 7
    folder = Path(find_spec("trl").origin).parent / "accelerate_configs"
    named = re.findall(r"\$configs/(\w+\.yaml)", OWN_PAGE)
    assert named == ["fsdp2.yaml", "zero3.yaml"]
    assert all((folder / name).is_file() for name in named)


@pytest.mark.slow
@pytest.mark.parametrize(
    "block",
    [pytest.param(block, id=f"block {at}") for at, block in enumerate(ON_PAGE, 1) if "environments(" not in block],
)
def test_each_block_of_the_page_runs_for_a_step_of_a_small_model(block: str, tmp_path: Path) -> None:
    """Whole episodes want a model that calls tools, which tests/integrations/test_trl.py builds."""
    run_small(re.sub(r'(output_dir="[^"]*")', r"\1, use_cpu=True", block), "tiny-lm", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "answer_format", "model"),
    [("verienv/GeneralPoints-L-v0", "tags", "tiny-lm"), ("verienv/GeneralPoints-VL-v0", "tags+cards", "tiny-vlm")],
    ids=["words", "vision"],
)
def test_the_lines_for_tags_and_a_wording_of_ones_own_run(env_id: str, answer_format: str, model: str, tmp_path: Path):
    block = OWN_WORDING.replace("verienv/GeneralPoints-L-v0", env_id).replace('"tags"', f'"{answer_format}"')
    run_small(block, model, tmp_path)


def run_small(block: str, model: str, folder: Path) -> None:
    """Run a block for one step of a small model."""
    small = block.replace("Qwen/Qwen2.5-0.5B-Instruct", str(asset_path(f"models/{model}"))).replace("n=2000", "n=16")
    small = re.sub(r'output_dir="[^"]*"', 'output_dir="out", max_steps=1, report_to="none"', small)
    done = subprocess.run([sys.executable, "-c", small], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
