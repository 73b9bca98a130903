"""A model's shape: its sizes as far as the memory that it takes depends on them, read without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tower:
    """Layers of one kind, of the text model or of the vision tower: counts, and widths in values a token."""

    layers: int
    hidden: int
    intermediate: int
    """Width of the MLP; with experts, of all that one token passes."""
    queries: int
    """Query heads times their width."""
    keys: int
    """Key heads times their width, which is also that of the values."""
    gated: bool
    """Whether the MLP multiplies two projections, as SwiGLU does."""
    root_mean_square: bool = True
    """Whether norms are written out in steps (RMSNorm), which keeps more than one fused LayerNorm does."""
    extra_norms: int = 0
    """Norms of the hidden states beyond two a layer."""
    normed_heads: bool = False
    """Whether queries and keys are normed."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of a model: numbers of parameters, and the towers that a token and a patch pass."""

    name: str
    parameters: int
    """All of them, text and vision, tied ones once."""
    matrices: int
    """Parameters that a matrix product reads: under autocast they are copied to bfloat16."""
    linear_sides: int
    """Rows and columns of all linear layers but the head: rank times this many parameters is an adapter's size."""
    largest: int
    """Parameters of the largest tensor."""
    layer: int
    """Parameters of the largest layer: what sharding gathers at once."""
    outside: int
    """Parameters of no layer, embedding and head among them: sharding gathers these too."""
    vocabulary: int
    text: Tower
    vision: Tower | None = None
    patches: int | None = None
    """Patches of a picture; None where they depend on its size, and without vision. Tiles that a processor cuts from a
    picture by its size are not among them."""

    @classmethod
    def of(cls, config: Any) -> Shape:
        """Read a transformers configuration, and count parameters on the meta device, where they take no memory."""
        return cls.of_model(without_weights(config))

    @classmethod
    def of_model(cls, model: Any) -> Shape:
        """Read a transformers model, which may be without weights."""
        from torch import nn

        config = model.config
        head = model.get_output_embeddings()
        embeddings = {module.weight for module in model.modules() if isinstance(module, nn.Embedding)}
        looked_up = embeddings - {head.weight}
        sizes = {name: weight.numel() for name, weight in model.named_parameters()}
        matrices = (weight for weight in model.parameters() if weight.dim() > 1 and weight not in looked_up)
        linear = (one for one in model.modules() if isinstance(one, nn.Linear) and one is not head)
        stacks = [one for one in model.modules() if isinstance(one, nn.ModuleList) and _is_stack(one)]
        layers = [sum(weight.numel() for weight in layer.parameters()) for stack in stacks for layer in stack]
        text = config.get_text_config()
        vision = getattr(config, "vision_config", None)
        return cls(
            name=config.model_type,
            parameters=sum(sizes.values()),
            matrices=sum(weight.numel() for weight in matrices),
            linear_sides=sum(one.in_features + one.out_features for one in linear),
            largest=max(sizes.values()),
            layer=max(layers, default=0),
            outside=sum(sizes.values()) - sum(layers),
            vocabulary=head.weight.shape[0],
            text=_text_tower(text, _first_layer(stacks, text.num_hidden_layers)),
            vision=_vision_tower(vision) if vision is not None else None,
            patches=_patches(vision) if vision is not None else None,
        )


def without_weights(config: Any) -> Any:
    """Return a transformers model of this configuration on the meta device, where its weights take no memory."""
    import torch
    from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForCausalLM, AutoModelForImageTextToText

    sees = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or hasattr(config, "vision_config")
    with torch.device("meta"):
        kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
        return kind.from_config(config, trust_remote_code=False)


def _is_stack(modules: Any) -> bool:
    """Whether a list of modules holds layers with attention, not experts or projections."""
    return any("attn" in name or "attention" in name for name, _ in modules.named_modules())


def _first_layer(stacks: list[Any], count: int) -> Any | None:
    """The first layer of the widest stack with that many layers: the text model's, since vision is narrower."""
    fitting = [stack[0] for stack in stacks if len(stack) == count]
    return max(fitting, key=lambda layer: sum(weight.numel() for weight in layer.parameters()), default=None)


def _number(config: Any, *names: str, otherwise: int = 0) -> int:
    """The first of these settings that is a number; some families keep one a layer, of which the greatest counts."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, list | tuple) and value:
            value = max(value)
        if value:
            return int(value)
    return otherwise


def _text_tower(config: Any, layer: Any | None) -> Tower:
    hidden = _number(config, "hidden_size")
    heads = _number(config, "num_attention_heads", otherwise=1)
    width = _number(config, "head_dim", otherwise=hidden // heads)
    intermediate = _number(config, "intermediate_size", "ffn_dim", "n_inner", otherwise=4 * hidden)
    chosen = _number(config, "num_experts_per_tok", "num_experts_per_token", "top_k_experts")
    if chosen:
        shared = _number(config, "shared_expert_intermediate_size", "shared_intermediate_size")
        intermediate = chosen * _number(config, "moe_intermediate_size", otherwise=intermediate) + shared
    names = [name for name, _ in layer.named_modules()] if layer is not None else ["gate"]
    norms = [one for one in layer.modules() if type(one).__name__.endswith("Norm")] if layer is not None else []
    across = [one for one in norms if sum(weight.numel() for weight in one.parameters()) >= hidden]
    return Tower(
        layers=_number(config, "num_hidden_layers"),
        hidden=hidden,
        intermediate=intermediate,
        queries=heads * width,
        keys=_number(config, "num_key_value_heads", otherwise=heads) * width,
        gated=any("gate" in name or name.endswith(".w3") for name in names),
        root_mean_square=not any(type(one).__name__ == "LayerNorm" for one in norms),
        extra_norms=max(0, len(across) - 2),
        normed_heads=any("q_norm" in name for name in names),
    )


def _vision_tower(config: Any) -> Tower | None:
    hidden = _number(config, "embed_dim" if "qwen2_vl" in str(config.model_type) else "hidden_size", "hidden_size")
    layers = _number(config, "num_hidden_layers", "depth") + _number(config, "num_global_layers")
    if not hidden or not layers:
        return None
    wide = _number(config, "intermediate_size", otherwise=int(hidden * getattr(config, "mlp_ratio", 4)))
    gated = getattr(config, "hidden_act", "") == "silu"  # Pixtral's, Qwen2.5-VL's; the others multiply nothing
    return Tower(
        layers=layers,
        hidden=hidden,
        intermediate=wide,
        queries=hidden,
        keys=hidden,
        gated=gated,
        root_mean_square=gated,
    )


def _patches(config: Any) -> int | None:
    """Patches of a picture, of all its tiles, where the configuration fixes them."""
    size, patch = _number(config, "image_size"), _number(config, "patch_size")
    if not size or not patch or getattr(config, "hidden_act", "") == "silu":
        return None
    return int((size // patch) ** 2) * _number(config, "max_num_tiles", otherwise=1)
