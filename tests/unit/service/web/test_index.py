from html.parser import HTMLParser

from nbsweep.service.web.operations import OPERATIONS
from unit.service.web.support import Scene


class Links(HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        """Start without links."""
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


async def test_the_first_page_says_what_this_is_and_where_things_are() -> None:
    """Every operation is on it, and each of its links leads somewhere."""
    async with Scene().open() as face:
        async with face.session.get(f"{face.url}/") as response:
            page = await response.text()
            assert (response.status, response.content_type, response.charset) == (200, "text/html", "utf-8")
        assert "deletes forgotten notebooks in Huawei Cloud ModelArts" in page
        assert all(operation.path in page for operation in OPERATIONS)
        links = Links()
        links.feed(page)
        assert links.found == [
            "/",
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/openapi.json",
            "/api/v1/targets",
            "/api/v1/runs",
            "/api/v1/marks",
            "/api/v1/outbox",
            "/api/v1/exemptions",
        ]
        assert [(await face.ask("GET", link))[0] for link in links.found] == [200] * 10


async def test_the_first_page_says_nothing_about_the_targets() -> None:
    """It needs no token anywhere."""
    async with Scene().open() as face:
        assert "research" not in str(await face.ask("GET", "/"))
