"""Errors at the edge: what calm_lab refuses becomes one line on the page; the unforeseen shows no traceback."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext

from calm_lab.app.refusals import refusal
from calm_lab.errors import CalmLabError

Handler = TypeVar("Handler", bound=Callable[..., Any])
_log = logging.getLogger(__name__)


def told(handler: Handler) -> Handler:
    """Wrap an event handler (a function or a generator): a CalmLabError becomes a message with its text.

    Anything else is logged with its traceback on the server, and the visitor reads one plain line.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                raise _message(error) from None

        return stream  # type: ignore[return-value]

    @functools.wraps(handler)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            raise _message(error) from None

    return call  # type: ignore[return-value]


def _message(error: Exception) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    reason: Exception | str = error
    if not isinstance(error, CalmLabError):
        _log.error("an event handler failed", exc_info=error)
        reason = "something went wrong here; the server's log says what"
    said = refusal(reason)
    text = said.get("chinese", said["message"]) if _reads_chinese() else said["message"]
    return gr.Error(text, duration=10, title="", print_exception=False)


def _reads_chinese() -> bool:
    """Whether the visitor's browser asks for Chinese first, as the page itself decides."""
    request = LocalContext.request.get(None)
    wanted = request.headers.get("accept-language", "") if request is not None else ""
    return bool(wanted.strip().lower().startswith("zh"))
