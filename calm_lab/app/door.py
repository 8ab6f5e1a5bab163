"""The door of the app: of the many routes that gradio opens, those that this page and its API use, and no others.

Why: gradio's routes also take uploads of any size, fetch addresses that a visitor names, write links to disk and resize
icons to any width. Nothing here needs them: files are read in the browser, and drawings ask by ``component_server``.
"""

from __future__ import annotations

import logging
import re

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGE = (
    r"|config|assets/.*|static/.*|svelte/.*|theme\.css|robots\.txt|favicon\.ico|manifest\.json|pwa_icon(/(192|512))?"
)
_API = (
    r"info|openapi\.json|app_id|login_check|user|token|startup-events|theme\.css|component_server|reset|cancel"
    r"|heartbeat/[^/]+|queue/(join|data|status)|(call|call/v2|run|api)/[^/]+(/[^/]+)?|mcp(/.*)?"
)
OPEN = re.compile(rf"/({_PAGE}|gradio_api/({_API}))/?")
"""Paths that are let in. ``mcp`` leads nowhere unless the app was started with it."""
CLOSED = "calm_lab does not offer this; it takes no uploads and gives out no files"
FAILED = "something went wrong here; the server's log says what"
_log = logging.getLogger(__name__)


class Door:
    """ASGI middleware: 404 for closed routes, 413 for a body over ``most`` bytes, before anything of it is kept.

    Args:
        app: what lies behind.
        most: bytes that one request may send.
    """

    def __init__(self, app: ASGIApp, most: int):
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not OPEN.fullmatch(scope["path"].removeprefix(scope.get("root_path", ""))):
            await JSONResponse({"detail": CLOSED}, 404)(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > self.most:
            await self._refuse(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await self._refuse(scope, receive, send)
            return

        given = begun = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, again, noticed)
        except Exception as error:  # a call that no page would send: gradio trusts its form
            _log.error("a request failed", exc_info=error)
            if not begun:
                await JSONResponse({"detail": FAILED}, 500)(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body, since gradio parses none before it is whole; None once it is too long."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":  # the visitor left
                return b"".join(parts)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.most:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a request may send at most {self.most:,} bytes"
        await JSONResponse({"detail": detail}, 413)(scope, receive, send)
