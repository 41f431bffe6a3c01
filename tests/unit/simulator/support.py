"""What the simulator's tests share: a virtual clock, and a caller that signs its requests."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from nbsweep.simulator import (
    AccessKey,
    FleetOptions,
    NotebookSpec,
    RunningSimulator,
    SimulatorOptions,
    TimingOptions,
    running_simulator,
)
from nbsweep.simulator.api.signature import ALGORITHM, SignedRequest, canonical_request, sign

START_S = 1_800_000_000.0
START_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
#: The key that the options know by default.
SWEEPER = AccessKey()
PROJECT = "0123456789abcdef0123456789abcdef"

#: Deletions of exactly five seconds.
STEADY = TimingOptions(deletion_median_s=5, deletion_spread=0)


class VirtualTime:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        """Return the time, as `time.time` would."""
        return self.now_s


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The error code."""
        return str(self.json["error_code"])

    @property
    def names(self) -> list[str]:
        """The names of the rows of a list."""
        return [row["name"] for row in self.json["data"]]


class Desk:
    """One caller of one simulated cloud."""

    def __init__(self, simulator: RunningSimulator, session: aiohttp.ClientSession, time: VirtualTime) -> None:
        self.simulator = simulator
        self.time = time
        #: How far the caller's own clock is off.
        self.skew_s = 0.0
        self._session = session

    async def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        key: AccessKey | None = SWEEPER,
    ) -> Reply:
        """Send a request, signed with `key` unless that is None."""
        target = quote(path) + (f"?{urlencode(parameters, quote_via=quote)}" if parameters else "")
        content = b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent |= self.signed(method, target, content, sent, key)
        url = URL(self.simulator.url + target, encoded=True)
        async with self._session.request(method, url, data=content or None, headers=sent) as response:
            return Reply(response.status, response.headers, await response.text())

    def signed(self, method: str, target: str, body: bytes, headers: Mapping[str, str], key: AccessKey) -> dict[str, str]:
        """Return the headers that sign a request."""
        date = datetime.fromtimestamp(self.time.now_s + self.skew_s, UTC).strftime("%Y%m%dT%H%M%SZ")
        added = {"Host": self.simulator.url.removeprefix("http://"), "X-Sdk-Date": date}
        if key.security_token:
            added["X-Security-Token"] = key.security_token
        covered = {**headers, **added}
        names = tuple(sorted(name.lower() for name in covered))
        canonical = canonical_request(SignedRequest(method, target, covered, body), names)
        signature = sign(canonical, date, key.secret_key)
        credential = f"Access={key.access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
        return {**added, "Authorization": f"{ALGORITHM} {credential}"}

    async def notebooks(self, path: str = "/all", **parameters: Any) -> Reply:
        """List notebooks."""
        return await self.call("GET", f"/v1/{PROJECT}/notebooks{path}", parameters)

    async def show(self, notebook_id: str) -> Reply:
        """Ask for one notebook."""
        return await self.notebooks(f"/{notebook_id}")

    async def status(self, notebook_id: str) -> str:
        """Ask for one notebook's status."""
        return str((await self.show(notebook_id)).json["status"])

    async def delete(self, notebook_id: str) -> Reply:
        """Delete a notebook."""
        return await self.call("DELETE", f"/v1/{PROJECT}/notebooks/{notebook_id}")

    async def post(self, notebook_id: str, verb: str, **parameters: Any) -> Reply:
        """Start or stop a notebook."""
        return await self.call("POST", f"/v1/{PROJECT}/notebooks/{notebook_id}/{verb}", parameters)

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Use the simulator's own interface."""
        path, _, query = path.partition("?")
        parameters = dict(pair.split("=") for pair in query.split("&")) if query else None
        return (await self.call(method, f"/_simulator/{path}", parameters, body=body, key=None)).json

    async def truth(self, notebook_id: str) -> Any:
        """Ask what is true of one notebook."""
        return (await self.admin("GET", f"instances?id={notebook_id}"))[0]


@asynccontextmanager
async def simulated(*notebooks: NotebookSpec, **groups: Any) -> AsyncIterator[Desk]:
    """Run a cloud with exactly these notebooks, in virtual time; `groups` are groups of the options."""
    groups.setdefault("fleet", FleetOptions(notebooks=0, instances=notebooks))
    groups.setdefault("timing", STEADY)
    time = VirtualTime()
    async with (
        running_simulator(SimulatorOptions(**groups), time_source=time) as simulator,
        aiohttp.ClientSession(middlewares=(_send_once,)) as session,
    ):
        yield Desk(simulator, session, time)


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        # On these two aiohttp itself repeats GET and DELETE, and a reset would go unseen.
        raise aiohttp.ClientConnectionError(str(error)) from error


def notebook(name: str = "nb", **fields: Any) -> NotebookSpec:
    """Describe a notebook whose id is its name."""
    return NotebookSpec(id=name, name=name, **fields)
