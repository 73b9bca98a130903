"""Every family of vision-language models, tiny and of random weights: sampled as it is trained, whatever the batch."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.families import FAMILIES, all_families
from torch.nn.functional import log_softmax

from verienv.policies.hugging_face.policy import HuggingFacePolicy
from verienv.policies.hugging_face.tokens import Tokens

pytestmark = pytest.mark.filterwarnings(  # of PaliGemma's processor
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
BATCHES = {
    "one size": [[(112, 112)], [(112, 112)], [(112, 112)]],
    "several sizes": [[(112, 56)], [(112, 112)], [(56, 112)], [(30, 40)]],
    "several pictures": [[(112, 56), (56, 56)], [(112, 112), (56, 112)], [(30, 40), (112, 112)]],
}
MORE_OR_FEWER = [[(112, 56)], [(56, 112), (112, 112)], [(30, 40)]]
"""Heights and widths of the pictures of each dialogue of a batch."""


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=all_families())
def folder(request, tmp_path_factory):
    return FAMILIES[request.param].save(tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def policy(folder):
    return HuggingFacePolicy.load(folder, device="cpu", max_new_tokens=8)


def dialogue(sizes, seed):
    """A system prompt, and pictures of noise before words of some length."""
    rng = np.random.default_rng(seed)
    pictures = [Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)) for size in sizes]
    shown = [{"type": "image", "image": picture} for picture in pictures]
    said = {"type": "text", "text": "make 24 " * (1 + 3 * seed)}
    return [{"role": "system", "content": "You play."}, {"role": "user", "content": [*shown, said]}]


def dialogues(batch):
    return [dialogue(sizes, seed) for seed, sizes in enumerate(batch)]


def openings(policy, batch):
    return [policy.opening(one) for one in dialogues(batch)]


def read(policy, rows, temperature=1.0):
    """The log-probability of each token of each row after its first, in one pass over rows padded on the right."""
    batch = policy.batch(rows)
    with torch.inference_mode():
        scores = log_softmax(policy.model(**batch, use_cache=False).logits[:, :-1] / temperature, dim=-1)
    ids = batch["input_ids"][:, 1:].clamp(max=scores.shape[2] - 1)  # Mllama's picture token has no score
    logprobs = scores.gather(2, ids[..., None]).squeeze(2)
    return [logprobs[index, : len(row) - 1] for index, row in enumerate(rows)]


def two_turns(policy, batch):
    """Dialogues of two responses, the places where each begins, and the log-probabilities that sampling gave them."""
    torch.manual_seed(0)
    said = dialogues(batch)
    rows = [policy.opening(one) for one in said]
    begins, found = [], []
    for _ in range(2):
        begins.append([len(row) for row in rows])
        responses, logprobs = policy.sample(rows, 1.0)
        found.append(logprobs)
        rows = [row + response for row, response in zip(rows, responses, strict=True)]
        if len(begins) == 1:
            for index, response in enumerate(responses):
                answer = {"role": "assistant", "content": policy.text(response)}
                said[index] += [answer, {"role": "user", "content": "No. Again."}]
                rows[index] += policy.continuation(said[index], response)
    return rows, begins, found


def assert_sampled_as_trained(policy, batch):
    rows, begins, found = two_turns(policy, batch)
    for index, trained in enumerate(read(policy, rows)):
        for begin, logprobs in zip(begins, found, strict=True):
            sampled, start = torch.tensor(logprobs[index]), begin[index] - 1
            torch.testing.assert_close(trained[start : start + len(sampled)], sampled, atol=1e-4, rtol=1e-4)


def assert_alone_as_together(policy, batch):
    rows, _, _ = two_turns(policy, batch)
    for row, together in zip(rows, read(policy, rows), strict=True):
        torch.testing.assert_close(read(policy, [row])[0][1:], together[1:], atol=1e-4, rtol=1e-4)
    responses, logprobs = policy.sample(rows, 0.0)
    for row, response, scores in zip(rows, responses, logprobs, strict=True):
        (alone,), (own,) = policy.sample([row], 0.0)
        assert alone == response
        torch.testing.assert_close(torch.tensor(own), torch.tensor(scores), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_log_probabilities_at_sampling_are_those_of_training_over_two_turns(policy, batch):
    assert_sampled_as_trained(policy, batch)


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_padding_and_the_pictures_of_other_rows_change_nothing(policy, batch):
    assert_alone_as_together(policy, batch)


def test_rows_may_show_more_or_fewer_pictures(policy):
    if policy.model.config.model_type == "mllama":
        pytest.skip("its words before a picture look at all pictures, at the filling of a row with fewer too")
    assert_sampled_as_trained(policy, MORE_OR_FEWER)
    assert_alone_as_together(policy, MORE_OR_FEWER)


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_pictures_of_a_batch_are_what_the_processor_makes_of_them_together(policy, batch):
    said = dialogues(batch)
    texts = [policy._rendered(one) for one in said]
    pictures = [[part["image"] for part in one[1]["content"] if part["type"] == "image"] for one in said]
    whole = policy.processor(text=texts, images=pictures, padding=True, add_special_tokens=False, return_tensors="pt")
    ours = policy.batch([policy.opening(one) for one in said], left=True)
    for name, tensor in ours.items():
        torch.testing.assert_close(
            tensor, whole[name].to(tensor.dtype), atol=0, rtol=0, msg=lambda told, n=name: n + told
        )


def test_another_picture_gives_other_log_probabilities(policy):
    one, other, _ = openings(policy, BATCHES["one size"])
    changed = {**one.vision, "pixel_values": other.vision["pixel_values"]}
    same, different = read(policy, [Tokens(one, one.vision), Tokens(one, changed)])
    assert (same - different).abs().max() > 0.01


def test_what_stands_for_a_picture_is_the_least_likely_of_all_words(policy):
    config, head = policy.model.config, policy.model.get_output_embeddings().weight
    never = [config.image_token_id, *getattr(config, "visual_indicator_token_ids", ())]
    never = [token for token in never if token < len(head)]
    assert never or config.model_type == "mllama"  # whose token of a picture has no score at all
    with torch.inference_mode():
        scores = policy.model(**policy.batch(openings(policy, BATCHES["one size"]))).logits
    assert (scores[..., never] <= scores.amin(-1, keepdim=True) + 1e-6).all()


def test_a_dialogue_grown_by_pieces_is_the_dialogue_read_whole(policy):
    said = dialogue([(112, 56)], 1)
    response = policy.tokenizer("none", add_special_tokens=False)["input_ids"]
    opening = policy.opening(said)
    said += [{"role": "assistant", "content": "none"}, {"role": "user", "content": "No. Again."}]
    grown, whole = opening + response + policy.continuation(said, response), policy.opening(said)
    one, other = policy.batch([grown]), policy.batch([whole])
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def test_a_policy_that_is_saved_and_loaded_says_the_same_bit_for_bit(policy, tmp_path):
    policy.save(tmp_path / "again")
    again = HuggingFacePolicy.load(str(tmp_path / "again"), device="cpu", max_new_tokens=8)
    batch = BATCHES["several sizes"]
    rows = openings(policy, batch)
    assert openings(again, batch) == rows
    assert all(one.equal(other) for one, other in zip(read(policy, rows), read(again, rows), strict=True))
    assert policy.sample(rows, 0.0) == again.sample(rows, 0.0)


def test_a_new_adapter_changes_nothing_yet_and_is_what_is_trained(policy, folder):
    adapted = HuggingFacePolicy.load(folder, device="cpu", lora=2)
    rows = openings(policy, BATCHES["one size"])
    for one, other in zip(read(policy, rows), read(adapted, rows), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    adapted.model(**adapted.batch(rows), use_cache=False).logits.logsumexp(-1).sum().backward()
    trained = {name: weight.grad for name, weight in adapted.model.named_parameters() if weight.requires_grad}
    assert all("lora_" in name for name in trained)
    reached = [name for name, gradient in trained.items() if gradient is not None and gradient.abs().max() > 0]
    assert any("vis" in name for name in reached)
    assert any("self_attn" in name for name in reached if "vis" not in name)
