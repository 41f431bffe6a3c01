"""The gateway between client and cloud: latency, throttling, tokens, and the faults of calls."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

from simulation.cloud import Cloud, refusal
from simulation.faults import BEFORE, FaultInjector, Limit
from simulation.history import Call
from simulation.wire import Answer, Connection, Request


class Observer(Protocol):
    """Is told of the client's calls."""

    def begun(self, at_s: float, life: int, kind: str, subject: str) -> None:
        """Record that a call begins; its bytes are sent once there is a connection."""
        ...

    def left(self, call: Call) -> None:
        """Record that the call's bytes are sent."""
        ...

    def heard(self, call: Call, answer: Answer) -> None:
        """Record that the call's answer has arrived."""
        ...


LANES = {"workspaces": "list", "list": "list", "show": "show", "delete": "delete", "stop": "delete"}


@dataclass(slots=True)
class Gateway:
    """The gateway of one process; the next process has another one to the same cloud."""

    life: int
    cloud: Cloud
    faults: FaultInjector
    throttle: "Throttle"
    tokens: "Tokens"
    observer: Observer
    undated: bool = False
    """Whether no answer has a Date, until all is calm."""
    cut: bool = False
    """Whether the process of the client is killed."""
    _begun: dict[tuple[str, str], float] = field(default_factory=dict)

    # ---- the client's server

    def begin(self, method: str, path: str) -> None:
        """Record that a call begins."""
        now_s = _loop().time()
        self._begun[method, path] = now_s
        kind, subject = _subject(method, path)
        if not self.cut and kind in LANES:
            self.observer.begun(now_s, self.life, kind, subject)

    def connects_in_s(self) -> float | None:
        """Return the time of a connect, or None to refuse it."""
        if self.cut:
            return None
        if self.faults.random.random() < self.faults.network.refuses:
            self.faults.count("no connection")
            return None
        return self.faults.network.connect_s

    def leave(self, request: Request, connection: Connection) -> None:
        """Receive a request of the client."""
        if self.cut:
            return
        kind, subject = _subject(request.method, request.path)
        if kind == "list":
            subject = f"{request.query.get('workspace_id')}/{request.query.get('offset')}/{request.query.get('status', '')}"
        calls = self.cloud.history.calls
        begun_s = self._begun[request.method, request.path]
        call = Call(len(calls) + 1, self.life, begun_s, _loop().time(), request.method, kind, subject)
        calls.append(call)
        self.observer.left(call)
        _later(self.faults.latency_s(), lambda: self._arrive(call, request, connection))

    # ---- the cloud's side

    def _arrive(self, call: Call, request: Request, connection: Connection) -> None:
        call.arrived_s = _loop().time()
        refused = self._refused(call, request)
        if refused:
            return self._answer(call, refused, connection)
        fault = self.faults.draw_fault(call.kind)
        if fault:
            call.notes.append(fault)
            self.faults.count(fault)
        if fault == "late":
            _later(self.faults.network.late_s, lambda: self._work(call, request))
            return None
        answer = self.faults.error() if fault in BEFORE else self._ending(fault) or self._work(call, request)
        return self._send(call, fault, answer, connection)

    def _send(self, call: Call, fault: str, answer: Answer, connection: Connection) -> None:
        """Send the answer, or apply the fault."""
        match fault:
            case "reset-before" | "reset-after":
                _later(self.faults.latency_s(), connection.reset)
            case "hang" | "lost":
                pass
            case "error-after":
                self._answer(call, self.faults.error(), connection)
            case "garbage":
                self._answer(call, self.faults.garbage(), connection)
            case _:
                self._answer(call, answer, connection)

    def _ending(self, fault: str) -> Answer | None:
        if fault == "wrong-address":
            return refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
        if fault == "unauthorized":
            return refusal(401, "APIGW.0301", "Incorrect IAM authentication information")
        return None

    def _refused(self, call: Call, request: Request) -> Answer | None:
        """Return the refusal of a call that is too fast or has an expired token."""
        if call.kind == "token":
            return None
        if not self.tokens.good(request.headers.get("x-auth-token")):
            self.faults.count("token expired")
            call.notes.append("token expired")
            return refusal(401, "APIGW.0307", "The token must be updated.")
        return self.throttle.refusal(LANES[call.kind], call, self.faults)

    def _work(self, call: Call, request: Request) -> Answer:
        match call.kind:
            case "token":
                return self.tokens.issue(datetime.fromtimestamp(int(self.cloud.now_ms) / 1000, UTC))
            case "workspaces":
                return self.cloud.workspaces_answer()
            case "list":
                return self.cloud.list_answer(request.query, everybodys=request.path.endswith("/all"))
            case "show":
                return self.cloud.show_answer(call.subject)
            case "delete":
                return self.cloud.delete_answer(call.subject, call)
            case _:
                return self.cloud.stop_answer(call.subject, call)

    def _answer(self, call: Call, answer: Answer, connection: Connection) -> None:
        call.status = answer.status
        closes = self.faults.random.random() < self.faults.network.closes
        moment = datetime.fromtimestamp(int(self.cloud.now_ms) / 1000, UTC)
        headers = {
            **answer.headers,
            **({} if self.undated and not self.cloud.calm else {"Date": format_datetime(moment, usegmt=True)}),
            "X-Request-Id": f"request-{call.number}",
            **({"Connection": "close"} if closes else {}),
        }

        def deliver() -> None:
            if not self.cut and not connection.is_closing():
                call.heard_s = _loop().time()
                self.observer.heard(call, answer)
                connection.answer(Answer(answer.status, answer.body, headers))

        _later(self.faults.latency_s(), deliver)


@dataclass(slots=True)
class Throttle:
    """The gateway's limiter: sliding windows over the arrivals of each API and of all together."""

    _arrived: dict[str, deque[float]] = field(default_factory=dict)

    def refusal(self, lane: str, call: Call, faults: FaultInjector) -> Answer | None:
        """Count a call, or return its refusal."""
        now_s, network = _loop().time(), faults.network
        limits = [(name, limit) for name, limit in network.limits if name in (lane, "total")]
        broken = [(name, limit) for name, limit in limits if self._full(name, limit, now_s)]
        if not broken or network.refused_count:
            for name, _ in limits:
                self._arrived.setdefault(name, deque()).append(now_s)
        if not broken:
            return None
        name, limit = broken[0]
        faults.count("429 of all" if name == "total" else "429 of one")
        policy = "user" if name == "total" else "api"
        words = f": policy {policy} over ratelimit,{limit.words}" if network.names_limits else ""
        headers = {"Retry-After": str(network.retry_after_s)} if network.retry_after_s is not None else {}
        call.notes.append(f"429 of {name}{words}")
        return refusal(429, "APIGW.0308", f"The throttling threshold has been reached{words}", **headers)

    def _full(self, name: str, limit: Limit, now_s: float) -> bool:
        arrived = self._arrived.setdefault(name, deque())
        while arrived and arrived[0] <= now_s - limit.period_s:
            arrived.popleft()
        return len(arrived) >= limit.calls


@dataclass(slots=True)
class Tokens:
    """IAM: issues tokens that expire, sometimes early."""

    life_s: float | None
    issued: int = 0
    _ends_s: dict[str, float] = field(default_factory=dict)

    def issue(self, now: datetime) -> Answer:
        """Issue a token by the cloud's clock; earlier tokens stay valid."""
        self.issued += 1
        name, life_s = f"token-{self.issued}", self.life_s or 0.0
        self._ends_s[name] = _loop().time() + life_s
        token = {"issued_at": now.isoformat(), "expires_at": (now + timedelta(seconds=life_s)).isoformat()}
        return Answer(201, json.dumps({"token": token}).encode(), {"X-Subject-Token": name})

    def good(self, name: str | None) -> bool:
        """Return whether a token is valid; keys always are."""
        return self.life_s is None or self._ends_s.get(name or "", 0.0) > _loop().time()

    def revoke(self) -> None:
        """Revoke all tokens."""
        self._ends_s.clear()


def _subject(method: str, path: str) -> tuple[str, str]:
    """Return a call's kind and subject."""
    if path.endswith("/auth/tokens"):
        return "token", ""
    parts = path.split("/")[3:]
    match method, parts:
        case "GET", ["workspaces"]:
            return "workspaces", ""
        case "GET", ["notebooks"] | ["notebooks", "all"]:
            return "list", ""
        case "GET", ["notebooks", notebook_id]:
            return "show", notebook_id
        case "DELETE", ["notebooks", notebook_id]:
            return "delete", notebook_id
        case "POST", ["notebooks", notebook_id, "stop"]:
            return "stop", notebook_id
        case _:
            raise ValueError(f"no such call: {method} {path}")


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _later(seconds: float, act: Callable[[], object]) -> None:
    _loop().call_later(seconds, act)
