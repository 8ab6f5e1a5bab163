"""The documented API through gradio_client: answers, agreement with the library, and one-line errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from calm_lab.lab.vectors import read_text
from calm_lab.toolkit.energy import energy_score
from calm_lab.toolkit.generate import generate
from tests.app.small_models import SENTENCES, autoencoder, calm


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    made = Client(url, verbose=False)
    yield made
    made.close()


def test_four_endpoints_are_documented(client: Client) -> None:
    described: dict[str, Any] = client.view_api(return_format="dict", print_info=False)
    assert set(described["named_endpoints"]) == {"/encode", "/decode", "/generate", "/score"}
    assert described["unnamed_endpoints"] == {}
    names = [p["parameter_name"] for p in described["named_endpoints"]["/generate"]["parameters"]]
    sampler = ["method", "max_calls", "on_budget"]
    assert names == ["prompt", "temperature", "seed", "max_tokens", "pool", "model", *sampler]


def test_encode_and_decode_are_the_models(client: Client) -> None:
    encoded = client.predict(text=SENTENCES[0], api_name="/encode")
    reading = read_text(autoencoder(), SENTENCES[0])
    means = [chunk["mean"] for chunk in encoded["chunks"]]
    torch.testing.assert_close(torch.tensor(means), reading.mean, atol=1e-5, rtol=0)
    decoded = client.predict(vectors=means, api_name="/decode")
    assert decoded["text"] == reading.decoded_text
    assert [chunk["tokens"] for chunk in decoded["chunks"]] == reading.decoded_tokens


def test_generate_knows_the_exact_method(client: Client) -> None:
    asked = {"prompt": "Once upon a time there was", "temperature": 0.7, "seed": 5, "max_tokens": 8}
    answer = client.predict(**asked, method="exact", max_calls=2000, api_name="/generate")
    steps = list(generate(calm(), asked["prompt"], 0.7, "exact", max_tokens=8, seed=5, max_calls=2000))
    assert answer["text"] == "".join(step.text for step in steps)
    assert [step["draws"] for step in answer["steps"]] == [step.calls for step in steps]
    assert [step["trials"] for step in answer["steps"]] == [step.trials for step in steps]
    assert all(step["exact"] for step in answer["steps"])


def test_generate_is_the_librarys(client: Client) -> None:
    answer = client.predict(prompt="Once", temperature=1 / 3, seed=5, max_tokens=24, pool=40, api_name="/generate")
    steps = list(generate(calm(), "Once", 1 / 3, pool=40, max_tokens=24, seed=5))
    assert answer["text"] == "".join(step.text for step in steps)
    assert [step["used"] for step in answer["steps"]] == [step.n_used for step in steps]


def test_score_is_the_energy_score(client: Client) -> None:
    samples, targets = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [[0.5, 0.5], [1.0, 1.0]]
    answer = client.predict(samples=samples, targets=targets, alpha=1.5, api_name="/score")
    expected = energy_score(torch.tensor(samples).double(), torch.tensor(targets).double(), 1.5)
    assert answer["score"] == pytest.approx(float(expected.score))
    assert answer["diversity"] - 2 * answer["fidelity"] == pytest.approx(answer["score"])
    far = client.predict(samples=[[1e6], [1e6 + 0.05]], targets=[[1e6]], alpha=1, api_name="/score")
    assert far["diversity"] == pytest.approx(0.05, rel=1e-6)  # float32 would say 0.0625


@pytest.mark.parametrize(
    ("endpoint", "given", "told"),
    [
        ("/encode", {"text": ""}, "There is no text to encode"),
        ("/encode", {"text": "x" * 100_000}, "100,000 characters: shorten it"),
        ("/encode", {"text": "a", "model": "../../etc"}, "Unknown model"),
        ("/decode", {"vectors": [[1.0, 2.0]]}, "must have 32 numbers each"),
        ("/decode", {"vectors": []}, "list of lists of numbers"),
        ("/decode", {"vectors": [[1.0] * 32] * 1000}, "at most 256 vectors"),
        ("/decode", {"vectors": [["a"] * 32]}, "finite numbers only"),
        ("/generate", {"prompt": "a", "temperature": 0.4}, "is not 1/n"),
        ("/generate", {"prompt": "a", "temperature": 2}, "above 1"),
        ("/generate", {"prompt": "a", "method": "greedy"}, "unknown method 'greedy'"),
        ("/generate", {"prompt": "a", "method": "exact", "temperature": 2}, "above 1"),
        ("/generate", {"prompt": "a", "method": "exact", "on_budget": "wait"}, "unknown on_budget 'wait'"),
        ("/generate", {"prompt": "a", "method": "exact", "max_calls": 0}, "Max_calls must be a whole number"),
        ("/generate", {"prompt": "a", "max_tokens": 10**9}, "Max_tokens must be a whole number"),
        ("/generate", {"prompt": "x" * 100_000}, "100,000 characters: shorten it"),
        ("/score", {"samples": [[0.0]], "targets": [[0.0]]}, "at least 2 samples"),
        ("/score", {"samples": [[0.0], [1.0]], "targets": [[0.0, 1.0]]}, "must agree"),
        ("/score", {"samples": [[0.0], [1.0, 2.0]], "targets": [[0.0]]}, "same length"),
        ("/score", {"samples": [[0.0], [1.0]], "targets": [[0.0]], "alpha": 3}, "alpha must lie in (0, 2]"),
    ],
)
def test_bad_calls_answer_with_one_line(client: Client, endpoint: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(**given, api_name=endpoint)
    assert told.lower() in str(caught.value).lower()
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_events_of_the_page_are_not_for_clients(client: Client) -> None:
    with pytest.raises(ValueError, match="api_name"):
        client.predict("a", 0, 7, "default", api_name="/redraw")


def test_the_server_goes_on_after_errors(client: Client) -> None:
    with pytest.raises(AppError):
        client.predict(text="", api_name="/encode")
    assert client.predict(text="Once", api_name="/encode")["chunk_size"] == 4
