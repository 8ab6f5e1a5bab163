"""``calm-lab app``: open the browser page. The page itself lives in ``calm_lab/app/``."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Annotated

import tyro

from calm_lab.cli.commands import COMMANDS
from calm_lab.cli.parsing import parse
from calm_lab.errors import InputError


@dataclass(frozen=True)
class AppOptions:
    """Where the app listens and what it shows.

    Attributes:
        host: address to listen on; the default is seen by this computer only.
        port: port to listen on.
        models: a folder of model folders to offer beside the bundled ones.
        device: auto, cpu, cuda or mps.
        open_browser: open a browser window once the app answers.
        share_safe: smaller limits and a bounded queue, for an app that strangers can reach.
        mcp: offer encode, decode, generate and score as tools over the Model Context Protocol too.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    models: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    device: str = "auto"
    open_browser: bool = False
    share_safe: bool = False
    mcp: bool = False


def run(args: list[str]) -> int:
    """Parse the options, check the address, and serve until Ctrl-C."""
    command = COMMANDS["app"]
    options = parse(AppOptions, args, prog="calm-lab app", summary=command.summary, example=command.example)
    check_address(options.host, options.port)

    from calm_lab.app import launch  # gradio takes seconds to import: first see whether the address will do

    launch(
        host=options.host,
        port=options.port,
        models=options.models,
        device=options.device,
        open_browser=options.open_browser,
        share_safe=options.share_safe,
        mcp=options.mcp,
    )
    return 0


def check_address(host: str, port: int) -> None:
    """Say at once when the app could not listen at ``host``:``port``.

    Raises:
        InputError: if the port is out of range or taken, or the host is not an address of this computer.
    """
    if not 1 <= port <= 65535:
        raise InputError(f"port {port} does not exist: choose one from 1 to 65535, such as --port 7860")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"host '{host}' is not known: use 127.0.0.1, or 0.0.0.0 to listen to the network") from error
    except PermissionError as error:
        raise InputError(f"port {port} needs administrator rights here: choose one above 1023") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} on {host} is in use: choose another, such as --port {port + 1}") from error
        raise InputError(f"cannot listen on {host}: use 127.0.0.1, or 0.0.0.0 to listen to the network") from error
