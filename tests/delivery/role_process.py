"""`quash run --role ROLE` with short leases: `python -m tests.delivery.role_process ROLE SECONDS`.

The settings are the environment's. A lease of a destination lasts SECONDS, and all that hangs on it is
shorter in the same measure; so a test can stop a process for longer than its leases without waiting long.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

from bot import app, logs, shards
from bot.alerts import courier, fence, ledger, orders
from bot.feeds import looking
from bot.intake import reading
from bot.settings import load
from db import entries


def shorten(seconds: float) -> None:
    """Make leases and the bounds that belong to them so short."""
    lease, timeout = timedelta(seconds=seconds), seconds * orders.SEND_TIMEOUT / orders.LEASE.total_seconds()
    for module in (orders, ledger, courier):
        module.LEASE = lease  # type: ignore[attr-defined]
        module.SEND_TIMEOUT = timeout  # type: ignore[attr-defined]
    courier.NONCE_WINDOW = lease
    app._TELLING_LASTS = seconds * app._TELLING_LASTS / orders.LEASE.total_seconds()
    looking.LEASE = seconds
    shards.ShardKeeper.__init__.__kwdefaults__["lease"] = lease
    reading.Reader.__init__.__kwdefaults__["lease"] = lease
    entries.claim_new.__kwdefaults__["lease"] = lease


def main() -> None:
    """Run until told to stop."""
    role, seconds = sys.argv[1], float(sys.argv[2])
    shorten(seconds)
    if "unfenced" in sys.argv:  # the defect that a test must find
        fence.check = lambda: None
        courier.Courier._about_to_leave = lambda self, order: None  # type: ignore[method-assign]
    settings = load(os.environ)
    logs.set_up(settings.log_level, settings.log_format)
    asyncio.run(app.run(settings, role=role))


if __name__ == "__main__":
    main()
