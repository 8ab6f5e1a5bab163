"""Put the page together and serve it.

A tab is a module with ``ID``, ``TITLE`` and ``build(bench) -> Opening``; add it to ``TABS``. The first tab's worked
example is computed when the page loads, every other one when its tab is first opened.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import gradio as gr

from calm_lab.app import brier_tab, cost_tab, energy_tab, generate_tab, tempering_tab, vectors_tab, views
from calm_lab.app.api import add_endpoints
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.limits import OPEN, SHARED, Limits
from calm_lab.app.look import launch_options
from calm_lab.app.shelf import Shelf
from calm_lab.app.words import say
from calm_lab.errors import InputError

MCP_MISSING = "the Model Context Protocol needs one more package: pip install -c constraints.txt -e '.[mcp]'"
TABS = (vectors_tab, energy_tab, generate_tab, tempering_tab, brier_tab, cost_tab)


def build_app(models: str | Path | None = None, device: str = "auto", limits: Limits = OPEN) -> gr.Blocks:
    """Build the page; no model is loaded before somebody looks at one.

    Args:
        models: a folder of model and run folders to offer beside the bundled models.
        device: where models live: auto, cpu, cuda or mps.
        limits: what one visitor may ask for.

    Returns:
        The Blocks; launch it with ``launch`` below, or with ``look.launch_options()``.

    Raises:
        CheckpointError: if ``models`` is no folder.
        InputError: if the device cannot be used.
    """
    bench = Bench(Shelf(Path(models) if models is not None else None, device), limits)
    with gr.Blocks(title="calm_lab", analytics_enabled=False, fill_width=False) as app:
        views.language_probe()
        views.header()
        opened: list[tuple[gr.Tab, Opening]] = []
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):  # a menu would hide most of them on a phone
            for module in TABS:
                with gr.Tab(say(module.TITLE), id=module.ID, elem_id=f"tab-{module.ID}") as tab:
                    opened.append((tab, module.build(bench)))
        # Behind the tabs: a State among them would count as one, and shift the places of those that follow.
        for number, (tab, opening) in enumerate(opened):
            if number == 0:
                app.load(opening.fill, opening.inputs, opening.outputs, **_quiet(opening))
            else:
                _on_first_visit(tab, opening)
        add_endpoints(bench)
    app.queue(max_size=limits.waiting)
    return app


def _quiet(opening: Opening) -> dict[str, Any]:
    return {"concurrency_id": opening.concurrency, "api_visibility": "private", "show_progress": "hidden"}


def _on_first_visit(tab: gr.Tab, opening: Opening) -> None:
    visited = gr.State(False)

    def fill(seen: bool, *values: Any) -> list[Any]:
        if seen:
            return [True, *(gr.skip() for _ in opening.outputs)]
        filled = opening.fill(*values)
        return [True, *(filled if len(opening.outputs) > 1 else [filled])]

    tab.select(fill, [visited, *opening.inputs], [visited, *opening.outputs], **_quiet(opening))


def launch(
    host: str = "127.0.0.1",
    port: int = 7860,
    models: str | Path | None = None,
    device: str = "auto",
    open_browser: bool = False,
    share_safe: bool = False,
    mcp: bool = False,
    **options: Any,
) -> gr.Blocks:
    """Build the app and serve it until Ctrl-C.

    Args:
        host: address to listen on; the default is seen by this computer only.
        port: port to listen on.
        models: a folder of model and run folders to offer beside the bundled models.
        device: where models live: auto, cpu, cuda or mps.
        open_browser: open a browser window once the app answers.
        share_safe: smaller limits and a bounded queue, for a public host.
        mcp: offer the four endpoints of the API as tools over the Model Context Protocol too.
        **options: more for ``gradio.Blocks.launch``, such as ``prevent_thread_lock``.

    Returns:
        The app; useful with ``prevent_thread_lock``.

    Raises:
        CalmLabError: if the models' folder, the device or the port cannot be used, or ``mcp`` is not installed.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise InputError(MCP_MISSING)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    app = build_app(models, device, SHARED if share_safe else OPEN)
    settings = {
        **launch_options(),
        "server_name": host,
        "server_port": port,
        "inbrowser": open_browser,
        "mcp_server": mcp,
    }
    stay = not options.pop("prevent_thread_lock", False)
    try:
        _, address, _ = app.launch(**{**settings, **options}, prevent_thread_lock=True)
    except OSError as error:
        raise InputError(f"port {port} on {host} cannot be used: choose another, such as {port + 1}") from error
    if stay:
        tools = f", its tools at {address}gradio_api/mcp/" if mcp else ""
        print(f"calm_lab is open at {address}{tools} - Ctrl-C closes it", flush=True)
        app.block_thread()
    return app
