"""``calm-lab app``: the address is checked before anything heavy starts."""

from __future__ import annotations

import socket
import sys
import types

import pytest

from calm_lab import cli


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A stand-in for the app that writes down how it was launched."""
    calls: list[dict[str, object]] = []
    monkeypatch.setitem(
        sys.modules, "calm_lab.app", types.SimpleNamespace(launch=lambda **options: calls.append(options))
    )
    return calls


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_loopback_unless_asked_otherwise(launched: list[dict[str, object]]) -> None:
    port = free_port()
    assert cli.main(["app", "--port", str(port)]) == 0
    assert launched == [
        {
            "host": "127.0.0.1",
            "port": port,
            "models": None,
            "device": "auto",
            "open_browser": False,
            "share_safe": False,
            "mcp": False,
        }
    ]


def test_options_reach_the_app(launched: list[dict[str, object]]) -> None:
    port = free_port()
    words = [
        "app",
        "--host",
        "localhost",
        "--port",
        str(port),
        "--models",
        "runs",
        "--device",
        "cpu",
        "--open-browser",
        "--share-safe",
        "--mcp",
    ]
    assert cli.main(words) == 0
    assert launched == [
        {
            "host": "localhost",
            "port": port,
            "models": "runs",
            "device": "cpu",
            "open_browser": True,
            "share_safe": True,
            "mcp": True,
        }
    ]


def test_a_taken_port_is_one_line(launched: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert cli.main(["app", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"calm-lab: error: port {port} on 127.0.0.1 is in use: choose another, such as --port {port + 1}\n"
    )
    assert launched == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "0"], "port 0 does not exist"),
        (["--port", "70000"], "port 70000 does not exist"),
        (["--port", "http"], "--port"),
        (["--host", "192.0.2.1"], "192.0.2.1"),  # an address reserved for documentation: never ours
        (["--host", "no host"], "no host"),
        (["--host", "x" * 80], "is not known"),
    ],
)
def test_an_impossible_address_is_one_line(
    words: list[str], told: str, launched: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["app", *words]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert launched == []
