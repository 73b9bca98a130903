"""verienv: environments with exact verifiers for studying how models learn to reason from verifiable rewards.

Importing it registers the environments with Gymnasium and loads nothing heavy; the names below, and the subpackages,
load with their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import lazy_attributes
from verienv.core.version import __version__ as __version__
from verienv.registry import register_shipped

if TYPE_CHECKING:
    from verienv.core.env import VerifiedEnv as VerifiedEnv
    from verienv.core.episode import Episode as Episode
    from verienv.core.question import Question as Question
    from verienv.core.registered import register_feedback as register_feedback
    from verienv.core.registered import register_format as register_format
    from verienv.core.registered import register_prompt as register_prompt
    from verienv.core.registered import register_rewards as register_rewards
    from verienv.core.rows import judge as judge
    from verienv.core.rows import rows as rows
    from verienv.core.task import Task as Task
    from verienv.core.tasks import register_task as register_task
    from verienv.core.tasks import tasks as tasks
    from verienv.core.verdict import Verdict as Verdict
    from verienv.demos import demonstrations as demonstrations
    from verienv.evaluation import compare as compare
    from verienv.evaluation import evaluate as evaluate
    from verienv.testing import check_verifier as check_verifier

__getattr__, __dir__, __all__ = lazy_attributes(
    __name__,
    {
        "core.env": ("VerifiedEnv",),
        "core.episode": ("Episode",),
        "core.question": ("Question",),
        "core.registered": ("register_feedback", "register_format", "register_prompt", "register_rewards"),
        "core.rows": ("judge", "rows"),
        "core.task": ("Task",),
        "core.tasks": ("register_task", "tasks"),
        "core.verdict": ("Verdict",),
        "demos": ("demonstrations",),
        "evaluation": ("compare", "evaluate"),
        "testing": ("check_verifier",),
    },
    modules=(
        "adapters",
        "arithmetic",
        "browsing",
        "cli",
        "compat",
        "core",
        "demos",
        "evaluation",
        "generalpoints",
        "numeric",
        "pages",
        "playing",
        "policies",
        "preferences",
        "replay",
        "testing",
        "virl",
    ),
)

register_shipped()
