"""Objects of one's own travel by names: registered by who reads them, never imported and never opened."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import verienv
from verienv.core import registered
from verienv.core.rows import _environment

CARDS, PICTURES = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
ROUTES, STREETS = "verienv/VIRL-L-v0", "verienv/VIRL-VL-v0"
SMALL: dict[str, dict[str, Any]] = {PICTURES: {"image_size": 96}, STREETS: {"view_size": 64}}
HAND = {"cards": ["4", "3", "2", "K"]}
COLUMNS = {"prompt": "prompt_template", "format": "answer_format", "feedback": "feedback_lines", "rewards": "rewards"}
SETTINGS = {"prompt": "prompt", "format": "answer_format", "feedback": "feedback", "rewards": "rewards"}

each_kind = pytest.mark.parametrize("kind", COLUMNS)
each_env = pytest.mark.parametrize("env_id", [CARDS, PICTURES, ROUTES, STREETS])


class Arrow:
    """Answers behind an arrow."""

    instruction = "Write -> and the answer."

    def read(self, response: str) -> str | None:
        return response.rpartition("->")[2].strip() if "->" in response else None

    def write(self, fields: dict[str, Any]) -> str:
        return f"-> {fields.get('formula', fields.get('action'))}"


class Mine:
    """Methods: each is another object whenever it is named."""

    def prompt(self, slots: Any) -> str:
        return "\n".join(slots.values())

    def feedback(self, verdict: verienv.Verdict, told: str) -> str:
        return f"{verdict.failure or 'right'} after {len(told)} characters"

    def rewards(self, verdict: verienv.Verdict) -> float:
        return 3.5 if verdict.is_correct else -0.25


MINE = Mine()
OBJECTS = {"prompt": MINE.prompt, "format": Arrow(), "feedback": MINE.feedback, "rewards": MINE.rewards}


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    before = {kind: dict(known) for kind, known in registered._objects.items()}
    _environment.cache_clear()
    yield
    _environment.cache_clear()
    for kind, known in before.items():
        registered._objects[kind].clear()
        registered._objects[kind].update(known)


def register(kind: str, name: str = "mine", value: Any = None) -> None:
    getattr(verienv, f"register_{kind}")(name, OBJECTS[kind] if value is None else value)


def rows(env_id: str, **own: Any) -> list[dict[str, Any]]:
    return verienv.rows(env_id, n=2, **SMALL.get(env_id, {}), **own)


@each_kind
@each_env
def test_a_row_holds_the_name_and_reads_back_as_the_same_question(env_id: str, kind: Any) -> None:
    register(kind)
    for row in rows(env_id, **{SETTINGS[kind]: OBJECTS[kind]}):
        held = {"function": "mine"} if kind == "rewards" else "mine"
        assert row[COLUMNS[kind]] == held
        assert row == json.loads(json.dumps(row))
        question, dealt = verienv.Question.from_row(row), verienv.Episode.of(row).question
        assert verienv.Question.from_row(question.row()) == question
        assert question.prompt == dealt.prompt
        for response in ("", "{}", "-> x", dealt.expert()):
            assert verienv.judge(row, response) == dealt.judge(response)


@each_kind
def test_a_name_stands_for_its_object_in_settings(kind: Any) -> None:
    register(kind)
    by_name, by_object = (rows(CARDS, **{SETTINGS[kind]: given}) for given in ("mine", OBJECTS[kind]))
    assert by_name == by_object


@each_kind
@each_env
def test_an_object_without_a_name_goes_into_no_row(env_id: str, kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"{SETTINGS[kind]}=.*verienv.register_{kind}\('\w+', ...\)") as caught:
        rows(env_id, **{SETTINGS[kind]: OBJECTS[kind]})
    assert type(caught.value) is ValueError


@each_kind
@pytest.mark.parametrize("read", [verienv.Episode.of, lambda row: verienv.judge(row, ""), verienv.Question.from_row])
@pytest.mark.parametrize("env_id", [CARDS, ROUTES])
def test_a_reader_without_the_name_is_told_to_register_it(env_id: str, kind: Any, read: Any) -> None:
    register(kind)
    (row, _) = rows(env_id, **{SETTINGS[kind]: "mine"})
    registered._objects[kind].clear()
    with pytest.raises(ValueError, match=rf"mine.*registered in this process .*verienv.register_{kind}\('mine', ...\)"):
        read(row)


UNFIT: dict[Any, tuple[Any, str]] = {
    "prompt": (lambda: "", r"expected a function\(slots\), but it takes \(\)"),
    "format": (Arrow, r"expected read\(response\), but it takes \(self, .*give an object of it, Arrow\(\)"),
    "feedback": (lambda verdict: "", r"expected a function\(verdict, prompt\), but it takes \(verdict\)"),
    "rewards": (lambda verdict, prompt: 1.0, r"expected a function\(verdict\), but it takes \(verdict, prompt\)"),
}


@each_kind
def test_an_object_that_cannot_be_handed_what_it_will_be_is_refused_before_any_response(kind: Any) -> None:
    value, told = UNFIT[kind]
    with pytest.raises(ValueError, match=told):
        gym.make(CARDS, **{SETTINGS[kind]: value})
    with pytest.raises(TypeError, match=told):
        register(kind, value=value)


@each_kind
def test_in_another_process_a_name_means_nothing(kind: Any, tmp_path: Path) -> None:
    register(kind)
    (tmp_path / "row.json").write_text(json.dumps(rows(CARDS, **{SETTINGS[kind]: "mine"})[0]))
    code = "import json, sys, verienv; verienv.judge(json.load(open(sys.argv[1])), '')"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "row.json")], capture_output=True, text=True)
    assert f"verienv.register_{kind}('mine', ...)" in done.stderr
    assert done.returncode == 1


class WATCHED:
    """What is opened, imported or run while a test looks: a hook cannot be taken away again."""

    met: list[str] | None = None


TRAPS = ("os.system", "Popen", "subprocess", "verienv_trap", "fifo", "deck", "template.txt")


def note(event: str, args: tuple[Any, ...]) -> None:
    if WATCHED.met is not None and event in ("open", "import", "os.system", "subprocess.Popen", "os.listdir"):
        WATCHED.met.append(f"{event} {args[0]}")


sys.addaudithook(note)


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that would do something if anyone imported, opened or unpickled them."""
    (tmp_path / "verienv_trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "deck").mkdir()
    (tmp_path / "template.txt").write_text("{cards} {rule} {target}")
    paths = [str(tmp_path / name) for name in ("fifo", "deck", "template.txt")]
    pickled = pickle.dumps(os.getcwd, protocol=0).decode()
    return ["os:system", "subprocess:run", "verienv_trap:go", "verienv_trap", f"@{paths[2]}", pickled, *paths]


@each_kind
@pytest.mark.parametrize("env_id", [CARDS, ROUTES])
def test_no_row_imports_opens_or_unpickles(
    env_id: str, kind: Any, traps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (row, _) = rows(env_id)
    verienv.judge(row, "")
    for trap in traps:
        given = [trap, {"function": trap}] if kind == "rewards" else [trap]
        changed = [{**row, COLUMNS[kind]: value} for value in given]
        changed += [{**row, "settings": json.dumps({SETTINGS[kind]: value})} for value in given]
        for each in changed:
            read = verienv.Question.from_row if each["settings"] == row["settings"] else verienv.Episode.of
            met: list[str] = []
            with monkeypatch.context() as patch:
                patch.setattr(WATCHED, "met", met)
                with pytest.raises(ValueError, match=r"expected|not a preset"):
                    read(each)
            assert not [event for event in met if any(part in event for part in TRAPS)]
    assert "verienv_trap" not in sys.modules


@each_kind
def test_no_log_of_an_evaluation_imports_or_opens(
    kind: Any, traps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.jsonl"
    evaluate = lambda: verienv.evaluate("expert", CARDS, ("train",), 1, progress=False, log=log)  # noqa: E731
    evaluate()
    header, rest = log.read_text().split("\n", 1)
    for trap in traps:
        changed = json.loads(header)
        changed["setup"]["cells"]["train"][SETTINGS[kind]] = trap
        log.write_text(f"{json.dumps(changed)}\n{rest}")
        met: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(WATCHED, "met", met)
            with pytest.raises(ValueError, match="logs another evaluation"):
                evaluate()
        assert not [event for event in met if any(part in event for part in TRAPS)]


@each_kind
@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "1st", "{cards}", "na\xefve", "x" * 129, None, 5, ["x"]])
def test_what_is_no_name_is_refused(kind: Any, name: Any) -> None:
    with pytest.raises(ValueError, match=rf"register_{kind}: name=.*expected a name such as 'my_{kind}'"):
        register(kind, name)


@each_kind
def test_names_of_the_suites_own_are_refused(kind: Any) -> None:
    for name in registered.BUILT_IN[kind]:
        with pytest.raises(ValueError, match=rf"'{name}' means another {kind} already"):
            register(kind, name)


def test_every_preset_is_a_name_of_the_suites_own() -> None:
    from verienv.generalpoints.rewards import REWARDS
    from verienv.virl.verifier import VIRLRewards

    assert set(registered.BUILT_IN["rewards"]) == {*REWARDS, *VIRLRewards.presets}


@each_kind
def test_registering_an_object_again_changes_nothing_and_another_is_refused(kind: Any) -> None:
    register(kind)
    register(kind, value=getattr(MINE, kind, OBJECTS[kind]))
    other = Arrow() if kind == "format" else lambda *given: "?"
    with pytest.raises(ValueError, match=rf"'mine' means another {kind} already; choose another name"):
        register(kind, value=other)


@each_kind
@pytest.mark.parametrize("value", [5, "json", object(), {"instruction": "?"}])
def test_what_cannot_do_its_work_is_no_object(kind: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"register_{kind}: .*expected"):
        register(kind, value=value)


OWN_WORDINGS: list[dict[str, Any]] = [
    {"think_first": True, "system_prompt": "Be brief.", "answer_format": "tags", "feedback": "none"},
    {"answer_format": "boxed", "feedback": {"wrong": "No.", "correct": "Yes."}, "prompt": "diverse"},
    {"answer_format": "line", "system_prompt": 'A "quoted"\nline \\ {brace}'},
]
TEMPLATES = {CARDS: "{{x}} {cards} {rule} {target} {attempts} {format}", ROUTES: "{instructions} {actions} {view}"}


@each_env
@pytest.mark.parametrize("own", OWN_WORDINGS, ids=str)
def test_a_question_in_any_wording_reads_back_from_its_row(env_id: str, own: dict[str, Any]) -> None:
    template = TEMPLATES[CARDS if "General" in env_id else ROUTES]
    for row in rows(env_id, **{"prompt": template, **own}):
        question = verienv.Question.from_row(row)
        assert verienv.Question.from_row(question.row()) == question
        dealt = verienv.Episode.of(json.loads(json.dumps(row)))
        assert dealt.messages == row["prompt"]
        assert question.wording == dealt.question.wording
        assert question.prompt == dealt.question.prompt


@pytest.mark.parametrize("through", ["arrow", "pandas", "json lines"])
def test_rows_of_several_tasks_and_wordings_fit_in_one_table(through: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    register("rewards")
    made = [
        rows(CARDS),
        rows(ROUTES, prompt=TEMPLATES[ROUTES], rewards="mine"),
        rows(CARDS, rewards="mine", **OWN_WORDINGS[0]),
        rows(ROUTES, **OWN_WORDINGS[1]),
    ]
    pictured = verienv.rows(PICTURES, n=2, image_size=96, system_prompt="Look.", think_first=True)
    assert datasets.Dataset.from_list(pictured)[0]["prompt"][0]["role"] == "system"
    table = datasets.concatenate_datasets([datasets.Dataset.from_list(each) for each in made])
    held: list[dict[str, Any]] = list(table)
    if through == "pandas":
        frame = table.to_pandas()
        frame["think_first"] = frame["think_first"].astype(float)
        frame.loc[0, ["think_first", "system_prompt", "answer_format"]] = [float("nan"), None, float("nan")]
        held = frame.to_dict("records")
    elif through == "json lines":
        table.to_json(tmp_path / "rows.jsonl")
        held = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    for row, original in zip(held, (row for each in made for row in each), strict=True):
        read, meant = verienv.Question.from_row(row), verienv.Question.from_row(original)
        assert (read.wording, read.prompt) == (meant.wording, meant.prompt)
        for response in ("", meant.expert()):
            assert read.judge(response) == meant.judge(response)
        assert verienv.Episode.of(row).question == verienv.Episode.of(original).question


@pytest.mark.parametrize(
    ("columns", "response"),
    [
        ({"answer_format": "tags"}, "<answer>4*3+2+10</answer>"),
        ({"answer_format": "boxed"}, r"So \boxed{4*3+2+10}."),
        ({"answer_format": "line", "strict": True}, "First.\n4*3+2+10"),
        ({"answer_format": "tags+cards", "vision": True}, "<cards>4, 3, 2, K</cards><answer>4*3+2+10</answer>"),
        ({"answer_format": None, "feedback_lines": float("nan"), "think_first": 0.0}, '{"formula": "4*3+2+10"}'),
        ({"rewards": {"function": None, "base": "binary"}}, '{"formula": "4*3+2+10"}'),
    ],
)
def test_a_hand_alone_is_judged_in_the_format_that_it_names(columns: dict[str, Any], response: str) -> None:
    assert verienv.judge({**HAND, **columns}, response).is_correct
    assert not verienv.judge({**HAND, **columns}, response.replace("3", "5")).is_correct


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("answer_format", "tags+bogus"),
        ("answer_format", "tags+cards+cards"),
        ("answer_format", 5),
        ("prompt_template", "{view}"),
        ("prompt_template", "{cards.x}"),
        ("prompt_template", ["{cards}"]),
        ("system_prompt", "x" * 9000),
        ("system_prompt", "\u2028"),
        ("think_first", "yes"),
        ("think_first", 2),
        ("feedback_lines", '{"wrong": "{"}'),
        ("feedback_lines", '{"nothing": "?"}'),
        ("rewards", {"function": "nobody"}),
        ("rewards", {"function": 5}),
    ],
)
def test_a_wrong_column_is_a_value_error_before_any_response(column: str, value: Any) -> None:
    named = {"prompt_template": "prompt", "feedback_lines": "feedback"}.get(column, column)
    with pytest.raises(ValueError, match=named) as caught:
        verienv.Question.from_row({**HAND, column: value})
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


@each_env
def test_rewards_by_a_function_are_paid_and_the_best_is_the_experts(env_id: str) -> None:
    import gymnasium as gym

    env: Any = gym.make(env_id, rewards=MINE.rewards, **SMALL.get(env_id, {})).unwrapped
    env.reset(seed=0)
    assert env.best_reward == 3.5
    assert env.step("")[1] == -0.25
    assert env.step(env.expert_response())[1] == 3.5


def test_a_function_of_rewards_is_paid_by_every_reader_of_a_row() -> None:
    from verienv.adapters import trl, verl

    verienv.register_rewards("mine", MINE.rewards)
    (row, _) = rows(CARDS, rewards="mine")
    response = verienv.Episode.of(row).expert()
    columns = {name: [value] for name, value in row.items()}
    assert trl.reward(prompts=["?"], completions=[response], **columns) == [3.5]
    own = trl.reward_function(rewards=lambda verdict: 9.0 if verdict.is_correct else 0.0)
    assert own(prompts=["?"] * 2, completions=[response, ""], cards=[row["cards"]] * 2) == [9.0, 0.0]
    (made,) = verl.rows(CARDS, n=1, rewards="mine")
    truth = made["reward_model"]["ground_truth"]
    expert = verienv.Episode.of(json.loads(truth)).expert()
    assert verl.compute_score("", expert, truth)["score"] == 3.5
    assert verl.compute_score("", expert, truth, rewards="binary")["score"] == 1.0


@pytest.mark.parametrize("paid", [float("nan"), float("inf"), 1e300, 10**400, "1", b"1", None, [1.0], 1j])
def test_a_function_that_pays_no_finite_number_is_a_value_error_that_names_it(paid: Any) -> None:
    def mispaid(verdict: verienv.Verdict) -> Any:
        return paid

    for verify, facts in (
        (verienv.generalpoints.verify, verienv.generalpoints.Puzzle(HAND["cards"])),
        (verienv.virl.verify, verienv.virl.Waypoint()),
    ):
        with pytest.raises(ValueError, match=r"rewards=<function .*mispaid.* returned .*; expected a number from"):
            verify("", facts, rewards=mispaid)


def test_a_function_of_rewards_cannot_change_the_verdict() -> None:
    def spoil(verdict: verienv.Verdict) -> float:
        verdict.metrics.clear()
        verdict.answer["formula"] = "1"
        return float(True)

    puzzle = verienv.generalpoints.Puzzle(HAND["cards"])
    plain = verienv.generalpoints.verify('{"formula": "1+1"}', puzzle)
    found = verienv.generalpoints.verify('{"formula": "1+1"}', puzzle, rewards=spoil)
    assert found == plain.model_copy(update={"reward": 1.0})


@pytest.mark.parametrize("env_id", [CARDS, ROUTES])
def test_a_part_of_a_table_needs_a_base(env_id: str) -> None:
    with pytest.raises(ValueError, match=r'nothing says what .* pay; .* add "base": '):
        rows(env_id, rewards={"correct": 2.0})
    assert rows(env_id, rewards={"base": "binary", "correct": 2.0})[0]["rewards"]["correct"] == 2.0


class Careless(Arrow):
    """It hands on whatever it is given."""

    found: Any = None

    def read(self, response: str) -> Any:
        return self.found


@pytest.mark.parametrize("found", [24, re.compile("x"), {"answer": "24"}])
def test_a_reader_that_returns_no_answer_of_the_task_says_so_in_the_log(found: Any, caplog: Any) -> None:
    reader = Careless()
    reader.found = found
    env = gym.make(CARDS, answer_format=reader).unwrapped
    env.reset(seed=0)
    assert env.judge("x").failure == "unreadable"
    assert 'expected a text, a dict with "formula", or None; it counts as no answer' in caplog.text


def test_a_format_that_cannot_read_what_it_writes_makes_no_demonstration() -> None:
    with pytest.raises(RuntimeError, match="must read what its `write` writes"):
        list(verienv.demonstrations(CARDS, n=1, answer_format=Careless()))
