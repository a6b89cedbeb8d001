"""The health endpoint: `/healthz` (the process moves), `/readyz` (it can do its work), `/metrics`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.errors import QuashError
from bot.settings import Address

# What stands in the way of work, in words; empty when the process is ready.
Troubles = Callable[[], Awaitable[tuple[str, ...]]]
# What does not move any more, in words; empty while the process is alive.
Stuck = Callable[[], tuple[str, ...]]
Metrics = Callable[[], Awaitable[Mapping[str, float]]]

_PATIENCE = 0.5  # seconds that requests have to end when the process does: it has ten for everything


class HealthError(QuashError):
    """The health endpoint cannot listen where it should."""


class HealthServer:
    """Serves the three pages while its context lasts, reading nothing of a request but its path.

    `routes` are served beside them.
    """

    def __init__(
        self,
        address: Address,
        troubles: Troubles,
        metrics: Metrics,
        routes: Sequence[web.RouteDef] = (),
        *,
        stuck: Stuck = tuple,
    ) -> None:
        self._address = address
        self._stuck = stuck
        self._troubles = troubles
        self._metrics = metrics
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._show_metrics),
                *routes,
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_PATIENCE)
        self.port = address.port

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise HealthError(
                f"HTTP_ADDR: {self._address.host}:{self._address.port} cannot be listened on "
                f"({error.strerror or error}); name another host or port."
            ) from error
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        stuck = self._stuck()
        if stuck:
            return web.Response(status=503, text="".join(f"{line}\n" for line in stuck))
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        troubles = await self._troubles()
        if troubles:
            return web.Response(status=503, text="".join(f"{line}\n" for line in troubles))
        return web.Response(text="ready\n")

    async def _show_metrics(self, _: web.Request) -> web.Response:
        figures = await self._metrics()
        lines = [f"quash_{name} {value:.15g}" for name, value in sorted(figures.items())]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")
