"""The app keeps to itself: loopback only, no connection outwards, no file written or given out beside its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.torture.app_target import save_models
from tests.torture.load import serve
from tests.torture.watchman import ROOT

LISTENER = """
import json, os, socket, sys
from pathlib import Path
home, models, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = []
allowed = (os.path.realpath(home), "/dev/")

def hear(event, args):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"):
        address = args[0] if event == "socket.getaddrinfo" else args[1]
        host = address[0] if isinstance(address, tuple) else address
        host = host.decode() if isinstance(host, bytes) else host
        if host not in ("127.0.0.1", "::1", "localhost", None, ""):
            seen.append(f"{event} {host}")
    elif event == "open" and not isinstance(args[0], int) and args[0] is not None:
        path, mode, flags = args
        writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if mode is None else any(c in mode for c in "wax+")
        real = os.path.realpath(os.fsdecode(path))
        if writing and not real.startswith(allowed) and "__pycache__" not in real:
            seen.append(f"writes {real}")

sys.addaudithook(hear)
from calm_lab.model import checkpoint
checkpoint.bundled = dict
from calm_lab.app import launch
app = launch(port=port, models=models, device="cpu", prevent_thread_lock=True)

def call(name, *values):  # by hand: gradio's own client asks the hub who its caller is
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    body, kind = json.dumps({"data": values}), {"Content-Type": "application/json"}
    connection.request("POST", f"/gradio_api/call/{name}", body, kind)
    event = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"/gradio_api/call/{name}/{event}")
    answer = connection.getresponse().read().decode()
    assert "event: complete" in answer, answer

call("encode", "the fox", "default")
call("generate", "the", 0.5, 0, 6, 20, "default", "batch", 5000, "batch")
call("score", [[0.0], [1.0]], [[0.0]], 1.0)
outside = socket.create_server(("127.0.0.2", 0)).getsockname()  # the hook hears: an address that is not allowed
print(json.dumps(seen))
os._exit(0)
"""


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(600)
def test_nothing_is_sent_and_nothing_written_elsewhere(tmp_path: Path) -> None:
    """Every connection and every file opened for writing, heard by Python itself in the app's own process."""
    models = save_models(tmp_path / "models")
    home = tmp_path / "home"
    home.mkdir()
    places = {"HOME": home, "TMPDIR": home, "CALM_LAB_CACHE": home / "cache", "MPLCONFIGDIR": home / "mpl"}
    environment = {**os.environ, **{name: str(path) for name, path in places.items()}, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LISTENER, str(home), str(models), str(free_port())]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == ["socket.bind 127.0.0.2"]


@pytest.mark.timeout(600)
def test_file_routes_give_out_nothing_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the-secret")
    process, url = serve(tmp_path / "home", small_models=True)
    secret = str(tmp_path / "secret.txt")
    up = "../" * 12
    paths = [
        f"{route}{form}"
        for route in ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/assets/", "/gradio_api/", "/")
        for form in (
            secret,
            f"{up}{secret[1:]}",
            f"{up}{secret[1:]}".replace("../", "..%2f"),
            f"{up}{secret[1:]}".replace("../", "%2e%2e/"),
            f"{up}{secret[1:]}".replace("../", "....//"),
            f"file://{secret}",
            f"{secret}%00.png",
            "/etc/passwd",
            f"{ROOT}/pyproject.toml",
        )
    ]
    try:
        answers = [_get(url, path) for path in paths]
        good = _get(url, "/gradio_api/info")
    finally:
        process.kill()
        process.wait()
    assert good[0] == 200
    for path, (status, body) in zip(paths, answers, strict=True):
        assert b"the-secret" not in body, path
        assert b"root:" not in body, path
        assert b"[build-system]" not in body, path
        assert status != 500, path


def _get(url: str, path: str) -> tuple[int, bytes]:
    """One GET of exactly ``path``: no client library tidies it up."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()
