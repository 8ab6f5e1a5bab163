"""The eighteen bugs and traps of the official code, one test each: what it does, and what ours does instead.

Numbers are those of the list the record came with. Where the official behaviour is needed for parity, its name is used.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.loading import load_autoencoder, load_model
from calm_lab.model.calm import CALM
from calm_lab.model.checkpoint import load, save
from calm_lab.model.config import BackboneConfig, HeadConfig
from calm_lab.model.heads import DiffusionHead, FlowHead
from calm_lab.text.chunks import chunk_documents, prompt_chunks
from calm_lab.toolkit.brier import brier_lm, brier_n
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.evaluation import evaluate_calm
from calm_lab.toolkit.generate import generate
from calm_lab.toolkit.loss import calm_loss
from calm_lab.toolkit.ngrams import draw_ngrams
from calm_lab.toolkit.replay import OFFICIAL, generate_ids
from calm_lab.toolkit.temperature import reciprocal
from tests.model import small
from tests.model.official_folder import Recipe, write
from tests.model.quirks import rounded_embeddings


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("head", ["flow", "diffusion"])
def test_01_flow_and_diffusion_train(head: str, tmp_path: Path) -> None:
    """Official: neither sets ``num_samples``, so the first forward raises AttributeError."""
    write(tmp_path, Recipe(kind=head, num_samples=3))
    model = load_model(tmp_path)
    assert model.config.head.num_samples == 3
    assert bool(calm_loss(model, small.rows(model), generator=stream()).total.isfinite())


def test_02_the_kind_of_head_survives_saving(tmp_path: Path) -> None:
    """Official: config.json has no ``model_type``, and a flow model comes back as an energy model."""
    write(tmp_path / "official", Recipe(kind="flow", absent=("architectures",)))
    model = load_model(tmp_path / "official")
    assert isinstance(model.head, FlowHead)
    assert isinstance(load_model(save(model, tmp_path / "ours")).head, FlowHead)


def test_03_diffusion_samples_wherever_it_is() -> None:
    """Official: ``.cuda()`` without condition, so it fails on a CPU; and ``cfg != 1`` calls what does not exist."""
    model = small.calm(head="diffusion")
    drawn = model.head.sample(torch.zeros(2, 16), generator=stream(), steps=3)  # type: ignore[call-arg]
    assert drawn.device.type == "cpu"
    meta = model.head.to("meta").sample(torch.zeros(2, 16, device="meta"), steps=3)  # type: ignore[call-arg]
    assert meta.device.type == "meta"
    with pytest.raises(TypeError, match="cfg"):  # what is not there is not offered
        DiffusionHead(HeadConfig(kind="diffusion"), 16, 5).sample(torch.zeros(1, 16), cfg=2.0)  # type: ignore[call-arg]


def test_04_safetensors_keep_the_output_matrix(tmp_path: Path) -> None:
    """Official: an autoencoder saved so comes back with an uninitialised output layer; a CALM cannot be saved so."""
    r = Recipe(kind="autoencoder", store_output=False)  # such a folder
    write(tmp_path / "official", r)
    model = load_autoencoder(tmp_path / "official")
    assert torch.equal(model.output_weight, model.encoder.embed.weight)
    again = load(save(model, tmp_path / "ours"))
    z = torch.randn(3, r.latent_size, generator=stream())
    assert torch.equal(again.decode_logits(z), model.decode_logits(z))  # type: ignore[union-attr]
    assert isinstance(load(save(small.calm(), tmp_path / "calm")), CALM)


def test_05_a_tied_matrix_is_one_parameter(tmp_path: Path) -> None:
    """Official: after loading, two parameters share one storage; training would update it twice, a move untie it."""
    write(tmp_path, Recipe(kind="autoencoder", file="pytorch_model.bin"))
    model = load_autoencoder(tmp_path)
    assert [name for name, _ in model.named_parameters() if "output" in name or "lm_head" in name] == []
    moved = copy.deepcopy(model).to(torch.float64)
    assert moved.output_weight is moved.encoder.embed.weight
    ids = small.rows(model)
    both = torch.autograd.grad(model.loss(ids, generator=stream()).total, model.output_weight)[0]
    decoder_only = torch.autograd.grad(model.decode_logits(torch.zeros(1, 6)).sum(), model.output_weight)[0]
    assert bool((both != 0).any())
    assert bool((decoder_only != 0).any())  # one gradient, with both uses in it


def test_06_training_mode_rounds_nothing_and_leaves_the_autoencoder_alone() -> None:
    """Official: in training mode embeddings are rounded to bfloat16, and ``model.train()`` reaches the frozen part."""
    model, ids = small.calm(), small.rows(small.calm())
    training = calm_loss(model.train(), ids, generator=stream()).total
    assert torch.equal(training, calm_loss(model.eval(), ids, generator=stream()).total)
    with rounded_embeddings(model.autoencoder):  # theirs, by name
        theirs = calm_loss(model, ids, generator=stream()).total
    assert not torch.equal(training, theirs)
    assert float(theirs) == pytest.approx(float(training), rel=0.02)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.99])
def test_07_gradients_below_alpha_one(alpha: float) -> None:
    """Official: NaN, since the diagonal |x - x|^alpha has no slope at zero."""
    x = torch.randn(4, 3, 5, generator=stream()).requires_grad_(True)
    naive = ((x[:, None] - x[None]).norm(dim=-1) ** alpha).sum()
    assert bool(torch.autograd.grad(naive, x)[0].isnan().any())
    energy_score(x, torch.zeros(2, 3, 5), alpha).score.sum().backward()
    assert bool(x.grad.isfinite().all())  # type: ignore[union-attr]


def test_08_any_chunk_can_be_left_out() -> None:
    """Official: evaluation fails with any label of -100, training with a stray one. Ours masks chunks."""
    model, ids = small.calm(), small.rows(small.calm(), 2, 4)
    for mode in (True, False):
        model.train(mode)
        for scored in torch.randint(0, 2, (5, 2, 4), generator=stream()).bool():
            if scored[:, 1:].any():
                assert int(calm_loss(model, ids, scored, generator=stream()).positions) == int(scored[:, 1:].sum())


def test_09_word_dropout_writes_a_mask(tmp_path: Path) -> None:
    """Official: id 0, a real token ("!" in Llama 3's vocabulary). Ours has a mask of its own; theirs keeps theirs."""
    ours = small.autoencoder()
    assert ours.config.mask_id == 3
    assert ours.config.mask_id not in (ours.config.pad_id, ours.config.bos_id, ours.config.eos_id)
    seen: list[torch.Tensor] = []
    ours.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    ids = small.rows(ours, 4, 9).clamp(min=4)
    noise = ours.draw_noise(ours.chunked(ids), stream())
    ours.loss(ids, noise)
    assert bool(noise.drop_tokens.any())
    assert torch.equal(seen[0] == 3, noise.drop_tokens)
    write(tmp_path, Recipe(kind="autoencoder"))
    assert load_autoencoder(tmp_path).config.mask_id == 0


def test_10_no_labels_no_draw_in_evaluation_and_one_loss() -> None:
    """Official: forward needs labels, evaluation still draws the latent, and its loss is another than training's."""
    model = small.autoencoder()
    ids = small.rows(model)
    assert torch.equal(model.encode(ids).mean, model.eval().encode(ids).mean)
    assert torch.equal(model.decode(model.encode(ids).mean), model.decode(model.encode(ids).mean))
    training = model.train().loss(ids, generator=stream())
    evaluation = model.eval().loss(ids, generator=stream())
    assert torch.equal(training.total, evaluation.total)
    assert float(training.total) == pytest.approx(
        float(training.reconstruction + model.config.kl_weight * training.kl), rel=1e-6
    )


def test_11_generation() -> None:
    """Official: five faults, each with a test of its own in tests/toolkit/test_replay.py; here, all at once.

    An unaligned prompt is padded on the right and the model goes on after the pads; every pad id moves to the end, also
    one of the prompt; tokens after the end token stay; the output may pass ``max_length``; the empty prompt fails; and
    Python's ``random`` makes the choice, with no seed.
    """
    model = small.calm()
    pad = model.config.pad_id
    ids = torch.randint(4, 23, (2, 7), generator=stream())
    ids[0, 1] = pad
    noise = torch.rand(9, 2, 4, generator=stream()) - 0.5
    ours = generate_ids(model, ids, 11, noise=noise, eos_id=-1)
    theirs = generate_ids(model, ids, 11, noise=noise, eos_id=-1, conventions=OFFICIAL)
    assert ours.shape == (2, 11)
    assert theirs.shape == (2, 12)
    assert torch.equal(ours[:, :7], ids)
    assert not torch.equal(theirs[:, :7], ids)
    assert not torch.equal(ours, theirs[:, :11])
    assert generate_ids(model, ids[:, :0], 6, noise=noise, eos_id=-1).shape == (2, 6)
    again = [generate_ids(model, ids, 11, generator=stream(3)) for _ in range(2)]
    assert torch.equal(*again)


def test_12_temperatures_as_people_write_them() -> None:
    """Official: 1/n to 1e-9, so that 0.3333 is refused; the pool cannot be set."""
    assert reciprocal(0.3333) == reciprocal(0.33) == reciprocal(1 / 3) == 3
    model = _speaking_calm()
    steps = [list(generate(model, "", temperature=0.3333, pool=size, max_tokens=3, seed=0)) for size in (5, 40)]
    assert [step[0].calls for step in steps] == [5, 40]


def _speaking_calm() -> CALM:
    from calm_lab.text import Tokenizer

    tokenizer = Tokenizer.train(["the sea and the old sea"], 270)
    model = small.calm(vocab_size=tokenizer.vocab_size)
    model.autoencoder.tokenizer = tokenizer
    return model


def test_13_every_layer_of_an_odd_stack_runs(tmp_path: Path) -> None:
    """Official: with an odd number the last layer is built, stored, and never used."""
    ours = small.autoencoder(num_encoder_layers=3, num_decoder_layers=3)
    ours.loss(small.rows(ours), generator=stream()).total.backward()
    assert all(bool((p.grad != 0).any()) for p in ours.parameters())  # type: ignore[union-attr]
    write(tmp_path, Recipe(kind="autoencoder", encoder_layers=3, decoder_layers=3))
    theirs = load_autoencoder(tmp_path)  # where it was not used, it is not used here
    assert theirs.config.num_encoder_layers == theirs.config.num_decoder_layers == 2


@pytest.mark.parametrize(("size", "starts"), [(1, 5), (2, 7), (3, 7), (4, 8)])
def test_14_every_valid_start_counts(size: int, starts: int) -> None:
    """Official: with K < 4 the last start is left out. A row of S chunks has S - ceil(4 / K) of them; here S = 9."""
    model = small.calm(chunk_size=size)
    draws = draw_ngrams(model, small.rows(model, 2, 9), stream())
    assert draws.starts.tolist() == list(range(starts))
    assert draws.terms().score.shape == (2, starts, 4)


def test_15_training_data_ends() -> None:
    """Official: texts are joined with a begin token only, so that a CALM never learns to stop."""
    (chunks,) = chunk_documents([[5, 6, 7, 8, 9]], 4, bos_id=1, eos_id=2, pad_id=0, rng=np.random.default_rng(0))
    assert 2 in chunks[-1]
    (aligned,) = chunk_documents([[5, 6, 7, 8]], 4, bos_id=1, eos_id=2, pad_id=0)
    assert aligned.tolist() == [[1, 1, 1, 1], [5, 6, 7, 8], [2, 0, 0, 0]]
    assert 2 not in prompt_chunks([5, 6, 7], 4, bos_id=1)


def test_16_time_is_continuous(tmp_path: Path) -> None:
    """Official: flow time is cut to whole thousandths before it is embedded. Their checkpoints keep it, ours do not."""
    assert not HeadConfig(kind="flow").whole_time_steps
    write(tmp_path, Recipe(kind="flow"))
    assert load_model(tmp_path).config.head.whole_time_steps
    for whole in (True, False):
        head = small.filled(FlowHead(HeadConfig(kind="flow", whole_time_steps=whole), 8, 3))
        x, hidden = torch.ones(1, 3), torch.ones(1, 8)
        near, far = (head.velocity(x, torch.tensor([time]), hidden) for time in (0.5001, 0.5009))
        assert torch.equal(near, far) == whole


def test_17_no_perplexity_where_there_is_none() -> None:
    """Official: exp of minus the energy score is reported as perplexity, and BrierLM as a fraction of 1."""
    model = small.calm()
    report = evaluate_calm(model, small.rows(model, 3, 6), stream()).to_dict()
    assert not {"perplexity", "cross_entropy"} & set(report)
    same = torch.tensor([[4, 5, 6, 7]])
    assert brier_lm(brier_n(same, same, same)) == pytest.approx(100)
    assert math.isnan(brier_lm([0.5, 0.2, 0.0, -0.1]))


def test_18_as_many_key_value_heads_as_heads(tmp_path: Path) -> None:
    """Official: 12 unless set, whatever the model has."""
    assert BackboneConfig(hidden_size=64, num_heads=8).kv_heads == 8
    write(tmp_path, Recipe(heads=4, kv_heads=4, config={"num_key_value_heads": 12}))
    assert load_model(tmp_path).config.backbone.kv_heads == 4
    with pytest.raises(InputError, match="multiple of num_kv_heads"):
        replace(BackboneConfig(hidden_size=64, num_heads=8), num_kv_heads=12)
