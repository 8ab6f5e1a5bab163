"""The energy score on text: the right terms at the right chunk, the bound of the posterior, the same draws again."""

from __future__ import annotations

import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.lab.energy_text import score_chunks, score_figure, score_text
from calm_lab.lab.latent_map.cloud import head_draws
from calm_lab.lab.vectors import text_ids
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.config import HeadConfig
from calm_lab.model.presets import preset
from calm_lab.toolkit.energy import energy_score
from tests.app.small_models import SENTENCES, autoencoder, calm


class Knowing(torch.nn.Module):
    """A head that draws from the posterior of the chunks of one text, in their order."""

    def __init__(self, inner: Autoencoder, text: str):
        super().__init__()
        self.posterior = inner.encode(text_ids(inner, text))
        self.place = -1

    def draw_noise(self, hidden: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(count, self.posterior.mean.shape[-1], generator=generator)

    def sample(self, hidden: torch.Tensor, noise: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        self.place += 1
        return self.posterior.mean[0, self.place] + self.posterior.std[0, self.place] * noise


def test_a_model_that_draws_from_the_posterior_reaches_the_most_any_law_could_have() -> None:
    text = SENTENCES[0]
    model = calm()
    knowing = Knowing(model.autoencoder, text)
    genuine, model.head = model.head, knowing  # type: ignore[assignment]
    try:
        found = score_text(model, text, draws=128, seed=3)
    finally:
        model.head = genuine
    assert len(found.chunks) == knowing.place + 1
    for chunk in found.chunks:
        assert abs(chunk.score - chunk.best) < 4 * chunk.error + 1e-6
        assert 0 < chunk.hits <= chunk.likeliest_hits <= 128
    assert abs(found.mean("score") - found.mean("best")) < 0.05 * abs(found.mean("best"))
    real = score_text(model, text, draws=128, seed=3)
    assert found.mean("hits") > real.mean("hits")
    assert real.mean("best") == pytest.approx(found.mean("best"))


def test_every_chunk_is_scored_at_the_state_that_has_read_all_before_it() -> None:
    model, text = calm(), SENTENCES[1]
    inner = model.autoencoder
    ids = text_ids(inner, text)
    begin = torch.full((1, inner.config.chunk_size), model.config.bos_id)
    found = score_text(model, text, alpha=1.5, draws=16, seed=5)
    assert "".join(chunk.text for chunk in found.chunks) == text
    with torch.no_grad():
        last = model.hidden_states(torch.cat([begin, ids[:, : -inner.config.chunk_size]], 1))[0, -1]
        place = len(found.chunks) - 1
        drawn = head_draws(model, last, 16, 1_000_003 * place + 5)
    assert found.chunks[-1].diversity == pytest.approx(
        float(energy_score(drawn.double(), drawn.double(), 1.5).diversity), rel=1e-5
    )
    for chunk in found.chunks:
        assert chunk.score == pytest.approx(chunk.diversity - 2 * chunk.fidelity)
        assert chunk.score < chunk.best


def test_what_is_added_to_a_text_leaves_the_chunks_before_it() -> None:
    tokens = calm().tokenizer.encode(SENTENCES[0])  # type: ignore[union-attr]
    short = calm().tokenizer.decode(tokens[:8])  # type: ignore[union-attr]
    longer, shorter = score_text(calm(), SENTENCES[0], draws=16), score_text(calm(), short, draws=16)
    first, again = longer.chunks[0], shorter.chunks[0]
    assert (first.text, first.hits, first.likeliest) == (again.text, again.hits, again.likeliest)
    assert first.score == pytest.approx(again.score, rel=1e-5)  # another length, another order of sums
    assert score_text(calm(), short, draws=16, seed=1).chunks[0].score != pytest.approx(again.score, rel=1e-5)


def test_any_head_gives_the_same_scores_again() -> None:
    torch.manual_seed(1)
    config = preset("tiny", vocab_size=autoencoder().config.vocab_size).calm()
    for kind in ("flow", "diffusion"):
        head = HeadConfig(kind=kind, num_blocks=1)  # type: ignore[arg-type]
        model = CALM(type(config)(**{**vars(config), "head": head}), autoencoder()).eval()
        first, again = (score_text(model, "The sea.", draws=16, seed=2) for _ in range(2))
        assert first == again


def test_the_picture_has_a_line_a_chunk() -> None:
    found = score_text(calm(), SENTENCES[2], draws=16)
    figure = score_figure(found)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == len(found.chunks)
    assert labels[0] == found.chunks[0].text
    assert f"{len(found.chunks)} chunks" in str(found)
    assert found.rows()[2]["chunk"] == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": ""}, "there is no text"),
        ({"text": "x" * 200, "max_tokens": 4}, "shorten it to at most 4"),
        ({"draws": 15}, "draws must be a multiple of 8"),
        ({"draws": True}, "draws must be"),
        ({"draws": 520}, "from 16 to 512"),
        ({"alpha": 0.0}, "alpha must lie in"),
    ],
)
def test_bad_questions_are_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        list(score_chunks(calm(), **{"text": SENTENCES[0], **change}))  # type: ignore[arg-type]
