"""``models``, ``evaluate``, ``generate`` and ``import-official`` on tiny models: what they print and refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from calm_lab import cli
from calm_lab.model import checkpoint
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line with which ``calm-lab`` refuses ``words``."""
    assert cli.main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("calm-lab: error: ")
    assert err.count("\n") == 1
    return err


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What ``calm-lab`` prints for ``words``."""
    assert cli.main(words) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_models_lists_what_lies_in_a_folder(models: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "models", "--folder", str(models))
    (line,) = [line for line in out.splitlines() if line.startswith(str(models / "ae"))]
    assert "autoencoder; K=4 l=32 V=" in line
    assert line.endswith(f"on {corpus}; clean 0.25")
    assert str(models / "calm") in out
    assert "notes" not in out


def test_models_prints_a_card(models: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads(shown(capsys, "models", "--card", str(models / "ae")))
    assert card["data"] == {"corpus": str(corpus)}


def test_models_of_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such folder" in refused(capsys, "models", "--folder", str(tmp_path / "none"))
    assert "unknown model 'nothing'" in refused(capsys, "models", "--card", "nothing")


def test_generate_writes_prompt_and_text_and_repeats_itself(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "--model", str(models / "calm"), "--prompt", "the sea 🌊", "--seed", "3", "--max-tokens", "12"]
    first = shown(capsys, *words, "--pool", "20")
    assert first.startswith("the sea 🌊")
    assert len(first) > len("the sea 🌊\n")
    assert shown(capsys, *words, "--pool", "20") == first
    assert shown(capsys, *words, "--pool", "20", "--temperature", "1") != ""


def test_generate_can_show_its_steps(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(
        capsys,
        "generate",
        "--model",
        str(models / "calm"),
        "--steps",
        "--max-tokens",
        "8",
        "--pool",
        "20",
        "--seed",
        "3",
    )
    assert 1 <= len(out.splitlines()) <= 2
    assert all("candidates=" in line and "calls=20" in line for line in out.splitlines())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--temperature", "0"], "temperature"),
        (["--temperature", "1.5"], "temperature"),
        (["--temperature", "0.4"], "1/n"),
        (["--temperature", "nan"], "temperature"),
        (["--temperature", "warm"], "--temperature"),
        (["--pool", "0"], "pool"),
        (["--max-tokens", "-1"], "max_tokens"),
        (["--method", "magic"], "--method"),
        (["--prompt", "a" * 100_000], "prompt"),
        (["--prompt", "caf\udce9"], "UTF-8"),
        (["--device", "abacus"], "device 'abacus' cannot be used here: choose auto"),
        (["--seed", "9" * 30], "seed"),
    ],
)
def test_generate_refuses_in_one_line(
    words: list[str], told: str, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(capsys, "generate", "--model", str(models / "calm"), *words)


def test_generate_needs_a_calm(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "an autoencoder, not a CALM; give one" in refused(capsys, "generate", "--model", str(models / "ae"))
    assert "no config.json" in refused(capsys, "generate", "--model", str(tmp_path))
    assert "unknown model" in refused(capsys, "generate", "--model", str(tmp_path / "none"))


def test_exact_sampling_tells_its_price_and_what_became_of_its_budget(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--model", str(models / "calm"), "--method", "exact", "--temperature", "0.7", "--seed", "1"]
    words += ["--max-tokens", "8", "--max-calls", "3", "--pool", "50"]
    assert cli.main([*words, "--steps"]) == 0
    out, err = capsys.readouterr()
    assert all("calls=3 " in line and line.endswith("budget spent") for line in out.splitlines())
    assert "exact sampling at T = 0.7, first chunk: at least" in err
    assert "2 of 2 chunks spent their 3 draws" in err
    assert cli.main([*words, "--on-budget", "raise"]) == 2
    assert "draws were spent before a chunk was accepted" in capsys.readouterr().err
    assert "max_calls" in refused(capsys, *words[:-4], "--max-calls", "0")


@pytest.fixture
def baseline(models: Path, tmp_path: Path) -> str:
    """The folder of a tiny untrained token Transformer."""
    inner = checkpoint.load(models / "ae")
    model = TokenTransformer(preset("tiny", vocab_size=inner.config.vocab_size).transformer())
    model.tokenizer = inner.tokenizer
    return str(checkpoint.save(model, tmp_path / "baseline"))


def test_a_token_transformer_writes_too(baseline: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "--model", baseline, "--prompt", "the sea", "--seed", "3"]
    words += ["--max-tokens", "12", "--temperature", "1.3"]
    first = shown(capsys, *words)
    assert first.startswith("the sea")
    assert len(first) > len("the sea\n")
    assert shown(capsys, *words) == first
    assert 1 < len(shown(capsys, *words, "--steps").splitlines()) <= 13
    assert "above 0" in refused(capsys, *words, "--temperature", "0")
    assert "leave out --method" in refused(capsys, *words, "--method", "exact")


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "autoencoder/model.safetensors"])
def test_a_damaged_checkpoint_is_one_line(
    damage: str, name: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(models / "calm", tmp_path / "calm")
    path = tmp_path / "calm" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    assert str(tmp_path / "calm") in refused(capsys, "generate", "--model", str(tmp_path / "calm"))


def test_evaluate_an_autoencoder_on_the_corpus_of_its_card(
    models: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, "evaluate", "--model", str(models / "ae"), "--positions", "16", "--device", "cpu")
    assert f"on {corpus}, test:" in out
    for noise in ("clean", "sigma 0.3", "posterior"):
        assert f"token accuracy, {noise} " in out
    assert out.count("+-") == 3


def test_evaluate_a_calm_as_data(models: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--corpus", str(corpus), "--split", "validation", "--positions", "16", "--rows", "4", "--json"]
    found = json.loads(shown(capsys, "evaluate", "--model", str(models / "calm"), *words))
    assert found["split"] == "validation"
    assert set(found["metrics"]) == {"BrierLM", "Brier-1", "Brier-2", "Brier-3", "Brier-4"}
    assert 0 < found["tokens"] <= 4 * 16 * 4


def test_evaluate_a_token_transformer_at_all_positions_and_at_chunk_aligned_ones(
    baseline: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--corpus", str(corpus), "--positions", "40", "--rows", "4", "--json", "--every", "3"]
    found = json.loads(shown(capsys, "evaluate", "--model", baseline, *words))["metrics"]
    names = ["BrierLM", "Brier-1", "Brier-2", "Brier-3", "Brier-4"]
    assert list(found) == [*names, "cross-entropy, nats a token", *(f"{name}, every 3 tokens" for name in names)]
    assert found["Brier-1"] != found["Brier-1, every 3 tokens"]
    hot = json.loads(shown(capsys, "evaluate", "--model", baseline, *words, "--temperature", "50"))["metrics"]
    assert hot["cross-entropy, nats a token"] != found["cross-entropy, nats a token"]
    assert "above 0" in refused(capsys, "evaluate", "--model", baseline, *words, "--temperature", "-1")
    assert "every must be at least 1" in refused(capsys, "evaluate", "--model", baseline, *words, "--every", "0")


def test_on_storyland_the_best_possible_score_stands_beside(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--corpus", "storyland", "--documents", "3", "--positions", "16", "--rows", "4", "--json"]
    found = json.loads(shown(capsys, "evaluate", "--model", str(models / "calm"), *words))["metrics"]
    best, error = found["best BrierLM of all models"]
    assert 0 < best < 100
    assert error > 0
    assert found["entropy, bits a token"][0] > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--corpus"),  # the card of this model names none
        (["--corpus", "andresen"], "did you mean 'andersen'"),
        (["--corpus", "storyland", "--split", "tset"], "split"),
        (["--corpus", "storyland", "--rows", "0"], "rows must be at least 1"),
        (["--corpus", "storyland", "--documents", "0"], "documents must be at least 1"),
    ],
)
def test_evaluate_refuses_in_one_line(
    words: list[str], told: str, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(capsys, "evaluate", "--model", str(models / "calm"), *words)


def test_evaluate_needs_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--model" in refused(capsys, "evaluate")


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the recorded official checkpoints are not on this computer")
def test_an_official_checkpoint_is_imported_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "imported"
    source = GOLDEN / "autoencoder_k4"
    assert "no tokenizer" in shown(capsys, "import-official", "--source", str(source), "--out", str(out))
    assert json.loads((out / "card.json").read_text())["layout"] == "official"
    assert "autoencoder; K=4" in shown(capsys, "models", "--folder", str(tmp_path))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert "exists already" in refused(capsys, "import-official", "--source", str(source), "--out", str(out))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_importing_something_else_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/config.json").write_text("{}")
    refused(capsys, "import-official", "--source", str(tmp_path / "source"), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
