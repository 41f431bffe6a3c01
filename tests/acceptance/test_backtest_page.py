"""The page Back-test of a real service: policies are tried in a process of their own, which has limits and no secrets."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import anyio
import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, free_port, idle
from nbsweep.bootstrap import backtest_process
from nbsweep.bootstrap.backtest_process import ProcessBacktester
from nbsweep.loading.file import read_settings
from nbsweep.service.web.trying.port import Question, TooMuch, Unreadable
from unit.service.web.pages.trying import CONFIGURATION, in_force

pytestmark = pytest.mark.timeout(120)

NEVER = {"cron": "0 0 1 1 *"}
OLD: list[Json] = [{"name": "old", "match": {"status": "STOPPED", "idle_over": "50d"}}]
PASTED = "policies: [{name: week, match: {status: STOPPED, idle_over: 7d}}]\nbrakes: {max_deletions: null, max_share: null}\n"
FORM: Mapping[str, str] = {
    "since": "10d",
    "horizon": "5d",
    "thresholds": "30d",
    "compare": "yes",
    "max_regret": "",
    "target": "",
}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@contextmanager
def serving(simulate: Simulate, desk: Desk) -> Iterator[str]:
    """Run a service that has recorded one dry run; yield its address."""
    address, cloud = f"127.0.0.1:{free_port()}", simulate([idle("a", days=60), idle("b", days=20), idle("c", days=1)])
    desk.write(cloud, mode="dry-run", policies=OLD, schedule=NEVER, service={"listen": address})
    assert desk.run("run", "--dry-run").code == 0
    with desk.started("serve") as started:
        started.wait_for("service.started")
        yield address
    assert cloud.writes() == []


def sent(address: str, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Send a request as a browser does; return the status, where it leads, and the page."""
    connection = HTTPConnection(address, timeout=90)
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    connection.request(method, path, urlencode(form) if form else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Location", ""), text


def words(page: str) -> str:
    """Return the text of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_pasted_policies_are_tried_on_what_was_recorded(simulate: Simulate, desk: Desk) -> None:
    """The pasted ones delete a and b, the current ones a; nobody can say yet who would have come back."""
    with serving(simulate, desk) as address:
        status, path, _ = sent(address, "POST", "/backtest", {**FORM, "policies": PASTED})
        assert status == 303
        _, _, page = sent(address, "GET", path)
        assert "2 deletions, of which none can be judged." in words(page)
        assert "only by these policies 1 0" in words(page)
        document = json.loads(sent(address, "GET", f"{path}/backtest.json")[2])
        assert [each["id"] for each in document["deletions"]] == ["a", "b"]
        assert document["comparison"]["only_here_ids"] == ["b"]
        assert sent(address, "GET", f"{path}/backtest.html")[2].startswith("<!DOCTYPE html>")
        _, current, _ = sent(address, "POST", "/backtest", {**FORM, "policies": ""})
        assert "1 deletion, which cannot be judged." in words(sent(address, "GET", current)[2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "grows too large"),
        (f"policies: {'[' * 30_000}", "nested too deeply"),
        ("policies: !!python/object/apply:os.system [id]", "has a tag"),
        (
            f"policies: [{{name: '${{HOME}}', match: {{idle_over: 7d}}}}]\n# {'x' * 60_000}",
            "variables are not put into pasted text",
        ),
        ("owners: [{file: /etc/passwd}]", "owners cannot be tried here"),
    ],
)
def test_hostile_text_is_answered_and_the_service_goes_on(simulate: Simulate, desk: Desk, text: str, said: str) -> None:
    """With the mistake; the next visitor is served."""
    with serving(simulate, desk) as address:
        status, _, page = sent(address, "POST", "/backtest", {**FORM, "policies": text})
        assert status == 400
        assert said in words(page)
        assert sent(address, "POST", "/backtest", {**FORM, "policies": "x" * 16_000_000})[0] == 413
        assert sent(address, "POST", "/backtest", {**FORM, "policies": PASTED})[0] == 303


def test_a_back_test_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is killed; the answer says so."""
    monkeypatch.setattr(backtest_process, "TIME_S", 0.05)
    question = Question("", ("research",), timedelta(days=9), timedelta(days=9))
    assert anyio.run(ProcessBacktester(in_force()).answer, question, datetime.now(UTC)) == TooMuch()


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With what is wrong; a file that is no journal stays as it is."""
    file = tmp_path / "journal.db"
    file.write_text("this is no database, and has more than a hundred bytes so that nobody takes it for an empty one" * 3)
    settings = read_settings("nbsweep.yaml", f"{CONFIGURATION}journal: sqlite:///{file}\n", {})
    question = Question("", ("research",), timedelta(days=9), timedelta(days=9))
    assert isinstance(anyio.run(ProcessBacktester(settings).answer, question, datetime.now(UTC)), Unreadable)
