"""The whole HTTP application: bank, rails, bureau, carrier of messages, and the controls."""

from __future__ import annotations

import sys
import traceback

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.bank.api import BankApi
from simulator.bureau import BureauApi
from simulator.control import Control
from simulator.notices import SmsProvider
from simulator.rail.api import RailApi
from simulator.signing import Authenticator
from simulator.world import World


async def own_fault(_: Request, error: Exception) -> Response:
    """Tell a fault of this program from a simulated one: a traceback, and a body that says so."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    return Response("the simulator itself failed\n", 500, media_type="text/plain")


def make_app(world: World) -> Starlette:
    """Return the application over one world."""
    authenticator = Authenticator(world)
    notices = SmsProvider(world, authenticator)
    return Starlette(
        routes=[
            *BankApi(world, authenticator).routes(),
            *BureauApi(world, authenticator).routes(),
            *RailApi(world, authenticator).routes(),
            Route("/sms/v1/messages", notices.post_sms, methods=["POST"]),
            *Control(world).routes(),
        ],
        exception_handlers={Exception: own_fault},
    )
