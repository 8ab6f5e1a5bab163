"""The API as tools over the Model Context Protocol: which there are, how they are described, what a call answers."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from calm_lab.app import launch, main
from calm_lab.errors import InputError

TOOLS = {"encode", "decode", "generate", "score"}


@pytest.fixture(scope="module")
def served(models: Path, no_bundled: None) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    app = launch(port=port, models=models, device="cpu", mcp=True, prevent_thread_lock=True, quiet=True)
    yield f"http://127.0.0.1:{port}/gradio_api/mcp/"
    app.close()


def ask(url: str, tool: str, arguments: dict[str, Any]) -> tuple[set[str], Any]:
    """The names of all tools, and what one of them answers."""

    async def talk() -> tuple[set[str], Any]:
        async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            names = {found.name for found in (await session.list_tools()).tools}
            return names, await session.call_tool(tool, arguments)

    return asyncio.run(talk())


def test_the_four_endpoints_and_nothing_else_are_tools(served: str) -> None:
    schema = {tool["name"]: tool for tool in httpx.get(f"{served}schema").json()}
    assert set(schema) == TOOLS
    for tool in schema.values():
        assert len(tool["description"]) > 40
        for name, field in tool["inputSchema"]["properties"].items():
            assert field.get("description"), (tool["name"], name)
    assert set(schema["generate"]["inputSchema"]["properties"]) == {
        *("prompt", "temperature", "seed", "max_tokens", "pool", "model"),
        "method",
        "max_calls",
        "on_budget",
    }


def test_a_tool_can_be_called(served: str) -> None:
    names, answer = ask(served, "score", {"samples": [[0.0], [1.0]], "targets": [[0.5]], "alpha": 1.0})
    assert names == TOOLS
    assert not answer.isError
    score = json.loads(answer.content[0].text.replace("'", '"'))
    assert score == {"score": 0.0, "diversity": 1.0, "fidelity": 0.5}


def test_a_refused_call_says_why(served: str) -> None:
    _, answer = ask(served, "decode", {"vectors": [[1.0, 2.0]]})
    assert answer.isError
    assert "must have 32 numbers each" in answer.content[0].text
    assert "Traceback" not in answer.content[0].text


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(main, "build_app", lambda *_: pytest.fail("the page was built all the same"))
    with pytest.raises(InputError, match=r"\.\[mcp\]"):
        launch(mcp=True)
