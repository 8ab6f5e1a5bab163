"""Absurd sizes: an error of one line before anything is built, never the system's out-of-memory kill."""

from __future__ import annotations

import contextlib
import io
import os
import resource
from pathlib import Path

import pytest
import torch

from calm_lab import memory
from calm_lab.cli import USER_ERROR, main
from calm_lab.errors import InputError
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.text.tokenizer import Tokenizer
from calm_lab.toolkit.softmax import write_tokens
from calm_lab.training import AutoencoderRecipe
from calm_lab.training.room import check_room, parameters
from tests.torture.watchman import asks_for_memory

ROOM = 2 << 30
ABSURD = [
    "train autoencoder --chunk-size 1000000",
    f"train autoencoder --chunk-size {10**12}",
    f"train autoencoder --hidden-size {10**7}",
    f"train autoencoder --latent-size {10**13}",
    f"train autoencoder --vocab-size {10**12}",
    f"train autoencoder --rows {10**11}",
    f"train autoencoder --positions {10**11}",
    "train calm --hidden-size 1000000",
    f"train calm --layers {10**9}",
    f"train calm --blocks {10**9}",
    f"train calm --noise-size {10**12}",
    f"train calm --samples {10**9}",
    "train calm --samples 100000 --targets 100000 --rows 100000",
    f"train transformer --hidden-size {10**7}",
    f"train transformer --layers {10**12}",
    f"train transformer --positions {10**12}",
    f"evaluate --model default --positions {10**13}",
    f"generate --pool {10**9}",
    f"generate --max-tokens {10**9}",
]


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "tale.txt"
    path.write_text("\n\n".join(f"The old fox saw {n} red hens by the river, and went home." for n in range(200)))
    return path


@pytest.mark.parametrize("command", ABSURD)
def test_an_absurd_size_is_one_line(command: str, tale: Path, tmp_path: Path) -> None:
    """Run in a child that may take 2 GiB; the error is ours, and no folder is left."""
    words = command.split()
    if words[0] == "train":
        words += ["--out", str(tmp_path / "run"), "--device", "cpu"]
    if words[0] in ("train", "evaluate"):
        words += ["--corpus", str(tale)]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, said = 99, io.StringIO()
        try:
            torch.set_num_threads(1)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
                code = main(words)
            os.write(writing, said.getvalue().encode()[-2000:])
        except BaseException as error:
            os.write(writing, f"{'memory ' * asks_for_memory(error)}{type(error).__name__}: {error}".encode()[:2000])
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said_there = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status), f"killed by signal {os.WTERMSIG(status)}"
    assert os.WEXITSTATUS(status) == USER_ERROR, said_there
    (line,) = said_there.splitlines()
    assert line.startswith("calm-lab: error: ")
    assert any(word in line for word in ("needs at least", "too large", "must be", "must lie", "must not pass")), line
    assert not (tmp_path / "run").exists()


def test_the_count_of_parameters_is_the_models() -> None:
    sizes = preset("tiny")
    inner = Autoencoder(sizes.autoencoder)
    assert parameters(sizes.autoencoder, Autoencoder) == sum(p.numel() for p in inner.parameters())
    for name in ("tiny", "nano"):
        sizes = preset(name, vocab_size=sizes.autoencoder.vocab_size)
        baseline = TokenTransformer(sizes.transformer())
        assert parameters(sizes.transformer(), TokenTransformer) == sum(p.numel() for p in baseline.parameters())
    inner = Autoencoder(sizes.autoencoder)
    for head in ("energy", "flow", "diffusion"):
        model = CALM(sizes.calm(head), inner)  # type: ignore[arg-type]
        counted = parameters(sizes.calm(head), lambda config: CALM(config, inner))  # type: ignore[arg-type]
        assert counted == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_a_baseline_asked_for_too_many_tokens_refuses() -> None:
    sizes = preset("tiny")
    model = TokenTransformer(sizes.transformer())
    model.tokenizer = Tokenizer.train(["the old fox"] * 4, 270)
    with pytest.raises(InputError, match="choose a smaller max_tokens"):
        write_tokens(model, "the", max_tokens=10**14)


def test_what_fits_is_let_through_and_what_does_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, config = AutoencoderRecipe(device="cpu"), preset("nano").autoencoder
    check_room(recipe, config, Autoencoder)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1 << 20)
    with pytest.raises(InputError, match=r"needs at least \S+ MB of memory, 1\.05 MB are free: choose smaller sizes"):
        check_room(recipe, config, Autoencoder)


def test_free_memory_is_no_more_than_there_is() -> None:
    assert 0 < memory.free_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 KB"), (2.5e12, "2.5 TB"), (1e21, "1,000,000 PB")],
)
def test_bytes_are_shown_in_three_digits(count: float, shown: str) -> None:
    assert memory.show_bytes(count) == shown
