"""A service with a past, as the pages show it: most names, tags and owners in it are somebody's attempt to break a page."""

import json
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from acceptance.support import Cloud, Desk, Json, Started, cloud_options, free_port, idle, running_cloud, target
from acceptance.told import LINK, channels, people

TOKENS: Mapping[str, str] = {role: f"token-of-the-{role}" for role in ("viewer", "approver", "admin")}
OWNER = "wei.chen"
"""An owner whom the directory knows, and who comes through a proxy."""
PROXY_SECRET = "the-secret-of-the-proxy"
PROXY_HEADERS: Mapping[str, str] = {
    "X-Auth-Request-User": OWNER,
    "X-Auth-Request-Email": f"{OWNER}@example.com",
    "X-Auth-Request-Groups": "",
    "X-Nbsweep-Proxy-Secret": PROXY_SECRET,
}
PATIENCE_S = 300.0
"""How long an answer may take; a survey of a large fleet takes its time."""
NEVER = {"cron": "0 0 1 1 *"}
ZONE = "Asia/Shanghai"
HOSTILE: Mapping[str, str] = {
    "markup": '<b id=injected>bold</b>&lt;&amp;"quoted"\'',
    "script": "<script>window.hit = 1</script>",
    "handler": '"\'><img src=x onerror="window.hit = 1">',
    "breaking-out": "</td></table></main></script><script>window.hit = 1</script>",
    "template": "{{ 7 * 7 }}{% raw %}%(count)s%s${7*7}",
    "right-to-left": "\u202efdp.\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627",
    "address": "javascript:window.hit=1//?a=b&c=d#e",
    "long": "x" * 3000,
    "long-chinese": "\u957f" * 3000,
    "blank": " \n\t ",
}
"""Texts of other people: kind to text."""
TELLTALE = "<b id=injected>"
"""A part of a hostile text that a page shows as it is, wherever it shows a name."""
DIGEST = re.compile(r'name="digest" value="([^"]+)"')
ORDINARY = 8
"""Notebooks with ordinary names in each group."""
FREE = "brakes: {max_deletions: null, max_share: null, max_fleet_drop: null}\n"
GRACE = {"for": "7d", "surveys": 1}


@dataclass
class World:
    """A service that runs, and the cloud that it works on."""

    url: str
    desk: Desk
    cloud: Cloud
    started: Started
    parts: Mapping[str, str] = field(default_factory=dict)
    """What may stand in the addresses of pages, by the name in braces."""
    used_link: str = ""
    """The path of a one-time link with which its owner has kept a notebook."""
    open_links: Sequence[str] = ()
    """The paths of one-time links that nobody has used, each of a notebook with another text as its name."""


def group(prefix: str, **more: Any) -> list[Json]:
    """Describe a group of notebooks; every second one is a trap."""
    plain = [idle(f"{prefix}-{number:02d}", days=200 - number / 24, owner=OWNER, **more) for number in range(ORDINARY)]
    traps = [
        idle(f"{prefix}-{kind}", days=200 - place / 10, **more)
        | {"name": text, "owner": text, "tags": {text[:100]: text[:200]}, "description": text, "fail_reason": text}
        for place, (kind, text) in enumerate(HOSTILE.items())
    ]
    return [*traps, *plain]


def owned() -> list[Json]:
    """Describe notebooks with such names, of an owner who is known."""
    return [idle(f"owned-{kind}", owner=OWNER) | {"name": text} for kind, text in HOSTILE.items()]


def fleet() -> list[Json]:
    """Describe notebooks that are deleted, that cannot be deleted, that are announced, and that are kept."""
    kept = [row | {"status": "RUNNING"} for row in group("kept")]
    announced = [row | {"status": "ERROR"} for row in [*group("announced"), *owned()]]
    return [*group("deleted"), *group("failing"), *announced, *kept]


def link_key(folder: Path) -> str:
    """Write the key of one-time links; return its path."""
    path = folder / "link_key"
    path.write_text("a-key-that-nobody-else-could-ever-guess-in-time")
    path.chmod(0o600)
    return str(path)


def access(folder: Path) -> Json:
    """Write a token for each role, and the secret of a proxy; return the part of the configuration."""
    for name, secret in {**TOKENS, "proxy": PROXY_SECRET}.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    tokens = [{"file": str(folder / role), "role": role, "name": f"{role}-wei"} for role in TOKENS]
    return {"api_tokens": tokens, "trusted_proxies": ["127.0.0.1"], "proxy_secret_file": str(folder / "proxy")}


def configure(desk: Desk, cloud: Cloud, address: str, **more: Any) -> None:
    """Write the configuration of a service at an address."""
    idle_ones = {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}
    broken = {"name": "broken", "match": {"status": ["ERROR"], "idle_over": "14d"}, "grace": GRACE}
    groups = {
        "targets": [target(cloud.url), target(cloud.url, name="other", features=["DEFAULT"])],
        "policies": [idle_ones, broken],
        "owners": [{"domain": "example.com"}],
        "schedule": NEVER,
        "calendar": {"timezone": ZONE},
        "exemptions": {"page_url": f"http://{address}", "link_key_file": link_key(desk.folder)},
        "service": {"listen": address, "drain": "5s", **access(desk.folder)},
    }
    desk.write(cloud, **groups | more)


@contextmanager
def serving(desk: Desk, cloud: Cloud, address: str) -> Iterator[World]:
    """Run the service."""
    with desk.started("serve") as started:
        started.wait_for("service.started")
        yield World(f"http://{address}", desk, cloud, started)
        started.signal(signal.SIGTERM)


@contextmanager
def empty_world(folder: Path, notebooks: Sequence[Json] = (), **options: Json) -> Iterator[World]:
    """Run a service that has not done anything yet."""
    desk, address = Desk(folder), f"127.0.0.1:{free_port()}"
    with running_cloud(cloud_options(notebooks, **options)) as cloud, people(folder) as told:
        configure(desk, cloud, address, channels=channels(folder, told))
        with serving(desk, cloud, address) as world:
            yield world


@contextmanager
def filled_world(folder: Path) -> Iterator[World]:
    """Run a service that has swept, announced, exempted and paused."""
    desk, address = Desk(folder), f"127.0.0.1:{free_port()}"
    failing = [
        {
            "fault": "delete_failed",
            "kind": "delete",
            "notebook_id": row["id"],
            "fail_reason": row.get("fail_reason") or "The disk is busy.",
        }
        for row in group("failing")
    ]
    with running_cloud(cloud_options(fleet(), faults={"script": failing})) as cloud, people(folder) as told:
        configure(desk, cloud, address, channels=channels(folder, told))
        run_id = live(desk)
        used, *unused = (urlsplit(each).path for mail in told.new_mails() for each in LINK.findall(mail.text()))
        for row in group("planned"):
            cloud.create(row)
        with serving(desk, cloud, address) as world:
            world.parts = {
                "run_id": run_id,
                "target": "lab",
                "plan_id": plan(address),
                "notebook_id": "announced-markup",
                "result": tried(address),
            }
            world.used_link, world.open_links = used, unused
            keep(address, used)
            yield world


def live(desk: Desk) -> str:
    """Do what fills the journal; return the id of a run."""
    swept = desk.run("run", "--yes", "--target", "lab", "--format", "json")
    assert swept.code == 3, swept.err
    for kind, text in HOSTILE.items():
        if kind not in ("blank", "right-to-left"):  # the command takes neither
            done(
                desk,
                "exempt",
                "add",
                "--owner",
                f"once {text[:100]}",
                "--until",
                "5d",
                "--reason",
                text[:400],
                "--ticket",
                text[:40],
            )
    done(desk, "exempt", "add", "--name", "exp-*", "--until", "30d", "--reason", "the paper is due")
    granted = json.loads(
        done(desk, "exempt", "add", "--name", "old-*", "--until", "3d", "--reason", "a trial", "--format", "json")
    )
    done(desk, "exempt", "revoke", granted["exemption"]["exemption"])
    done(desk, "pause", "other", "--reason", HOSTILE["markup"])
    return swept.run_id


def done(desk: Desk, *arguments: str) -> str:
    """Run a command that must end well; return what it prints."""
    ended = desk.run(*arguments)
    assert ended.code == 0, f"{arguments}: {ended.err}"
    return ended.out


def plan(address: str) -> str:
    """Have a plan made, approved without one of its notebooks, compared, and made again; return the id of the approved one."""
    sent(address, "POST", "/plan/lab")
    _, page = sent(address, "GET", "/plan/lab")
    sent(address, "POST", "/plan/lab/exclude", digest=digest_of(page), notebook="planned-script")
    _, page = sent(address, "GET", "/plan/lab")
    approved, _ = sent(address, "POST", "/plan/lab/approve", digest=digest_of(page))
    sent(address, "POST", f"{approved}/compare")
    sent(address, "POST", "/plan/lab")
    return approved.rpartition("/")[2]


def keep(address: str, link: str) -> None:
    """Keep a notebook by its one-time link, as its owner does."""
    _, page = sent(address, "POST", link, length="30d", reason=HOSTILE["markup"])
    assert "is kept until" in page, page


def tried(address: str) -> str:
    """Have pasted policies tried on the past, whose name is an attempt, too; return the part of the result's address."""
    name = json.dumps(HOSTILE["markup"])
    text = f"policies: [{{name: {name}, match: {{status: STOPPED, age_over: 1d}}}}]\n{FREE}"
    form = {"policies": text, "since": "90d", "horizon": "30d", "thresholds": "7d", "compare": "yes", "max_regret": "2%"}
    result, page = sent(address, "POST", "/backtest", **form)
    assert result.startswith("/backtest/"), page
    return result.rpartition("/")[2]


def digest_of(page: str) -> str:
    """Return the digest of the plan that a page shows."""
    found = DIGEST.search(page)
    assert found, page
    return found[1]


def sent(address: str, method: str, path: str, **fields: str) -> tuple[str, str]:
    """Send a request of an administrator, which must succeed; return where it leads to, and the page."""
    connection = HTTPConnection(address, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {TOKENS['admin']}"}
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, urlencode(fields) or None, headers)
        response = connection.getresponse()
        page = response.read().decode()
        assert response.status in (200, 303), page[page.find("<h1>") :]
        return response.headers.get("Location", ""), page
    finally:
        connection.close()
