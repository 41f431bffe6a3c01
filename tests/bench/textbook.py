"""The alternative that nbsweep is compared with, as one writes it in an afternoon.

List all pages; then for each notebook, 64 at a time: DELETE, and ask every 5 seconds until it is gone. aiolimiter keeps to
the limit, and a refused call is sent again after a pause that doubles. No second look, no journal.

Prints on stderr how many it has listed, and at the end on stdout, as JSON, when it knew each one to be gone.
"""

import argparse
import asyncio
import hmac
import json
import os
import random
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiolimiter import AsyncLimiter
from yarl import URL

SLOTS = 64
POLL_S = 5.0
PAGE = 50
LONGEST_PAUSE_S = 30.0
ALGORITHM = "SDK-HMAC-SHA256"
GONE = {"ModelArts.6309", "ModelArts.6404"}
OK = 200
NO_CONTENT = 204
BAD_REQUEST = 400
THROTTLED = 429


def signed_headers(method: str, host: str, path: str, query: str) -> dict[str, str]:
    """Sign a request without a body with the keys of the environment."""
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    canonical = "\n".join(
        [method, f"{path}/", query, f"host:{host}\nx-sdk-date:{date}\n", "host;x-sdk-date", sha256(b"").hexdigest()]
    )
    to_sign = f"{ALGORITHM}\n{date}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(os.environ["SECRET_KEY"].encode(), to_sign.encode(), sha256).hexdigest()
    access = os.environ["ACCESS_KEY"]
    return {
        "X-Sdk-Date": date,
        "Authorization": f"{ALGORITHM} Access={access}, SignedHeaders=host;x-sdk-date, Signature={signature}",
    }


class Api:
    """The three calls, each at its limit."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, project: str, rates: Mapping[str, float]) -> None:
        self._session = session
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).netloc
        self._root = f"/v1/{project}/notebooks"
        if "total" in rates:
            together = AsyncLimiter(rates["total"], 1)
            self._limiters = dict.fromkeys(("list", "show", "delete"), together)
        else:
            self._limiters = {kind: AsyncLimiter(rate, 1) for kind, rate in rates.items()}

    async def ids(self) -> list[str]:
        """List all stopped notebooks."""
        found: list[str] = []
        for offset in count(0, PAGE):
            query = urlencode(sorted({"feature": "NOTEBOOK", "limit": str(PAGE), "offset": str(offset)}.items()))
            status, page = await self._call("list", "GET", f"{self._root}/all", query)
            if status != OK:
                raise RuntimeError(f"the listing was answered {status}: {page}")
            found += [row["id"] for row in page["data"] if row["status"] == "STOPPED"]
            if offset + PAGE >= page["total"]:
                return found
        return found

    async def delete(self, notebook_id: str) -> bool:
        """Delete a notebook; tell whether that was accepted."""
        status, _ = await self._call("delete", "DELETE", f"{self._root}/{notebook_id}")
        return status in {OK, NO_CONTENT}

    async def gone(self, notebook_id: str) -> bool:
        """Return whether a notebook is no more."""
        status, answer = await self._call("show", "GET", f"{self._root}/{notebook_id}")
        return status == BAD_REQUEST and answer.get("error_code") in GONE

    async def _call(self, kind: str, method: str, path: str, query: str = "") -> tuple[int, Any]:
        url = URL(f"{self._endpoint}{path}{'?' if query else ''}{query}", encoded=True)
        pause_s = 1.0
        while True:
            async with self._limiters[kind]:
                headers = signed_headers(method, self._host, path, query)
                async with self._session.request(method, url, headers=headers) as response:
                    text = await response.text()
            if response.status != THROTTLED:
                return response.status, json.loads(text or "{}")
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  # jitter is no secret
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def remove(api: Api, slots: asyncio.Semaphore, notebook_id: str, noticed: dict[str, float]) -> None:
    """Bring one notebook to its end."""
    async with slots:
        if not await api.delete(notebook_id):
            return
        while True:
            await asyncio.sleep(POLL_S)
            if await api.gone(notebook_id):
                noticed[notebook_id] = time.time()
                return


async def clean_up(endpoint: str, project: str, rates: Mapping[str, float]) -> dict[str, float]:
    """Delete every stopped notebook; give when each was known to be gone, in epoch seconds."""
    noticed: dict[str, float] = {}
    slots = asyncio.Semaphore(SLOTS)
    async with aiohttp.ClientSession() as session:
        api = Api(session, endpoint, project, rates)
        ids = await api.ids()
        sys.stderr.write(f"listed {len(ids)}\n")
        sys.stderr.flush()
        await asyncio.gather(*(remove(api, slots, notebook_id, noticed) for notebook_id in ids))
    return noticed


def rate(text: str) -> tuple[str, float]:
    """Read `delete=20` as 20 calls a second."""
    kind, _, calls = text.partition("=")
    return kind, float(calls)


def main() -> None:
    """Read the command line, delete, and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--rate", type=rate, action="append", required=True, metavar="KIND=CALLS_A_SECOND")
    wanted = parser.parse_args()
    noticed = asyncio.run(clean_up(wanted.endpoint, wanted.project, dict(wanted.rate)))
    json.dump({"noticed": noticed}, sys.stdout)


if __name__ == "__main__":
    main()
