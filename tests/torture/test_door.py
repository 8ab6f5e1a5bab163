"""Gradio's own routes, called as no page would: uploads, addresses to fetch, huge bodies, wrong types."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.torture.load import serve

MOST = 8 << 20  # bytes of a request under --share-safe
NAMES = (
    "story.txt", "../../outside.txt", "/etc/cron.d/x", "..\\..\\x.txt", "a\0b.txt", "x" * 300 + ".txt", "",
    "<img src=x onerror=alert(1)>.txt", "<script>alert(1)</script>.html", "model.pkl", "café 你好.txt",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """A client of an app that shares itself safely, and the folder that holds all it may write."""
    home = tmp_path_factory.mktemp("door")
    process, url = serve(home, small_models=True)
    with httpx.Client(base_url=url, timeout=120) as client:
        yield client, home
        assert process.poll() is None
        assert client.post("/gradio_api/call/encode", json={"data": ["the fox", "default"]}).status_code == 200
    process.kill()
    process.wait()


def bomb() -> bytes:
    """A zip of 100 kilobytes that unpacks to 100 megabytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("story.txt", bytes(100_000_000))
    return made.getvalue()


def everything(home: Path) -> set[str]:
    return {str(path) for path in home.rglob("*") if path.is_file()}


def refused(answer: httpx.Response, status: int) -> None:
    """Refused with a message in one line, and no traceback."""
    assert answer.status_code == status, answer.text[:300]
    detail = answer.json()["detail"]
    assert detail
    assert "Traceback" not in answer.text


def test_no_upload_is_taken_and_nothing_of_it_kept(served: tuple[httpx.Client, Path]) -> None:
    client, home = served
    before = everything(home)
    contents = {"text": b"the fox", "bomb": bomb(), "pickle": b"\x80\x04cos\nsystem\n(S'mkdir harm'\ntR.", "none": b""}
    for content in contents.values():
        for name in NAMES:
            refused(client.post("/gradio_api/upload", files={"files": (name, content)}), 404)
    refused(client.post("/gradio_api/process_recording", files={"file": ("a.webm", bytes(1000))}), 404)
    refused(client.post("/gradio_api/upload", content=bytes(MOST + 1)), 404)
    assert everything(home) == before


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:9/x",
        "/gradio_api/file=https://example.com/x",
        "/gradio_api/proxy=https://example.com/x",
        "/gradio_api/deep_link?session_hash=a",
        "/gradio_api/stream/a/b/1/playlist.m3u8",
        "/gradio_api/vibe-code",
        "/pwa_icon/60000",  # a picture of 14 GB
        "/monitoring",
        "/gradio_api/dev/reload",
        "/docs",
        "/gradio_api/custom_component/1/client/component/x.js",
    ],
)
def test_what_the_page_does_not_need_is_closed(served: tuple[httpx.Client, Path], path: str) -> None:
    refused(served[0].get(path), 404)


def test_what_the_page_needs_is_open(served: tuple[httpx.Client, Path]) -> None:
    for path in ("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/pwa_icon/192", "/gradio_api/info"):
        assert served[0].get(path).status_code == 200, path


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(served: tuple[httpx.Client, Path]) -> None:
    client, _ = served
    body = b'{"data": ["' + b"a" * MOST + b'", "default"]}'
    refused(client.post("/gradio_api/call/encode", content=body), 413)
    refused(client.post("/gradio_api/call/encode", content=iter([body[:MOST], body[MOST:]])), 413)


WRONG: tuple[Any, ...] = (
    None, [], {}, "data", 7, {"data": None}, {"data": "text"}, {"data": []}, {"data": [1, 2, 3, 4, 5, 6, 7, 8]},
    {"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, "default"]},
    {"data": [["a"], {"model": "default"}]}, {"data": ["a", "../../etc"]}, {"data": [1e308, -1]}, {"fn_index": -1},
)  # fmt: skip


@pytest.mark.parametrize(
    "route", ["call/encode", "call/generate", "run/decode", "api/score", "queue/join", "call/none"]
)
def test_wrong_types_through_the_raw_api_are_answered_in_words(served: tuple[httpx.Client, Path], route: str) -> None:
    client, _ = served
    for wrong in WRONG:
        answer = client.post(f"/gradio_api/{route}", json=wrong)
        text, status = answer.text, answer.status_code
        if status == 200 and "event_id" in text and route.startswith("call"):  # the refusal comes with the event
            event = json.loads(text)["event_id"]
            text = client.get(f"/gradio_api/{route}/{event}").text
            assert "event: error" in text, (route, wrong, text[:300])
        else:
            assert status >= 400, (route, wrong, text[:300])
        assert text
        assert "Traceback" not in text
        assert "root:" not in text


def test_questions_to_the_map_that_no_page_asks(served: tuple[httpx.Client, Path]) -> None:
    client, _ = served
    config = client.get("/config").json()
    drawing = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == "map")

    def ask(component: Any, name: Any, data: Any) -> httpx.Response:
        body = {"component_id": component, "fn_name": name, "session_hash": "s", "data": data}
        return client.post("/gradio_api/component_server", json=body)

    for name in ("__class__", "launch", "map_nothing", "_", ""):
        refused(ask(drawing, name, {}), 404)
    for component in (-1, 10**9):
        refused(ask(component, "map_point", {}), 500)
    for name in ("map_point", "map_spot", "map_walk", "map_own", "map_fit", "map_fit_state", "map_words"):
        for data in (None, [], "x", 7, {}, {"key": ["a"]}, {"key": "x", "row": 1e300}, {"text": 5, "model": {}}):
            answer = ask(drawing, name, data)
            assert answer.status_code == 200, answer.text[:300]
            assert "message" in answer.json(), (name, data)
            assert "log says" not in answer.text, (name, data)
