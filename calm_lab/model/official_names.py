"""What the authors' released code calls each tensor, and what we call it.

Rules are regular expressions tried in order; ``rename`` applies all of them to every name.
"""

from __future__ import annotations

import re

from calm_lab.model.stored import Tensors

Rules = tuple[tuple[str, str], ...]

AUTOENCODER_NAMES: Rules = (
    (r"encoder\.embed_tokens\.", "encoder.embed."),
    (r"encoder\.squeeze_layer\.", "encoder.squeeze."),
    (r"encoder\.hidden_to_latent\.", "encoder.to_latent."),
    (r"decoder\.latent_to_hidden\.", "decoder.from_latent."),
    (r"decoder\.expand_layer\.", "decoder.expand."),
    (r"decoder\.lm_head_weight$", "decoder.output.weight"),
    (r"\.mlp\.(gate|up|down)_proj\.", r".mlp.\1."),
    (r"\.layernorm\.", ".norm."),
)
MODEL_NAMES: Rules = (
    (r"^transformer\.embed_tokens\.", "embed."),
    (r"^transformer\.", "backbone."),
    (r"\.self_attn\.q_proj\.", ".attention.query."),
    (r"\.self_attn\.k_proj\.", ".attention.key."),
    (r"\.self_attn\.v_proj\.", ".attention.value."),
    (r"\.self_attn\.o_proj\.", ".attention.out."),
    (r"\.input_layernorm\.", ".attention_norm."),
    (r"\.post_attention_layernorm\.", ".mlp_norm."),
    (r"\.mlp\.(gate|up|down)_proj\.", r".mlp.\1."),
    (r"^embed_proj\.0\.", "compress_tokens.inner."),
    (r"^embed_proj\.2\.", "compress_tokens.out."),
    (r"^embed_proj\.3\.", "compress_tokens.norm."),
)
ENERGY_NAMES: Rules = (
    (r"^(mlp_generator|generative_head)\.", "head."),
    (r"\.noise_embd\.", ".embed_noise."),
    (r"\.hidden_embd\.", ".embed_hidden."),
    (r"\.norm_noise\.", ".noise_norm."),
    (r"\.norm_hidden\.", ".hidden_norm."),
    (r"\.mlp_blocks\.", ".blocks."),
    (r"\.final_layer\.in_ln\.", ".final_norm."),
    (r"\.final_layer\.linears\.0\.", ".final_inner."),
    (r"\.final_layer\.linears\.2\.", ".final_out."),
    (r"\.in_ln\.", ".norm."),
    (r"\.linears\.0\.", ".mix."),
    (r"\.linears\.2\.", ".inner."),
    (r"\.linears\.4\.", ".gate_up."),
    (r"\.down_proj\.", ".down."),
)
DENOISER_NAMES: Rules = (
    (r"^generative_head\.", "head."),
    (r"\.time_embed\.mlp\.0\.", ".time_inner."),
    (r"\.time_embed\.mlp\.2\.", ".time_out."),
    (r"\.cond_embed\.", ".embed_hidden."),
    (r"\.input_proj\.", ".embed_latent."),
    (r"\.res_blocks\.", ".blocks."),
    (r"\.final_layer\.adaLN_modulation\.1\.", ".final_modulation."),
    (r"\.final_layer\.linear\.", ".final_out."),
    (r"\.in_ln\.", ".norm."),
    (r"\.mlp\.0\.", ".inner."),
    (r"\.mlp\.2\.", ".out."),
    (r"\.adaLN_modulation\.1\.", ".modulation."),
)

# Buffers that some versions of the libraries store beside the weights; their values follow from the config.
NOT_WEIGHTS = re.compile(
    r"(^|\.)(rotary_emb\..*|(original_)?inv_freq|position_ids|causal_mask|masked_bias|(cos|sin)_cached)$"
)


def rename(tensors: Tensors, *rules: Rules) -> Tensors:
    """The same tensors under our names."""
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        for pattern, replacement in (rule for group in rules for rule in group):
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed
