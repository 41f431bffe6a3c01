"""Makes today's plans on the pages of the demo, and approves one, as an administrator would."""

import re

import aiohttp

from nbsweep.core.errors import NbsweepError
from nbsweep.demo.configuration import ADMIN_TOKEN

DIGEST = re.compile(r'name="digest" value="([^"]+)"')
TARGETS = ("teaching", "research")


async def make_plans(url: str) -> None:
    """Make a plan for each target. Approve the first one with something to delete, and make it anew for somebody to approve.

    Raises:
        NbsweepError: a page refuses.
    """
    approved = False
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Accept": "text/html"}) as session:
        for target in TARGETS:
            page = await _post(session, f"/plan/{target}", {})
            found = DIGEST.search(page)
            if found and not approved:
                await _post(session, f"/plan/{target}/approve", {"digest": found[1]})
                await _post(session, f"/plan/{target}", {})
                approved = True


async def _post(session: aiohttp.ClientSession, path: str, fields: dict[str, str]) -> str:
    """Send a form, and return the page to which it leads."""
    async with session.post(path, data=fields) as answer:
        page = await answer.text()
        if not answer.ok:
            raise NbsweepError(f"the page {path} of the demo answered HTTP {answer.status}")
        return page
