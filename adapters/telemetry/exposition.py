"""`/metrics`: what Prometheus reads, in the text format that it asks for."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.telemetry.metrics import Metrics


def metrics_route(metrics: Metrics) -> Route:
    """A route that answers with everything; a function of its own thread, for it takes a while."""

    def read(request: Request) -> Response:
        body, kind = metrics.text(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return Route("/metrics", read, methods=["GET"])
