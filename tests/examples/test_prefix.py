"""Tokens that sampling does not read again change no response and no log-probability."""

import weakref
from contextlib import contextmanager
from dataclasses import replace

import gymnasium as gym
import pytest
import torch
from tests.examples.conftest import playing
from tests.examples.test_vision import openings, read
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

import ppo
from sampling import roll_out
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.cache import roomy_cache
from verienv.policies.hugging_face.planning import plan_for
from verienv.policies.hugging_face.prefix import PrefixCache
from verienv.policies.hugging_face.tokens import Tokens

PPO = ppo.Arguments(probes=0, attempts=4, episodes=8, batch=8, device="cpu")
TASKS = {"tiny-lm": "verienv/GeneralPoints-L-v0", "tiny-vlm": "verienv/GeneralPoints-VL-v0"}
SEEDS = {"a question each": [*range(8)], "two groups": [1, 1, 1, 1, 2, 2, 2, 2]}
SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(scope="module", params=TASKS)
def player(request):
    return HuggingFacePolicy.load(request.param, device="cpu")


@pytest.fixture(params=["words", "pictures"])
def any_policy(request, policy, seeing, monkeypatch):
    """A policy of words or of pictures that ends its responses soon, some sooner than others."""
    monkeypatch.setattr(HuggingFacePolicy, "stops", property(lambda _: [*range(1, 640, 5)]))
    return replace(policy, max_new_tokens=12) if request.param == "words" else seeing


def prompts_of(policy):
    """Three prompts of unlike length, with pictures for a policy that sees."""
    return openings(policy) if policy.processor else [Tokens(range(4, 24 + 9 * n)) for n in range(3)]


@contextmanager
def counting(model):
    """The tokens, padding included, of each call of a model."""
    counts = []

    def count(_, __, given):
        counts.append(given["input_ids"].numel())

    hook = model.register_forward_pre_hook(count, with_kwargs=True)
    yield counts
    hook.remove()


def played(policy, seeds, **changed):
    """Rollouts at these seeds, and how many tokens passed the model."""
    arguments = replace(PPO, **changed)
    envs = [gym.make(TASKS["tiny-vlm" if policy.processor else "tiny-lm"], attempts=4) for _ in seeds]
    torch.manual_seed(0)
    with counting(policy.model) as counts:
        return roll_out(playing(policy), envs, seeds, arguments), sum(counts)


def read_whole(monkeypatch):
    """Let every prompt be read whole, for itself."""
    monkeypatch.setattr(PrefixCache, "begun", whole)


def whole(kept, prompts):
    policy = kept.policy
    return policy.batch(prompts, left=True), roomy_cache(policy.model, policy.max_new_tokens)


def assert_alike(some, others):
    """Rollouts of the same tokens, with log-probabilities that differ by rounding alone."""
    assert [one.ids for one in some] == [one.ids for one in others]
    for one, other in zip(some, others, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)


def assert_sampled_as_whole(policy, prompts, kept):
    """Sample with what is kept: as without it, and as training reads it. Returns the responses."""
    responses, logprobs = policy.sample(prompts, 0.0, kept)
    expected, scores = policy.sample([Tokens(prompt, prompt.vision) for prompt in prompts], 0.0)
    assert responses == expected
    rows = [prompt + response for prompt, response in zip(prompts, responses, strict=True)]
    for prompt, ours, alone, again in zip(prompts, logprobs, scores, read(policy, rows), strict=True):
        assert ours == pytest.approx(alone, abs=1e-5)
        torch.testing.assert_close(torch.tensor(ours), again[len(prompt) - 1 :], atol=1e-4, rtol=1e-4)
    return responses


def grow(prompts, responses, feedback):
    for prompt, response, more in zip(prompts, responses, feedback, strict=True):
        prompt += [*response, *more]


@pytest.mark.parametrize("seeds", SEEDS.values(), ids=SEEDS)
def test_rollouts_are_as_if_every_prompt_were_read_whole_for_itself(player, seeds, monkeypatch):
    ours, passed = played(player, seeds)
    read_whole(monkeypatch)
    expected, all_of_them = played(player, seeds)
    assert len({len(rollout.failures) for rollout in ours}) > 1  # some end before others
    assert_alike(ours, expected)
    assert passed < 0.7 * all_of_them


def test_rollouts_in_batches_fewer_than_the_episodes_are_as_if_prompts_were_read_whole(player, monkeypatch):
    ours, _ = played(player, SEEDS["a question each"], batch=5)
    read_whole(monkeypatch)
    assert_alike(ours, played(player, SEEDS["a question each"], batch=5)[0])


def test_dialogues_that_go_on_are_sampled_as_if_read_whole_in_any_order_and_number(any_policy):
    prompts, kept = prompts_of(any_policy), PrefixCache(any_policy)
    lengths = set()
    for turn in range(3):
        responses = assert_sampled_as_whole(any_policy, prompts, kept)
        lengths |= {*map(len, responses)}
        grow(prompts, responses, [[5, 6, 7], [8] * (3 + turn), [9, 5]])
        prompts = prompts[::-1]
    assert_sampled_as_whole(any_policy, prompts[1:2], kept)
    assert len(lengths) > 1  # responses are of unlike length, too


def test_a_new_dialogue_beside_one_that_goes_on_is_read_whole(any_policy):
    one, other, new = prompts_of(any_policy)
    kept = PrefixCache(any_policy)
    grow([one, other], any_policy.sample([one, other], 0.0, kept)[0], [[5, 6], [7]])
    assert_sampled_as_whole(any_policy, [one, new, other], kept)


def test_feedback_much_longer_for_one_dialogue_than_for_another_changes_nothing(any_policy):
    prompts, kept = prompts_of(any_policy), PrefixCache(any_policy)
    grow(prompts, any_policy.sample(prompts, 0.0, kept)[0], [[5] * 90, [6], [7, 8]])
    assert_sampled_as_whole(any_policy, prompts, kept)


def test_a_dialogue_whose_earlier_tokens_have_changed_is_read_anew(any_policy):
    prompts, kept = prompts_of(any_policy), PrefixCache(any_policy)
    asked = len(prompts[0])
    grow(prompts, any_policy.sample(prompts, 0.0, kept)[0], [[5], [6], [7]])
    prompts[0][asked] = 9 if prompts[0][asked] != 9 else 10
    assert_sampled_as_whole(any_policy, prompts, kept)


def test_of_a_dialogue_that_goes_on_only_the_newest_tokens_are_read(any_policy):
    (prompt, *_), kept = prompts_of(any_policy), PrefixCache(any_policy)
    responses, _ = any_policy.sample([prompt], 0.0, kept)
    known = len(prompt) + len(responses[0]) - 1  # the last token was drawn, and not read
    grow([prompt], responses, [[5, 6, 7]])
    with counting(any_policy.model) as counts:
        any_policy.sample([prompt], 0.0, kept)
    assert counts[0] == len(prompt) - known == 4


def test_a_dialogue_to_which_nothing_was_added_but_its_response_goes_on(any_policy):
    prompts, kept = prompts_of(any_policy), PrefixCache(any_policy)
    grow(prompts, any_policy.sample(prompts, 0.0, kept)[0], [[], [], []])
    assert_sampled_as_whole(any_policy, prompts, kept)


def test_a_prompt_that_several_rows_share_is_read_once(any_policy):
    one, other, _ = prompts_of(any_policy)
    shared = [Tokens(prompt, prompt.vision) for prompt in (one, other, one, one, other)]
    with counting(any_policy.model) as counts:
        responses = assert_sampled_as_whole(any_policy, shared, PrefixCache(any_policy))
    assert counts[:2] == [2 * (max(len(one), len(other)) - 1), 5]
    assert responses[0] == responses[2] == responses[3]


def test_the_same_words_with_another_picture_are_another_prompt(seeing):
    one, other, _ = openings(seeing)
    prompts = [Tokens(one, one.vision), Tokens(one, other.vision)]
    _, logprobs = seeing.sample(prompts, 1.0)
    assert logprobs[0] != pytest.approx(logprobs[1], abs=1e-3)
    assert_sampled_as_whole(seeing, prompts, PrefixCache(seeing))


UNSTEADY = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}
CHANGING = {
    "a sliding window": MistralConfig(vocab_size=640, sliding_window=8, num_key_value_heads=2, **SIZES),
    "rotations that hang on the length": LlamaConfig(vocab_size=640, rope_parameters=UNSTEADY, **SIZES),
}


@pytest.mark.parametrize("config", CHANGING.values(), ids=CHANGING)
def test_a_model_whose_early_keys_pass_or_change_reads_whole_prompts(config, policy):
    model = AutoModelForCausalLM.from_config(config)
    other = HuggingFacePolicy(model.eval(), policy.tokenizer, max_new_tokens=4)
    prompt, kept = Tokens(range(4, 24)), PrefixCache(other)
    grow([prompt], other.sample([prompt], 0.0, kept)[0], [[5]])
    with counting(other.model) as counts:
        other.sample([prompt], 0.0, kept)
    assert counts[0] == len(prompt)


def test_what_is_kept_is_one_batch_within_the_plan_and_is_let_go_of_at_the_end(player, monkeypatch):
    keep, layers, sizes = PrefixCache.keep, [], []

    def kept(self, cache, prompts, responses):
        keep(self, cache, prompts, responses)
        layers.append(weakref.ref(self._cache.layers[0]))
        rows, _, tokens, _ = layers[-1]()._memory[0].shape
        sizes.append(rows * tokens)
        assert sum(one() is not None for one in layers) == 1

    monkeypatch.setattr(PrefixCache, "keep", kept)
    played(player, range(8))
    arguments = replace(PPO, model="tiny-vlm" if player.processor else "tiny-lm")
    plan = plan_for(replace(arguments, env=TASKS[arguments.model]), arguments.model, autocast=False)
    assert 0 < max(sizes) <= plan.cached_tokens
    assert len(layers) > 1
    assert not any(one() for one in layers)
