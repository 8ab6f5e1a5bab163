"""Official-layout folders nobody has seen: any size, any way of storing, against a second, slow reading of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import CheckpointError
from calm_lab.loading import load_autoencoder, load_model
from calm_lab.model import official
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.heads import DiffusionHead, EnergyHead, FlowHead
from calm_lab.model.official import load_official
from tests.model import reference
from tests.model.official_folder import Recipe, Tensors, write

TOLERANCE = 1e-4  # of the record; here relative to the largest entry where that is above 1
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}


def close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert bool(ours.isfinite().all())
    scale = max(1.0, float(theirs.abs().max()))
    assert float((ours.detach().double() - theirs).abs().max()) < TOLERANCE * scale


def inner(tensors: Tensors) -> Tensors:
    """The autoencoder's own tensors."""
    return {name.removeprefix("ae_model."): t for name, t in tensors.items() if name.startswith("ae_model.")} or tensors


def check_autoencoder(model: Autoencoder, r: Recipe, tensors: Tensors) -> None:
    """The encoder on two rows of three chunks, the decoder on two vectors."""
    stream = torch.Generator().manual_seed(r.seed)
    ids = torch.randint(0, r.vocab_size, (2, 3 * r.patch_size), generator=stream)
    mean, log_std = reference.encode(tensors, r.autoencoder_settings(), ids)
    ours = model.encode(ids)
    close(ours.mean, mean)
    close(ours.log_std, log_std)
    z = torch.randn(2, r.latent_size, generator=stream)
    logits = torch.stack([reference.decode_logits(tensors, r.autoencoder_settings(), row) for row in z])
    close(model.decode_logits(z), logits)
    assert torch.equal(model.decode(z), logits.argmax(-1))


def check_calm(model: CALM, r: Recipe, tensors: Tensors) -> None:
    """Backbone and head, and the autoencoder underneath."""
    check_autoencoder(model.autoencoder, r, inner(tensors))
    stream = torch.Generator().manual_seed(r.seed)
    ids = torch.randint(0, r.vocab_size, (2, 3 * r.patch_size), generator=stream)
    hidden = reference.hidden_states(tensors, r.settings(), ids)
    close(model.hidden_states(ids), hidden)
    state = hidden[0, -1]
    start = torch.randn(r.latent_size, generator=stream)
    match model.head:
        case EnergyHead() as head:
            noise = torch.rand(r.noise_size, generator=stream) - 0.5
            close(head.sample(state.float(), noise), reference.energy_sample(tensors, r.settings(), state, noise))
        case FlowHead() as head:
            theirs = reference.flow_sample(tensors, r.settings(), state, start, 4, "midpoint")
            close(head.sample(state.float(), start, steps=4), theirs)
            theirs = reference.flow_sample(tensors, r.settings(), state, start, 5, "euler")
            close(head.sample(state.float(), start, steps=5, solver="euler"), theirs)
        case DiffusionHead() as head:
            step_noise = torch.randn(3, r.latent_size, generator=stream)
            theirs = reference.diffusion_sample(tensors, r.settings(), state, start, step_noise)
            close(head.sample(state.float(), start, steps=3, step_noise=step_noise[:, None], limit=None), theirs)


def loaded(folder: Path, r: Recipe) -> CALM:
    """Write, load, and hold against the reference."""
    tensors = write(folder, r)
    model = load_official(folder)
    assert isinstance(model, CALM)
    check_calm(model, r, tensors)
    return model


# --- any size


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    kv_heads = draw(st.sampled_from([1, 2, 3]))
    heads = kv_heads * draw(st.sampled_from([1, 2]))
    tied = draw(st.booleans())
    return Recipe(
        kind=draw(st.sampled_from(["autoencoder", "energy", "energy", "flow", "diffusion"])),
        patch_size=draw(st.sampled_from([1, 2, 3, 8])),
        vocab_size=draw(st.sampled_from([2, 17, 60])),
        latent_size=draw(st.sampled_from([1, 3, 12])),
        ae_hidden=draw(st.sampled_from([4, 9])),
        ae_inner=draw(st.sampled_from([4, 9, 13])),
        encoder_layers=draw(st.integers(0, 4)),
        decoder_layers=draw(st.integers(0, 4)),
        hidden_size=2 * heads * draw(st.sampled_from([1, 2])),
        inner=draw(st.sampled_from([5, 24])),
        layers=draw(st.integers(1, 3)),
        heads=heads,
        kv_heads=kv_heads,
        blocks=draw(st.integers(1, 3)),
        noise_size=draw(st.sampled_from([1, 7])),
        num_samples=draw(st.integers(1, 5)),
        beta=draw(st.sampled_from([1, 0.5, 2.0])),
        rope_theta=draw(st.sampled_from([10000.0, 500000])),
        rope_scaling=draw(st.sampled_from([None, LLAMA3, {"type": "linear", "factor": 2}])),
        eps=draw(st.sampled_from([1e-6, 1e-2])),
        mlp_bias=draw(st.booleans()),
        ae_mlp_bias=draw(st.booleans()),
        attention_bias=draw(st.booleans()),
        tied=tied,
        store_output=draw(st.booleans()) or not tied,
        prefixes=draw(st.sampled_from([("mlp_generator.",), ("generative_head.",), Recipe.prefixes])),
        extra_buffers=draw(st.booleans()),
        file=draw(st.sampled_from(["model.safetensors", "pytorch_model.bin"])),
        shards=draw(st.sampled_from([1, 1, 3])),
        legacy_pickle=draw(st.booleans()),
        dtype=draw(st.sampled_from([torch.float32, torch.float32, torch.float16, torch.bfloat16, torch.float64])),
        absent=draw(st.sampled_from([(), ("num_key_value_heads", "architectures"), ("ae_path", "num_samples")])),
        seed=draw(st.integers(0, 99)),
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(r=recipes())
def test_any_checkpoint_equals_the_reference(r: Recipe, tmp_path_factory: pytest.TempPathFactory) -> None:
    r = replace(r, ae_eps=r.eps)  # what a CALM's own config.json says of its autoencoder
    folder = tmp_path_factory.mktemp("official")
    tensors = write(folder, r)
    model = load_official(folder)
    if isinstance(model, Autoencoder):
        check_autoencoder(model, r, tensors)
    else:
        check_calm(model, r, tensors)
        config = model.config
        assert (config.vocab_size, config.chunk_size, config.latent_size) == (r.vocab_size, r.patch_size, r.latent_size)
        assert (config.head.kind, config.head.num_blocks) == (r.kind, r.blocks)
        assert (config.backbone.num_heads, config.backbone.kv_heads) == (r.heads, r.kv_heads)
        assert config.head.num_samples == (8 if "num_samples" in r.absent else r.num_samples)
        assert config.head.alpha == r.beta


# --- any way of storing


@pytest.mark.parametrize("kind", ["autoencoder", "energy", "flow", "diffusion"])
def test_every_way_of_storing_gives_the_same_model(kind: str, tmp_path: Path) -> None:
    base = Recipe(kind=kind, kv_heads=2)
    ways = {
        "one": base,
        "bin": replace(base, file="pytorch_model.bin"),
        "old-bin": replace(base, file="pytorch_model.bin", legacy_pickle=True),
        "shards": replace(base, shards=3),
        "bin-shards": replace(base, file="pytorch_model.bin", shards=4),
        "output-left-out": replace(base, store_output=False),
        "first-prefix": replace(base, prefixes=("mlp_generator.",)),
        "second-prefix": replace(base, prefixes=("generative_head.",)),
        "buffers": replace(base, extra_buffers=True),
        "double": replace(base, dtype=torch.float64),
    }
    states = {}
    for name, r in ways.items():
        write(tmp_path / name, r)
        states[name] = load_official(tmp_path / name).state_dict()
    for name, state in states.items():
        assert state.keys() == states["one"].keys(), name
        assert all(torch.equal(tensor, states["one"][key]) for key, tensor in state.items()), name
        assert all(tensor.dtype == torch.float32 for tensor in state.values())


@pytest.mark.parametrize("heads", [{}, {"num_key_value_heads": 12}, {"num_key_value_heads": None}])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_key_value_heads_follow_from_the_shapes(heads: dict[str, object], kv_heads: int, tmp_path: Path) -> None:
    r = Recipe(kv_heads=kv_heads, config=heads, absent=() if heads else ("num_key_value_heads",))
    assert loaded(tmp_path, r).config.backbone.kv_heads == kv_heads


@pytest.mark.parametrize("kind", ["energy", "flow", "diffusion"])
def test_the_kind_of_head_follows_from_the_names(kind: str, tmp_path: Path) -> None:
    r = Recipe(kind=kind, absent=("architectures",), config={"model_type": "energy"})  # as the official code reloads it
    assert loaded(tmp_path, r).config.head.kind == kind


def test_an_output_matrix_of_its_own_is_used(tmp_path: Path) -> None:
    own = loaded(tmp_path / "own", Recipe(tied=False)).autoencoder
    assert not own.config.tied
    assert not torch.equal(own.output_weight, own.encoder.embed.weight)
    copy = loaded(tmp_path / "copy", Recipe(tied=True)).autoencoder  # stored twice, as safetensors must
    assert copy.config.tied
    assert copy.output_weight is copy.encoder.embed.weight


@pytest.mark.parametrize(("encoder", "decoder", "used"), [(1, 1, 0), (3, 5, 6), (0, 2, 2), (5, 0, 4)])
def test_an_odd_last_layer_is_not_used(encoder: int, decoder: int, used: int, tmp_path: Path) -> None:
    r = Recipe(encoder_layers=encoder, decoder_layers=decoder)
    config = loaded(tmp_path, r).autoencoder.config
    assert config.num_encoder_layers + config.num_decoder_layers == used


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({}, (1, 2, 3)),
        ({"eos_token_id": [7, 8]}, (1, 7, 3)),
        ({"pad_token_id": None}, (1, 2, 2)),  # nothing else pads: the end token does
        ({"pad_token_id": -1, "eos_token_id": 9}, (1, 9, 9)),
        ({"pad_token_id": 36_000}, (1, 2, 36_000)),  # behind the vocabulary, as in some re-exports
        ({"bos_token_id": [], "eos_token_id": None, "pad_token_id": True}, (1, 2, 2)),
    ],
)
def test_special_ids(fields: dict[str, object], ids: tuple[int, int, int], tmp_path: Path) -> None:
    write(tmp_path, Recipe(config=fields))
    config = load_model(tmp_path).config
    assert (config.bos_id, config.eos_id, config.pad_id) == ids


def test_null_means_the_default(tmp_path: Path) -> None:
    names = ("beta", "num_samples", "rope_theta", "rope_scaling", "rms_norm_eps", "hidden_act")
    loaded(tmp_path, Recipe(config=dict.fromkeys(names)))


def test_rope_parameters_of_later_libraries(tmp_path: Path) -> None:
    fields = {"rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}}
    r = Recipe(rope_theta=500.0, config=fields, absent=("rope_theta", "rope_scaling"))
    assert loaded(tmp_path / "plain", r).config.backbone.rope_theta == 500.0
    fields = {"rope_parameters": LLAMA3 | {"rope_theta": 500.0}}
    r = Recipe(rope_theta=500.0, rope_scaling=LLAMA3, config=fields, absent=("rope_theta",))
    loaded(tmp_path / "llama3", replace(r, absent=("rope_theta", "rope_scaling")))


# --- where the autoencoder comes from


def test_the_autoencoders_own_config_is_found_beside_the_model(tmp_path: Path) -> None:
    """Shapes do not tell the norms' epsilon, and the model's own may be another."""
    r = Recipe(eps=1e-6, ae_eps=0.1, config={"ae_path": "/home/somebody/runs/ae"})
    tensors = write(tmp_path / "calm", r)
    write(tmp_path / "ae", replace(r, kind="autoencoder", config={}))
    model = load_model(tmp_path / "calm")
    assert model.autoencoder.config.rms_norm_eps == 0.1
    check_calm(model, r, tensors)
    write(tmp_path / "ae", replace(r, kind="autoencoder", config={"latent_size": 5}))  # another one of that name
    assert load_model(tmp_path / "calm").autoencoder.config.rms_norm_eps == 1e-6


def test_the_autoencoders_folder_can_be_given(tmp_path: Path) -> None:
    r = Recipe(ae_eps=0.1)
    tensors = write(tmp_path / "calm", r)
    write(tmp_path / "elsewhere", replace(r, kind="autoencoder"))
    model = load_official(tmp_path / "calm", tmp_path / "elsewhere")
    assert isinstance(model, CALM)
    check_calm(model, r, tensors)
    write(tmp_path / "other", replace(r, kind="autoencoder", latent_size=7))
    with pytest.raises(CheckpointError, match="another autoencoder"):
        load_official(tmp_path / "calm", tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"no config\.json here"):
        load_official(tmp_path / "calm", tmp_path / "nowhere")


def test_a_model_without_its_autoencoder(tmp_path: Path) -> None:
    r = Recipe()
    tensors = write(tmp_path / "calm", r)
    write(tmp_path / "elsewhere", replace(r, kind="autoencoder"))
    file = tmp_path / "calm" / "model.safetensors"
    official_folder_save(file, {name: t for name, t in tensors.items() if not name.startswith("ae_model.")})
    with pytest.raises(CheckpointError, match="holds no autoencoder"):
        load_official(tmp_path / "calm")
    model = load_official(tmp_path / "calm", tmp_path / "elsewhere")
    assert isinstance(model, CALM)
    check_calm(model, r, tensors)


def official_folder_save(file: Path, tensors: Tensors) -> None:
    from safetensors.torch import save_file

    save_file({name: t.contiguous().clone() for name, t in tensors.items()}, file)


def test_an_autoencoder_can_be_taken_out_of_a_model(tmp_path: Path) -> None:
    r = Recipe()
    tensors = write(tmp_path, r)
    check_autoencoder(load_autoencoder(tmp_path), r, inner(tensors))
    write(tmp_path / "ae", replace(r, kind="autoencoder"))
    with pytest.raises(CheckpointError, match="an autoencoder, not a CALM"):
        load_model(tmp_path / "ae")


# --- memory


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kind", ["autoencoder", "energy"])
def test_nothing_is_held_twice(file: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters are the mapped file itself: no copy is made of a large vocabulary."""
    write(tmp_path, Recipe(kind=kind, vocab_size=5000, file=file))
    read: Tensors = {}

    def spy(folder: Path, stems: tuple[str, ...]) -> Tensors:
        read.update(original(folder, stems))
        return read

    original = official.read_folder
    monkeypatch.setattr(official, "read_folder", spy)
    model = load_official(tmp_path)
    places = {tensor.data_ptr() for tensor in read.values()}
    assert {parameter.data_ptr() for parameter in model.parameters()} <= places


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_changing_a_loaded_model_leaves_its_file_alone(file: str, tmp_path: Path) -> None:
    write(tmp_path, Recipe(kind="autoencoder", file=file))
    before = (tmp_path / file).read_bytes()
    model = load_autoencoder(tmp_path)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    assert (tmp_path / file).read_bytes() == before
    again = load_autoencoder(tmp_path)
    assert torch.equal(2 * again.encoder.embed.weight, model.encoder.embed.weight)


# --- refusals


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_attention_heads": None}, "num_attention_heads"),
        ({"num_attention_heads": 3}, "num_attention_heads"),
        ({"num_attention_heads": "4"}, "num_attention_heads"),
        ({"num_attention_heads": 10**12}, "num_attention_heads"),
        ({"num_attention_heads": 16}, "even multiple"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"hidden_act": ["silu"]}, "hidden_act"),
        ({"beta": 3.0}, "alpha"),
        ({"beta": float("nan")}, "alpha"),
        ({"num_samples": 10**12}, "num_samples"),
        ({"num_samples": 2.5}, "num_samples"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rope_theta": 0}, "rope_theta"),
        ({"rope_theta": float("inf")}, "rope_theta"),
        ({"rope_theta": 10**400}, "float"),
        ({"rope_scaling": {"type": "yarn"}}, "rope_scaling"),
        ({"rope_scaling": {"type": "linear"}}, r"rope_scaling\.factor"),
        ({"rope_scaling": "linear"}, "rope_scaling"),
        ({"rope_scaling": LLAMA3 | {"low_freq_factor": 9}}, "low_freq_factor"),
    ],
)
def test_a_config_that_cannot_be_is_refused(change: dict[str, object], words: str, tmp_path: Path) -> None:
    write(tmp_path, Recipe(config=change))
    with pytest.raises(CheckpointError, match=words) as caught:
        load_official(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_an_activation_of_the_model_itself_is_seen(tmp_path: Path) -> None:
    """The autoencoder's own config.json, found beside, says silu; the model's says otherwise."""
    r = Recipe(config={"ae_path": "/home/somebody/ae", "hidden_act": "gelu"})
    write(tmp_path / "calm", r)
    write(tmp_path / "ae", replace(r, kind="autoencoder", config={}))
    with pytest.raises(CheckpointError, match="hidden_act"):
        load_official(tmp_path / "calm")


def test_a_missing_number_of_heads_is_named(tmp_path: Path) -> None:
    """No shape tells it, and any divisor would load: a guess could be wrong without a word."""
    write(tmp_path, Recipe(absent=("num_attention_heads",)))
    with pytest.raises(CheckpointError, match="num_attention_heads is missing"):
        load_official(tmp_path)


def test_tensors_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    r = Recipe()
    tensors = write(tmp_path, r)
    file = tmp_path / "model.safetensors"
    for name, tensor in (
        ("transformer.layers.1.mlp.up_proj.weight", torch.zeros(20, 15)),
        ("transformer.layers.0.self_attn.k_proj.weight", torch.zeros(3, 16)),
        ("transformer.layers.0.self_attn.k_proj.weight", torch.zeros(0, 16)),
        ("ae_model.encoder.embed_tokens.weight", torch.zeros(37, 0)),
        ("ae_model.encoder.embed_tokens.weight", torch.zeros(36, 10)),
        ("transformer.embed_tokens.weight", torch.zeros(37, 16, dtype=torch.int64)),
        ("transformer.something_new.weight", torch.zeros(3)),
    ):
        official_folder_save(file, tensors | {name: tensor})
        with pytest.raises(CheckpointError, match=str(tmp_path)):
            load_official(tmp_path)
    for name in ("transformer.norm.weight", "transformer.embed_tokens.weight", "ae_model.encoder.squeeze_layer.weight"):
        official_folder_save(file, {key: t for key, t in tensors.items() if key != name})
        with pytest.raises(CheckpointError, match=str(tmp_path)):
            load_official(tmp_path)
    official_folder_save(file, {key: t for key, t in tensors.items() if "noise_embd" not in key})
    with pytest.raises(CheckpointError, match="no energy, flow or diffusion head"):
        load_official(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError, match=r"model\.safetensors or pytorch_model\.bin is missing"):
        load_model(tmp_path)
    official_folder_save(tmp_path / "model.safetensors", {"bert.embeddings.weight": torch.zeros(3, 3)})
    with pytest.raises(CheckpointError, match="no official CALM model"):
        load_model(tmp_path)
