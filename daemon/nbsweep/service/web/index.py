"""The page at `/`: what nbsweep is, and the addresses of its API. It says nothing about the targets, so it needs no token."""

from collections.abc import Iterable, Iterator
from html import escape

from aiohttp import web

from nbsweep.service.web.operations import Operation

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>nbsweep</title>
</head>
<body>
<h1>nbsweep</h1>
<p>This service deletes forgotten notebooks in Huawei Cloud ModelArts, by the policies of its configuration.
The following show what it did and why: the commands <code>nbsweep status</code>, <code>nbsweep history</code>,
<code>nbsweep show</code> and <code>nbsweep explain</code>, and these addresses:</p>
<table>
<thead><tr><th scope="col">address</th><th scope="col">what it gives or does</th></tr></thead>
<tbody>
"""
FOOT = """</tbody>
</table>
<p>A GET only reads, and needs no token on loopback. Elsewhere it needs the header
<code>Authorization: Bearer TOKEN</code> with a token of any role. A POST always needs a token with the role <code>admin</code>.
The tokens are in the files that <code>service.api_token_file</code> and <code>service.api_tokens</code> name.</p>
</body>
</html>
"""


class Index:
    """Handles the request for `/`."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        """Write the page, which lists these operations."""
        self._page = HEAD + "".join(_rows(operations)) + FOOT

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """Return the page."""
        return web.Response(text=self._page, content_type="text/html")


def _rows(operations: Iterable[Operation]) -> Iterator[str]:
    for operation in operations:
        address = escape(operation.path)
        if operation.method == "GET" and "{" not in operation.path:
            address = f'<a href="{address}">{address}</a>'
        yield f"<tr><td><code>{operation.method} {address}</code></td><td>{escape(operation.summary)}</td></tr>\n"
