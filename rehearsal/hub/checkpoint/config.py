"""The shape of the tiny model, under the keys of gpt-oss's own config.json."""

from __future__ import annotations

from rehearsal.documents import Document

HIDDEN = 64
LAYERS = 12
HEADS = 4
KEY_VALUE_HEADS = 2
HEAD = 32
EXPERTS = 8
INTERMEDIATE = 64
VOCABULARY = 1024

SPECIAL_TOKENS = (
    "<|startoftext|>",
    "<|endoftext|>",
    "<|reserved_200000|>",
    "<|reserved_200001|>",
    "<|return|>",
    "<|constrain|>",
    "<|reserved_200004|>",
    "<|channel|>",
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|reserved_200009|>",
    "<|reserved_200010|>",
    "<|reserved_200011|>",
    "<|call|>",
    "<|reserved_200013|>",
    "<|reserved_200014|>",
    "<|reserved_200015|>",
    "<|reserved_200016|>",
    "<|reserved_200017|>",
    "<|endofprompt|>",
)
"""o200k_harmony's, in its order; there they begin at 199998, here they are the last of the vocabulary."""

FIRST_SPECIAL_TOKEN = VOCABULARY - len(SPECIAL_TOKENS)


def token_id(special: str) -> int:
    """Number a special token."""
    return FIRST_SPECIAL_TOKEN + SPECIAL_TOKENS.index(special)


def model_config() -> Document:
    """Write config.json: bfloat16, not MXFP4, so that builds for CPU can load it."""
    return {
        "architectures": ["GptOssForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "dtype": "bfloat16",
        "eos_token_id": token_id("<|return|>"),
        "experts_per_token": 4,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "initial_context_length": 4096,
        "initializer_range": 0.02,
        "intermediate_size": INTERMEDIATE,
        "layer_types": ["sliding_attention", "full_attention"] * (LAYERS // 2),
        "max_position_embeddings": 131072,
        "model_type": "gpt_oss",
        "num_attention_heads": HEADS,
        "num_experts_per_tok": 4,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "num_local_experts": EXPERTS,
        "output_router_logits": False,
        "pad_token_id": token_id("<|endoftext|>"),
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 32.0,
            "original_max_position_embeddings": 4096,
            "rope_type": "yarn",
            "truncate": False,
        },
        "rope_theta": 150000,
        "router_aux_loss_coef": 0.9,
        "sliding_window": 128,
        "swiglu_limit": 7.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.55.0",
        "use_cache": True,
        "vocab_size": VOCABULARY,
    }


def generation_config() -> Document:
    """Write generation_config.json."""
    return {
        "bos_token_id": token_id("<|startoftext|>"),
        "do_sample": True,
        "eos_token_id": [token_id(name) for name in ("<|return|>", "<|endoftext|>", "<|call|>")],
        "pad_token_id": token_id("<|endoftext|>"),
        "transformers_version": "4.55.0",
    }
