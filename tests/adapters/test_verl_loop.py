"""The agent loop for verl, in a stand-in of the library whose tokens are letters."""

import asyncio
import json
import sys
from itertools import groupby
from types import SimpleNamespace

import pytest
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID
from tests.contract.libraries import verl as library
from tests.contract.playing import expert, mending, script, wrong

import verienv
from verienv.adapters import verl, verl_loop
from verienv.adapters.verl_loop import episode_loop

SETTINGS = {
    ID: {"attempts": 3, "system_prompt": "You solve puzzles."},
    ROUTES_ID: {"turns": (1, 1)},
    VISION_ID: {"attempts": 3, "image_size": 96},
    "verienv/VIRL-VL-v0": {"turns": (1, 1), "view_size": 64},
}
END = library.Tokenizer.eos_token_id
MANY = 100_000


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    for name, module in library.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    verl_loop._loop_class.cache_clear()
    yield
    verl_loop._loop_class.cache_clear()


class Server:
    """Says what it is told, and keeps what it was asked."""

    def __init__(self, texts, stop=True):
        self.left, self.stop, self.asked = list(texts), stop, []

    async def generate(self, *, request_id, prompt_ids, sampling_params, image_data, mm_processor_kwargs):
        assert prompt_ids.count(ord(library.IMAGE)) == len(image_data or ())
        self.asked.append((library.Tokenizer().decode(prompt_ids), sampling_params))
        ids = [*map(ord, self.left.pop(0)), *([END] if self.stop else [])][: sampling_params["max_tokens"]]
        step = {"min_global_steps": len(self.asked), "max_global_steps": len(self.asked)}
        return library.TokenOutput(ids, [-0.5] * len(ids), extra_fields=step)


def play(row, texts, prompt_length=MANY, response_length=MANY, server=None, processed=True, **settings):
    tokenizer = library.Tokenizer()
    loop = episode_loop(
        config=SimpleNamespace(prompt_length=prompt_length, response_length=response_length),
        server_manager=server or Server(texts),
        tokenizer=tokenizer,
        processor=tokenizer if processed and "images" in row else None,
        tools=None,
        name="verienv",
        **settings,
    )
    return asyncio.run(loop.run({"temperature": 1.0}, **row))


def rows_of(env_id, n=1, **more):
    made = verl.rows(env_id, "rule_ood", n=n, episodes=True, **SETTINGS[env_id], **more)
    return made, [json.loads(row["reward_model"]["ground_truth"]) for row in made]


def own_words(output):
    """The words at which the mask is 1, answer by answer."""
    assert len(output.response_ids) == len(output.response_mask)
    assert output.response_logprobs == [-0.5 * one for one in output.response_mask]
    runs = groupby(zip(output.response_ids, output.response_mask, strict=True), key=lambda pair: pair[1])
    return ["".join(chr(i) for i, _ in run) for one, run in runs if one]


def said_by(output):
    return library.Tokenizer().decode(output.prompt_ids + output.response_ids)


@pytest.mark.parametrize("player", [mending, wrong])
@pytest.mark.parametrize("env_id", SETTINGS)
def test_an_episode_is_the_dialogue_in_tokens_and_earns_what_the_environment_pays(env_id, player):
    [row], [plain] = rows_of(env_id)
    texts, paid = script(plain, player)
    output = play(row, texts)
    assert output.reward_score == sum(paid)
    assert output.extra_fields["turn_scores"] == paid
    assert own_words(output) == [text + chr(END) for text in texts]
    assert output.response_mask[-1] == 1
    pictures = output.multi_modal_data.get("images", [])
    assert said_by(output).count(library.IMAGE) == len(pictures)
    assert bool(pictures) == ("-VL-" in env_id)
    episode = verienv.Episode.of(plain)
    for text in texts:
        words = episode.messages[-1]["content"]
        assert (words if isinstance(words, str) else words[-1]["text"]) in said_by(output)
        episode.answer(text)


def test_by_question_each_waypoint_is_a_dialogue_of_its_own_and_all_bear_the_reward_of_the_episode():
    [row], [plain] = rows_of(ROUTES_ID)
    texts, paid = script(plain, mending)
    outputs = play(row, texts, per_question=True)
    episode, told = verienv.Episode.of(plain), []
    for text in texts:
        if not episode.feedback:
            told.append([])
        told[-1].append(text)
        episode.answer(text)
    assert len(outputs) == len(told) > 2
    for output, said in zip(outputs, told, strict=True):
        assert own_words(output) == [text + chr(END) for text in said]
        assert output.reward_score == sum(paid)
        assert output.num_turns == 2 * len(said)


def test_a_turn_that_would_not_fit_is_not_begun_and_the_answers_given_are_paid():
    [row], [plain] = rows_of("verienv/VIRL-VL-v0")
    texts, _ = script(plain, mending)
    whole = play(row, texts)
    seen = set()
    for room in (50, *range(1000, len(whole.response_ids), 1500), len(whole.response_ids)):
        output = play(row, texts, response_length=room)
        count = len(output.extra_fields["turn_scores"])
        assert output.response_ids == whole.response_ids[: len(output.response_ids)]
        assert len(output.response_ids) <= room
        assert output.response_mask[-1] == 1
        assert said_by(output).count(library.IMAGE) == len(output.multi_modal_data["images"])
        assert output.reward_score == sum(output.extra_fields["turn_scores"])
        is_whole = count == len(texts) or len(output.response_ids) == room  # the room may end within an answer
        assert output.extra_fields["reward_extra_info"]["cut"] == 1.0 or is_whole
        seen.add(count)
    assert len(seen) > 3
    assert max(seen) == len(texts)


def test_a_turn_wants_room_for_its_answer_and_an_answer_is_no_longer_than_that():
    [row], [plain] = rows_of(ID)
    texts, _ = script(plain, wrong)
    whole = play(row, texts)
    server = Server(texts)
    short = play(row, texts, server=server, response_length=len(whole.response_ids), turn_length=200)
    assert [params["max_tokens"] for _, params in server.asked] == [200] * len(server.asked)
    assert short.extra_fields["reward_extra_info"]["cut"] == 1.0
    assert len(server.asked) == 2


def test_an_answer_that_was_cut_off_is_closed_by_a_token_that_is_not_the_policys():
    [row], [plain] = rows_of(ID)
    texts, _ = script(plain, wrong)
    output = play(row, texts, server=Server(texts, stop=False))
    assert said_by(output) == said_by(play(row, texts))[:-1]
    assert own_words(output) == texts


def test_an_answer_ends_before_a_token_that_stands_for_a_picture():
    [row], _ = rows_of(VISION_ID)
    output = play(row, [f"A picture:{library.IMAGE} and more", library.IMAGE, "none"])
    assert own_words(output) == ["A picture:", f"none{chr(END)}"]
    assert said_by(output).count(library.IMAGE) == len(output.multi_modal_data["images"]) == 1


@pytest.mark.parametrize("per_question", [False, True])
def test_a_policy_that_never_says_a_word_has_a_sample_of_one_token_which_is_not_its_own(per_question):
    [row], [plain] = rows_of(ID)
    output = play(row, ["", "", ""], server=Server(["", "", ""], stop=False), per_question=per_question)
    [output] = output if per_question else [output]
    assert (output.response_ids, output.response_mask) == ([END], [0])
    assert output.reward_score == 3 * verienv.judge(plain, "").reward


def test_marks_of_the_chat_template_are_taken_out_of_what_a_policy_is_told_of_its_words():
    [row], _ = rows_of("verienv/VIRL-VL-v0", history="own")
    mark = library.MARKS["user"]
    server = Server([f'{{"action": "{mark}"}}'] * 9)
    output = play(row, [], server=server)
    context = [i for i, one in zip(output.response_ids, output.response_mask, strict=True) if not one]
    assert context.count(ord(mark)) == len(server.asked) - 1


def test_the_reward_info_is_flat_and_has_the_same_keys_for_every_episode():
    made, plain = rows_of(ID, n=3)
    infos = []
    for row, columns, player in zip(made, plain, (expert, mending, wrong), strict=True):
        infos.append(play(row, script(columns, player)[0]).extra_fields["reward_extra_info"])
    infos.append(play(made[0], ["?"], response_length=30).extra_fields["reward_extra_info"])
    assert len({tuple(info) for info in infos}) == 1
    assert all(isinstance(value, float) for info in infos for name, value in info.items() if name != "failure")
    assert [info["acc"] for info in infos] == [1.0, 1.0, 0.0, 0.0]
    assert "reward" not in infos[0]  # verl's own
    [routes], [plain_routes] = rows_of(ROUTES_ID)
    few = [
        play(row, script(columns, expert)[0], metrics=False).extra_fields["reward_extra_info"]
        for row, columns in ((made[0], plain[0]), (routes, plain_routes))
    ]
    assert list(few[0]) == list(few[1]) == ["acc", "cut", "success", "attempts", "failure"]


def test_the_weights_that_sampled_an_episode_are_those_of_its_first_answer_to_those_of_its_last():
    [row], [plain] = rows_of(ID)
    fields = play(row, script(plain, wrong)[0]).extra_fields
    assert (fields["min_global_steps"], fields["max_global_steps"]) == (1, 3)


def test_a_question_that_does_not_fit_is_an_error_that_says_what_to_set():
    [row], _ = rows_of(ID)
    with pytest.raises(ValueError, match=r"takes \d+ tokens, more than data.max_prompt_length=100: set that higher"):
        play(row, ["?"], prompt_length=100)


def test_pictures_without_a_processor_are_an_error():
    [row], _ = rows_of(VISION_ID)
    with pytest.raises(ValueError, match="processor"):
        play(row, ["?"], processed=False)


def test_paths_of_the_machine_are_opened_only_if_trusted(tmp_path):
    from verienv.virl import procedural_city, save_city

    save_city(procedural_city("grid", 0), tmp_path / "mine.json")
    [row] = verl.rows(ROUTES_ID, n=1, episodes=True, turns=(1, 1), city=str(tmp_path / "mine.json"))
    with pytest.raises(ValueError, match=r"open paths of this machine \(city\)"):
        play(row, ["?"])
    assert play(row, ["?"] * 9, trusted=True).reward_score < 0


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "verl.experimental.agent_loop.agent_loop", None)
    with pytest.raises(ImportError, match=r'pip install "verl\[verl-core\]>=0.9"'):
        episode_loop()
