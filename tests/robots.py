"""The robots of chats, webhooks and SMN on a loopback HTTP server, which answer as the vendors' do, even with HTTP 200.

What each answer is taken from is in docs/reference/channels.md.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from local_server import local_server

TOKEN = "9f3c7e51a2"
"""A part of each address that nobody may see."""
SECRET = "SEC0a1b2c3d4e"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROJECT = "0123456789abcdef0123456789abcdef"
PATHS: Mapping[str, str] = {
    "dingtalk": f"/robot/send?access_token={TOKEN}",
    "feishu": f"/open-apis/bot/v2/hook/{TOKEN}",
    "wecom": f"/cgi-bin/webhook/send?key={TOKEN}",
    "slack": f"/services/T0001/B0001/{TOKEN}",
    "teams": f"/workflows/{TOKEN}/triggers/manual/paths/invoke?sig={TOKEN}",
    "webhook": f"/hooks/{TOKEN}",
    "smn": f"/v2/{PROJECT}/notifications/topics/urn:smn:cn-north-4:{PROJECT}:operators/publish",
}


class Mood(StrEnum):
    """How a robot answers."""

    ACCEPTS = "accepts"
    """As the vendor does if all is well; a wrong signature is refused."""
    REFUSES = "refuses"
    """This message, for good."""
    IS_THROTTLED = "is throttled"
    REFUSES_ALL = "refuses all"
    """All messages, for good."""
    FAILS = "fails"
    """With HTTP 503."""
    HANGS = "hangs"
    BREAKS_OFF = "breaks off"
    """In the middle of the body."""
    REDIRECTS = "redirects"
    IS_HUGE = "is huge"
    """A body without an end."""
    TALKS_NONSENSE = "talks nonsense"
    """HTTP 200, and the page of a proxy."""


@dataclass(frozen=True)
class Taken:
    """A message that arrived."""

    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)


@dataclass
class Robot:
    """One robot."""

    kind: str
    url: str
    mood: Mood = Mood.ACCEPTS
    secret: str = ""
    """What messages must be signed with; empty for no signature."""
    seen: list[Taken] = field(default_factory=list)
    accepted: list[Taken] = field(default_factory=list)
    now_s: Callable[[], float] = field(default=lambda: 0.0)
    """The time by which signatures are judged; 0 for any time."""


Form = tuple[int, str]
"""Status and body."""

ECHO = f"by access_token={TOKEN} of wei.chen@example.com with SECRET"
"""Others repeat secrets in their answers; the word stands for the secret of the robot."""


def _code(key: str, code: int, text_key: str, text: str) -> Form:
    return 200, json.dumps({key: code, text_key: text})


FORMS: Mapping[str, Mapping[Mood, Form]] = {
    "dingtalk": {
        Mood.ACCEPTS: _code("errcode", 0, "errmsg", "ok"),
        Mood.REFUSES: _code("errcode", 430102, "errmsg", f"message contains inappropriate text {ECHO}"),
        Mood.IS_THROTTLED: _code("errcode", 130101, "errmsg", "send too fast, exceed 20 times per minute"),
        Mood.REFUSES_ALL: _code("errcode", 310000, "errmsg", f"keywords not in content {ECHO}"),
    },
    "feishu": {
        Mood.ACCEPTS: (200, json.dumps({"code": 0, "msg": "success", "data": {}})),
        Mood.REFUSES: _code("code", 9499, "msg", f"Bad Request {ECHO}"),
        Mood.IS_THROTTLED: _code("code", 11232, "msg", "frequency limited"),
        Mood.REFUSES_ALL: _code("code", 19024, "msg", f"Key Words Not Found {ECHO}"),
    },
    "wecom": {
        Mood.ACCEPTS: _code("errcode", 0, "errmsg", "ok"),
        Mood.REFUSES: _code("errcode", 45002, "errmsg", f"content size out of limit {ECHO}"),
        Mood.IS_THROTTLED: _code("errcode", 45009, "errmsg", "api freq out of limit"),
        Mood.REFUSES_ALL: _code("errcode", 93000, "errmsg", f"invalid webhook url {ECHO}"),
    },
    "slack": {
        Mood.ACCEPTS: (200, "ok"),
        Mood.REFUSES: (400, "invalid_payload"),
        Mood.IS_THROTTLED: (429, "rate_limited"),
        Mood.REFUSES_ALL: (404, "no_service"),
    },
    "teams": {
        Mood.ACCEPTS: (202, ""),
        Mood.REFUSES: (400, json.dumps({"error": {"code": "TriggerInputSchemaMismatch", "message": ECHO}})),
        Mood.IS_THROTTLED: (429, ""),
        Mood.REFUSES_ALL: (404, json.dumps({"error": {"code": "WorkflowNotFound", "message": ECHO}})),
    },
    "webhook": {
        Mood.ACCEPTS: (204, ""),
        Mood.REFUSES: (422, f"no such person {ECHO}"),
        Mood.IS_THROTTLED: (429, ""),
        Mood.REFUSES_ALL: (410, f"gone {ECHO}"),
    },
    "smn": {
        Mood.ACCEPTS: (200, json.dumps({"request_id": "9974c07f6d554a6d", "message_id": "bf94b63a5dfb4759"})),
        Mood.REFUSES: (400, json.dumps({"code": "SMN.0003", "message": f"invalid parameter {ECHO}"})),
        Mood.IS_THROTTLED: (429, json.dumps({"error_code": "APIGW.0308", "error_msg": "throttled"})),
        Mood.REFUSES_ALL: (403, json.dumps({"code": "SMN.0005", "message": f"no permission {ECHO}"})),
    },
}
WRONG_SIGNATURE: Mapping[str, Form] = {
    "dingtalk": _code("errcode", 310000, "errmsg", "sign not match"),
    "feishu": _code("code", 19021, "msg", "sign match fail or timestamp is not within one hour from current time"),
    "webhook": (401, "no matching signature"),
}


@dataclass
class Robots:
    """All robots of a server."""

    address: str = ""
    robots: dict[str, Robot] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end of the server, which ends answers that hang."""

    def add(self, kind: str, secret: str = "") -> Robot:
        """Add the robot of a kind."""
        robot = Robot(kind, f"{self.address}{PATHS[kind]}", secret=secret)
        self.robots[PATHS[kind].partition("?")[0]] = robot
        return robot

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as the robot of the address does."""
        robot = self.robots.get(request.path)
        if robot is None:
            return web.Response(status=404, text="no such robot")
        query = {key: values[0] for key, values in parse_qs(request.query_string).items()}
        taken = Taken(query, dict(request.headers), await request.read())
        robot.seen.append(taken)
        if robot.mood in FORMS[robot.kind]:
            return _answer(robot, taken)
        if robot.mood is Mood.HANGS:
            await self.over.wait()
        return await _misbehave(robot, request)


def _answer(robot: Robot, taken: Taken) -> web.Response:
    form = FORMS[robot.kind][robot.mood]
    if robot.mood is Mood.ACCEPTS:
        if robot.secret and not SIGNED[robot.kind](robot, taken):
            form = WRONG_SIGNATURE[robot.kind]
        else:
            robot.accepted.append(taken)
    status, body = form[0], form[1].replace("SECRET", robot.secret)
    headers = {"Retry-After": "7"} if status == 429 else {}
    return web.Response(
        status=status, text=body, headers=headers, content_type="application/json" if "{" in body else "text/plain"
    )


async def _misbehave(robot: Robot, request: web.Request) -> web.StreamResponse:
    echo = ECHO.replace("SECRET", robot.secret)
    match robot.mood:
        case Mood.FAILS:
            return web.Response(status=503, text=f"unavailable {echo}")
        case Mood.REDIRECTS:
            return web.Response(status=302, headers={"Location": robot.url})
        case Mood.TALKS_NONSENSE:
            return web.Response(text=f"<html>sign in {echo}</html>", content_type="text/html")
    response = web.StreamResponse(headers={"Content-Length": str(10**9)})
    await response.prepare(request)
    await response.write(b'{"errcode": 0, "code": 0' + b" " * (10**5 if robot.mood is Mood.IS_HUGE else 1))
    if request.transport is not None:
        request.transport.close()
    return response


def _dingtalk_signed(robot: Robot, taken: Taken) -> bool:
    timestamp = taken.query.get("timestamp", "")
    expected = hmac.new(robot.secret.encode(), f"{timestamp}\n{robot.secret}".encode(), hashlib.sha256).digest()
    return taken.query.get("sign") == base64.b64encode(expected).decode() and _is_recent(robot, timestamp, 1000)


def _feishu_signed(robot: Robot, taken: Taken) -> bool:
    timestamp = str(taken.document.get("timestamp", ""))
    expected = hmac.new(f"{timestamp}\n{robot.secret}".encode(), digestmod=hashlib.sha256).digest()
    return taken.document.get("sign") == base64.b64encode(expected).decode() and _is_recent(robot, timestamp, 1)


def _webhook_signed(robot: Robot, taken: Taken) -> bool:
    try:
        Webhook(robot.secret).verify(taken.body, dict(taken.headers))
    except WebhookVerificationError:
        return False
    return True


def _is_recent(robot: Robot, timestamp: str, units: int) -> bool:
    now_s = robot.now_s()
    return timestamp.isdecimal() and (not now_s or abs(int(timestamp) / units - now_s) < 3600)


SIGNED: Mapping[str, Callable[[Robot, Taken], bool]] = {
    "dingtalk": _dingtalk_signed,
    "feishu": _feishu_signed,
    "webhook": _webhook_signed,
}


@asynccontextmanager
async def robots() -> AsyncIterator[Robots]:
    """Run a server for robots."""
    found = Robots()
    async with local_server(found.handle) as address:
        found.address = address
        try:
            yield found
        finally:
            found.over.set()
