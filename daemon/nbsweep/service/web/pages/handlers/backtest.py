"""The page Back-test: policies are pasted or chosen, tried on the recorded past, and the result is shown and saved."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from msgspec import Struct, field

from nbsweep.core.errors import JournalError
from nbsweep.core.ports import Clock
from nbsweep.service.control import Control
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.queries import asked
from nbsweep.service.web.pages.routing import Moved, PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.backtest.form import USUAL, FieldProblem, build_trying, too_much, why_nothing
from nbsweep.service.web.pages.views.backtest.result import build_result
from nbsweep.service.web.trying.port import Answer, Backtester, Mistaken, NoSurvey, Question, TooMuch, Tried, Unreadable
from nbsweep.service.web.trying.results import Result, Results
from nbsweep.settings.fields.units import format_duration, parse_duration, parse_share

PATH = "/backtest"
TITLE = message("Back-test")
RESULT = message("Result of the back-test")
LARGEST_TEXT_BYTES = 65_536
LARGEST_FORM_BYTES = 4 * LARGEST_TEXT_BYTES
"""A form writes each byte of a letter beyond ASCII, and of most signs, as three."""
LONGEST = timedelta(days=3660)
MOST_THRESHOLDS = 6
BUSY_S = 10
FILE = "application/octet-stream"
"""The report is not of our pages' content security policy, so that no browser shows it at an address of this service."""

Value = TypeVar("Value")


class BacktestPage(Struct, frozen=True):
    """Tries policies on the past. Changes nothing; one back-test at a time, because each costs time and memory."""

    control: Control
    clock: Clock
    backtester: Backtester
    results: Results = field(default_factory=Results)

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section(PATH, TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        fields = tuple(USUAL)
        return (
            PageRoute("GET", PATH, self.ask, Needs.READING, query=("from",)),
            PageRoute("POST", PATH, self.start, Needs.READING, fields=fields, largest_form_bytes=LARGEST_FORM_BYTES),
            PageRoute("GET", f"{PATH}/{{result}}", self.show, Needs.READING),
            PageRoute("GET", f"{PATH}/{{result}}/backtest.json", self.json, Needs.READING),
            PageRoute("GET", f"{PATH}/{{result}}/backtest.html", self.report, Needs.READING),
        )

    async def ask(self, visit: Visit) -> Shown:
        """Show the form, with the question of a result if one is named."""
        found = self.results.find(asked(visit, "from"))
        return self._form(typed_of(found.question) if found else USUAL)

    async def start(self, visit: Visit) -> Shown | Moved:
        """Try the policies, and lead to the result, or show the form again.

        Raises:
            JournalError: the journal cannot be read.
        """
        typed = {**dict.fromkeys(USUAL, ""), **visit.form}
        targets = self._targets()
        question, errors = question_of(typed, targets)
        if errors:
            return self._form(typed, HTTPStatus.BAD_REQUEST, errors=errors)
        if self.results.busy:
            busy = message("Another back-test is in progress. Try again in a moment.")
            return self._form(typed, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(BUSY_S)}, notice=busy)
        with self.results.working():
            answer = await self.backtester.answer(question, self.clock.now())
        return self._answered(question, typed, answer)

    async def show(self, visit: Visit) -> Shown:
        """Show a result.

        Raises:
            Refused: it is gone.
        """
        result = self._result(visit)
        return Shown("backtest.html", build_result(result.tried, result.question.policies, visit.request.path), RESULT)

    async def json(self, visit: Visit) -> web.Response:
        """Send a result as JSON.

        Raises:
            Refused: it is gone.
        """
        return _file(self._result(visit).tried.json, "backtest.json", "application/json")

    async def report(self, visit: Visit) -> web.Response:
        """Send a result as one file of HTML.

        Raises:
            Refused: it is gone.
        """
        return _file(self._result(visit).tried.report, "backtest.html", FILE)

    def _answered(self, question: Question, typed: Mapping[str, str], answer: Answer) -> Shown | Moved:
        match answer:
            case Tried():
                key = self.results.keep(Result(question, answer, self.clock.now()))
                return Moved(f"{PATH}/{key}")
            case Mistaken():
                return self._form(typed, HTTPStatus.BAD_REQUEST, mistakes=answer.mistakes)
            case NoSurvey():
                return self._form(typed, notice=why_nothing(answer))
            case TooMuch():
                return self._form(typed, notice=too_much())
            case Unreadable():
                raise JournalError(answer.problem)

    def _form(
        self, typed: Mapping[str, str], status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None, **found: Any
    ) -> Shown:
        return Shown("trying.html", build_trying(typed, self._targets(), **found), TITLE, status, headers or {})

    def _targets(self) -> tuple[str, ...]:
        return tuple(state.name for state in self.control.targets())

    def _result(self, visit: Visit) -> Result:
        result = self.results.find(visit.parts["result"])
        if result is None:
            raise Refused(
                Code.NOT_FOUND, message("this result is no longer kept: only the last results are; run the back-test again")
            )
        return result


def question_of(typed: Mapping[str, str], targets: Sequence[str]) -> tuple[Question, Mapping[str, FieldProblem]]:
    """Return the question of a form, and what is wrong with it by field."""
    errors: dict[str, FieldProblem] = {}

    def read(key: str, parse: Callable[[str], Value], otherwise: Value) -> Value:
        try:
            return parse(typed[key].strip())
        except ValueError as error:
            errors[key] = FieldProblem(message("This cannot be used:"), str(error))
            return otherwise

    if typed["target"] and typed["target"] not in targets:
        errors["target"] = FieldProblem(message("There is no such target."))
    if len(typed["policies"].encode("utf-8", "replace")) > LARGEST_TEXT_BYTES:
        errors["policies"] = FieldProblem(_too_long())
    question = Question(
        policies=typed["policies"] if typed["policies"].strip() else "",
        targets=(typed["target"],) if typed["target"] else tuple(targets),
        since=read("since", _length, LONGEST),
        horizon=read("horizon", _length, LONGEST),
        thresholds=read("thresholds", _thresholds, ()),
        compared=typed["compare"] == "yes",
        max_regret=read("max_regret", lambda text: parse_share(text) if text else None, None),
    )
    return question, errors


def typed_of(question: Question) -> Mapping[str, str]:
    """Return what the form of a question held."""
    return {
        "policies": question.policies,
        "target": question.targets[0] if len(question.targets) == 1 else "",
        "since": format_duration(question.since),
        "horizon": format_duration(question.horizon),
        "thresholds": ", ".join(text for text, _ in question.thresholds),
        "max_regret": "" if question.max_regret is None else f"{float(question.max_regret * Fraction(100)):g}%",
        "compare": "yes" if question.compared else "",
    }


def _too_long() -> Message:
    return message("The text is larger than %(size)s kB.", size=LARGEST_TEXT_BYTES // 1024)


def _length(text: str) -> timedelta:
    length = parse_duration(text)
    if length > LONGEST:
        raise ValueError(f"must be at most {LONGEST.days}d")
    return length


def _thresholds(text: str) -> tuple[tuple[str, timedelta], ...]:
    texts = [part.strip() for part in text.split(",") if part.strip()]
    if len(texts) > MOST_THRESHOLDS:
        raise ValueError(f"must be at most {MOST_THRESHOLDS} idle times")
    return tuple((each, _length(each)) for each in texts)


def _file(content: bytes, name: str, kind: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=gzip.decompress(content), content_type=kind, charset="utf-8", headers=headers)
