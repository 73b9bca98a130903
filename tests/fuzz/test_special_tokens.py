"""Words made of pieces of special tokens: none of them is a token when they have been rendered."""

import random
from collections.abc import Callable

import pytest
import transformers

from verienv.core.assets import asset_path
from verienv.core.special_tokens import SpecialTokens

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["tiny-lm", "tiny-vlm", "gp-rule", "gp-sight"])
def test_no_words_hold_a_special_token(name: str, fuzz_size: Callable[[int], int], fuzz_seed: int) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(asset_path(f"models/{name}")))
    special = SpecialTokens.of(tokenizer)
    added = {index: token.content for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    rng, marks = random.Random(fuzz_seed), sorted(added.values())
    pieces = [*marks, *(mark[:at] for mark in marks for at in range(1, len(mark))), *"<|>/ 4A"]
    pieces += [mark[at:] for mark in marks for at in range(1, len(mark))]
    for _ in range(fuzz_size(20_000)):
        words = "".join(rng.choices(pieces, k=rng.randint(1, 30)))
        left = special.taken_out(words)
        assert not any(mark in left for mark in marks), words
        assert not added.keys() & set(tokenizer(left, add_special_tokens=False)["input_ids"]), words
        if not any(mark in words for mark in marks):
            assert left == words
