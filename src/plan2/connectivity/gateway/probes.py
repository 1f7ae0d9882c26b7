"""Probes for supervisors and scrapers: is it alive, is it ready, how is it doing."""

from collections.abc import Callable
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from plan2.foundation.metrics import CONTENT_TYPE

Readiness = Callable[[], tuple[str, ...]]
"""Names of the parts that are not ready; empty when all are."""


class Liveness(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


class Ready(msgspec.Struct, frozen=True):
    """Whether work can be taken; `waiting_for` names parts, never addresses or secrets."""

    status: str
    waiting_for: tuple[str, ...]


WAITING: Final = ResponseSpec(Ready, description="Some part is not ready.", generate_examples=False)


class Probes:
    """`/health/live`, `/health/ready`, `/metrics`."""

    def __init__(self, readiness: Readiness, metrics: Callable[[], bytes]) -> None:
        self._readiness = readiness
        self._metrics = metrics

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/health/live", tags=["probes"])(self.live),
            get("/health/ready", tags=["probes"], responses={503: WAITING})(self.ready),
            get("/metrics", tags=["probes"], media_type="text/plain")(self.metrics),
        ]

    async def live(self) -> Liveness:
        """The process runs and its loop turns."""
        return Liveness()

    async def ready(self) -> Response[Ready]:
        """200 when every part is ready, else 503 naming those that are not."""
        waiting_for = self._readiness()
        status = "waiting" if waiting_for else "ready"
        return Response(Ready(status, waiting_for), status_code=503 if waiting_for else 200)

    async def metrics(self) -> Response[bytes]:
        """All metrics in the Prometheus text format; this machine only."""
        # As a header, because Litestar would add a second charset to a media type.
        return Response(self._metrics(), headers={"content-type": CONTENT_TYPE})
