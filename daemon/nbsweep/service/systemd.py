"""Notifies systemd that the service is ready, alive, reloading or stopping (sd_notify(3))."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

import anyio
from msgspec import Struct

STATE_WAITS_S = 0.1
"""Longest wait for a slow manager to accept a change of state. A keep-alive message is dropped at once."""


class Systemd(Struct, frozen=True):
    """Sends messages to `$NOTIFY_SOCKET`; without that variable nothing is sent."""

    address: str | None
    watchdog_s: float | None
    """Time in seconds after which systemd treats a silent service as dead."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Systemd":
        """Read the variables that systemd sets in the environment."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog_s = int(microseconds) / 1_000_000 if microseconds.isdecimal() and int(microseconds) and mine else None
        return cls(environment.get("NOTIFY_SOCKET") or None, watchdog_s)

    def ready(self) -> None:
        """Send READY: the start is complete."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Send RELOADING: the service reads its configuration again. `ready` ends the reload."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Send STOPPING: the shutdown has begun."""
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Send a keep-alive message at half the interval that systemd requires."""
        while self.watchdog_s is not None:
            self._tell("WATCHDOG=1", waits_s=0)
            await anyio.sleep(self.watchdog_s / 2)

    def _tell(self, words: str, waits_s: float = STATE_WAITS_S) -> None:
        if self.address is None:
            return
        # An @ stands for the zero byte of an abstract socket.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            # The service does not wait for a manager that does not read: the datagram is dropped.
            connection.settimeout(waits_s)
            connection.connect(address)
            connection.sendall(words.encode())
