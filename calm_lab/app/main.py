"""Put the page together and serve it.

A tab is a module with ``ID``, ``TITLE`` and ``build(bench) -> Opening``; add it to ``TABS``. The first tab's worked
example is computed when the page loads, every other one when its tab is first opened. The page's address may name a tab
and what to set in it (``calm_lab.app.links``).
"""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from calm_lab.app import (
    brier_tab,
    cost_tab,
    energy_tab,
    generate_tab,
    links,
    map_tab,
    noise_tab,
    tempering_tab,
    tour_tab,
    vectors_tab,
    views,
)
from calm_lab.app.api import add_endpoints
from calm_lab.app.bench import Bench, Opening
from calm_lab.app.door import Door
from calm_lab.app.limits import OPEN, SHARED, Limits
from calm_lab.app.look import launch_options
from calm_lab.app.shelf import Shelf
from calm_lab.app.words import say
from calm_lab.errors import InputError

MCP_MISSING = "the Model Context Protocol needs one more package: pip install -c constraints.txt -e '.[mcp]'"
TABS = (tour_tab, vectors_tab, map_tab, noise_tab, energy_tab, generate_tab, tempering_tab, brier_tab, cost_tab)


def build_app(models: str | Path | None = None, device: str = "auto", limits: Limits = OPEN) -> gr.Blocks:
    """Build the page; no model is loaded before somebody looks at one.

    Args:
        models: a folder of model and run folders to offer beside the bundled models.
        device: where models live: auto, cpu, cuda or mps.
        limits: what one visitor may ask for.

    Returns:
        The Blocks; ``launch`` below serves it, behind ``calm_lab.app.door``.

    Raises:
        CheckpointError: if ``models`` is no folder.
        InputError: if the device cannot be used.
    """
    bench = Bench(Shelf(Path(models) if models is not None else None, device), limits)
    with gr.Blocks(title="calm_lab", analytics_enabled=False, fill_width=False) as app:
        views.language_probe()
        views.header()
        notice = links.notice()
        opened: list[tuple[gr.Tab, Opening]] = []
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:  # a menu would hide most of them on a phone
            for module in TABS:
                with gr.Tab(say(module.TITLE), id=module.ID, elem_id=f"tab-{module.ID}") as tab:
                    opening = module.build(bench)
                    if opening.fields:
                        links.bar(module.ID, opening.fields)
                    opened.append((tab, opening))
        # Behind the tabs: a State among them would count as one, and shift the places of those that follow.
        fields = {module.ID: opening.fields for module, (_, opening) in zip(TABS, opened, strict=True)}
        asked = gr.State({})  # what the page's address asks for
        elsewhere = gr.State(False)  # whether that is another tab than the first
        restoring = _restore(app, fields, tabs, notice, asked, elsewhere)
        for module, (tab, opening) in zip(TABS, opened, strict=True):
            first = module is TABS[0]
            visited = gr.State(first)  # gradio selects the first tab whatever the address says: it waits for that
            _on_visit(tab.select, module.ID, opening, visited, visited, asked)
            if first:
                _on_visit(restoring.then, module.ID, opening, elsewhere, visited, asked)
        add_endpoints(bench)
    app.queue(max_size=limits.waiting)
    return app


def _quiet(opening: Opening) -> dict[str, Any]:
    return {"concurrency_id": opening.concurrency, "api_visibility": "private", "show_progress": "hidden"}


def _restore(
    app: gr.Blocks,
    fields: dict[str, Sequence[links.Field]],
    tabs: gr.Tabs,
    notice: gr.HTML,
    asked: gr.State,
    elsewhere: gr.State,
) -> Any:
    """When the page loads, open the tab that its address names, and keep what it asks for until that tab is there.

    The fields are set by the tab's first visit: a drawing that is set before it is on the page loses its properties.
    """

    def restore(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        found = links.restored(query, fields)
        select = gr.Tabs(selected=found.tab) if found.tab else gr.skip()
        return [select, links.said(found), query, found.tab is not None and found.tab != TABS[0].ID]

    outputs = [tabs, notice, asked, elsewhere]
    return app.load(restore, None, outputs, api_visibility="private", show_progress="hidden")


def _on_visit(event: Any, name: str, opening: Opening, skip: gr.State, visited: gr.State, asked: gr.State) -> None:
    """On ``event`` set what the page's address asks of a tab and fill it, unless ``skip`` says not to."""
    filled = {component._id for component in opening.outputs}
    settable = list({one.component._id: one.component for one in opening.fields}.values())
    settable = [component for component in settable if component._id not in filled]

    def fill(seen: bool, query: dict[str, str], *values: Any) -> Iterator[list[Any]]:
        if seen:
            yield [skip is visited, *(gr.skip() for _ in (*settable, *opening.outputs))]
            return
        asked_here = isinstance(query, dict) and query.get(links.PAGE) == name
        found = links.restored(query, {name: opening.fields}) if asked_here else links.Restored()
        wanted = {component._id: value for component, value in found.values}
        values = tuple(wanted.get(one._id, value) for one, value in zip(opening.inputs, values, strict=True))
        state = [True, *(wanted.get(component._id, gr.skip()) for component in settable)]
        several = inspect.isgeneratorfunction(opening.fill)
        for drawn in opening.fill(*values) if several else [opening.fill(*values)]:
            yield [*state, *(drawn if len(opening.outputs) > 1 else [drawn])]
            state = [gr.skip() for _ in state]

    event(fill, [skip, asked, *opening.inputs], [visited, *settable, *opening.outputs], **_quiet(opening))


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
    limits = SHARED if share_safe else OPEN
    app = build_app(models, device, limits)
    settings = {
        **launch_options(),
        "server_name": host,
        "server_port": port,
        "inbrowser": open_browser,
        "mcp_server": mcp,
        "app_kwargs": {"middleware": [Middleware(Door, most=limits.request_bytes)]},
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
