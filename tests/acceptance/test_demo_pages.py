"""`demo --serve`: the pages of the service on a simulated cloud with a past."""

import re
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from acceptance.support import PATIENCE_S, Desk, Started, eventually

pytestmark = pytest.mark.timeout(240)
READY = "get from now on"
LEAST_BYTES = 2600
"""More than the frame of a page."""


@pytest.fixture
def demo(desk: Desk, tmp_path: Path) -> Iterator[Started]:
    """Start the demo, and wait until it shows its addresses."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    desk.names_config, desk.alone = False, True
    desk.environment |= {"TMPDIR": str(scratch)}
    with desk.started("demo", "--serve", "--seed", "3") as started:
        eventually(lambda: READY in started.out.decode() or started.process.poll() is not None, "the addresses", 120)
        yield started


def addresses(demo: Started) -> list[str]:
    """Return the addresses of the pages, of the pages of an owner, and of the messages."""
    found = re.findall(r"http://127\.0\.0\.1:\d+", demo.out.decode())
    assert len(found) == 3, demo.err.decode()
    return found


def read(url: str) -> str:
    """Read a page as a browser does; any other status than 200 fails."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    try:
        connection.request("GET", parts.path, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        page = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, url
    return page


def test_every_page_shows_the_past_and_nothing_stays_behind(demo: Started, desk: Desk, tmp_path: Path) -> None:
    """Each page of the navigation answers with content, Ctrl-C ends it with 0, and no file is left."""
    pages, owners, messages = addresses(demo)
    front = read(f"{pages}/")
    links = set(re.findall(r'<a href="(/[a-z]*)"', front))
    assert links >= {"/", "/plan", "/marks", "/exemptions", "/history", "/audit"}
    # Only an owner has notebooks of their own.
    for link in sorted(links - {"/mine"}):
        assert len(read(f"{pages}{link}")) > LEAST_BYTES, link
    owner = re.search(r"the notebooks of (\S+):", demo.out.decode())
    assert owner
    assert owner[1] in read(f"{owners}/mine")
    assert "mei.wang (page)" in read(f"{pages}/plan")
    assert owner[1] in read(f"{pages}/marks")
    assert "Ending within a week" in read(f"{pages}/exemptions")
    assert "since the start" in read(f"{messages}/") or "Subject:" in read(f"{messages}/")
    demo.signal(signal.SIGINT)
    ended = demo.ended(60)
    assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err
    # The folder of the locks of journals stays, and is empty.
    assert [each for each in (tmp_path / "scratch").rglob("*") if each.is_file()] == []
    assert list(desk.home.rglob("*")) == []


def test_the_demo_reads_no_configuration_of_the_user(desk: Desk) -> None:
    """An option that names one is refused, and with it the demo of anything real."""
    desk.config.write_text("mode: enforce", encoding="utf-8")
    ended = desk.run("demo", "--serve", "--config", str(desk.config))
    assert ended.code == 2
