"""LLaVA models around a small language model: a SigLIP tower and a projector of random weights, and the processor."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import (
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)


@dataclass(frozen=True)
class Eyes:
    """The size of a tower and of the pictures that it takes.

    Attributes:
        size: height and width of a picture, px.
        patch: height and width of the part of it that is a token, px.
        hidden, layers, heads: of the tower.
    """

    size: int
    patch: int
    hidden: int
    layers: int
    heads: int = 4

    def processor(self, tokenizer: PreTrainedTokenizerBase, template: str) -> LlavaProcessor:
        """Return the processor: pictures of another size are scaled."""
        return LlavaProcessor(
            SiglipImageProcessorPil(size={"height": self.size, "width": self.size}),
            tokenizer,
            patch_size=self.patch,
            vision_feature_select_strategy="full",
            chat_template=template,
        )

    def model(
        self, language: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, image: str
    ) -> LlavaForConditionalGeneration:
        """Return a LLaVA that begins with a language model, resized here for the tokenizer and its ``image`` token.

        Its other weights are drawn from torch's generator.
        """
        language.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        vision = SiglipVisionConfig(
            hidden_size=self.hidden,
            intermediate_size=3 * self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            image_size=self.size,
            patch_size=self.patch,
            vision_use_head=False,
        )
        config = LlavaConfig(
            vision_config=vision,
            text_config=language.config,
            image_token_index=tokenizer.convert_tokens_to_ids(image),
            image_seq_length=(self.size // self.patch) ** 2,
            vision_feature_layer=-1,
            vision_feature_select_strategy="full",
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        model = LlavaForConditionalGeneration(config)
        model.model.language_model.load_state_dict(language.model.state_dict())
        model.tie_weights()
        model.generation_config.eos_token_id = tokenizer.eos_token_id
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        return model
