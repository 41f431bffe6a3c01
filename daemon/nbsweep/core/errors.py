"""Everything that can go wrong, as one tree.

NbsweepError
├── ConfigurationError        the configuration, or the command line, is wrong
├── JournalError              the journal cannot be opened, read or written
├── SweepTimedOut             the sweep took longer than it may
├── HeldElsewhere             another nbsweep is sweeping the target
└── CloudError                the cloud said no, or said nothing
    ├── SweepEnding           nothing more can be done on this account
    │   ├── Unreachable       no connection: name, network, TLS, or the cloud is away
    │   ├── Unauthorized      the credentials are not accepted
    │   ├── Forbidden         the credentials are accepted, the call is not
    │   └── WrongAddress      404 of the gateway: endpoint, region or project is wrong
    ├── Gone                  the notebook does not exist (any more)
    ├── Busy                  another operation is in progress: look again later
    ├── MustStopFirst         a running notebook cannot be deleted
    ├── AlreadyStopped        there is nothing to stop
    ├── AnswerLost            the call may or may not have done its work: look first, never assume
    ├── FactsTooOld           the call was not sent: what it rests on had become too old
    ├── Rejected              refused for good, for this notebook
    │   └── WorkspaceRefused  refused for good, for everything in this workspace
    ├── Unsortable            the listing cannot be sorted by the key that was asked for
    └── MalformedAnswer       an answer that the API should never give

A retry happens in the cloud client and nowhere else, so every `CloudError` that leaves it is final. Messages are sentences for
people: what happened, and what to check. They never hold a token, a key, a signature or a notebook's url.
"""

from typing import TypedDict

from msgspec import Struct


class NbsweepError(Exception):
    """The root of all errors of this program's own."""


class Mistake(Struct, frozen=True):
    """One thing that is wrong in a configuration file."""

    path: str
    """Where, in the file's own terms: ``targets[0].limits.delete``; empty for the file as a whole."""
    line: int | None
    """Counted from 1; None if it belongs to no line."""
    problem: str
    """What is wrong, and what would be right."""

    def __str__(self) -> str:
        """Describe it in one line."""
        place = f"line {self.line}: " if self.line is not None else ""
        return f"{place}{self.path}: {self.problem}" if self.path else f"{place}{self.problem}"


class ConfigurationError(NbsweepError):
    """The configuration is wrong; holds every mistake that was found, not only the first."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        """Take the file's name and all its mistakes."""
        self.source = source
        self.mistakes = mistakes
        super().__init__("\n".join([f"{source} cannot be used:", *(f"  {mistake}" for mistake in mistakes)]))


class JournalError(NbsweepError):
    """The journal cannot be opened, read or written; nothing may be deleted without it."""


class SweepTimedOut(NbsweepError):
    """The sweep took longer than `service.sweep_timeout`; what it had not begun is left to the next one."""


class HeldElsewhere(NbsweepError):
    """Another nbsweep holds the target's lease on the same journal; two never sweep a target at the same time."""


class ResponseDetails(TypedDict):
    """The response behind an error, as the keyword arguments of `CloudError`."""

    code: str
    http_status: int
    request_id: str
    answer: str


class CloudError(NbsweepError):
    """The cloud refused a call or did not answer it."""

    def __init__(
        self,
        problem: str,
        *,
        advice: str = "",
        code: str = "",
        http_status: int = 0,
        request_id: str = "",
        answer: str = "",
    ) -> None:
        """Store the problem, the advice, and the details of the response; `answer` is the text of the response."""
        super().__init__(f"{problem}. {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice
        self.code = code
        self.http_status = http_status
        self.request_id = request_id
        self.answer = answer

    @property
    def details(self) -> ResponseDetails:
        """Return the details of the response, for another error about the same response."""
        return ResponseDetails(code=self.code, http_status=self.http_status, request_id=self.request_id, answer=self.answer)


class SweepEnding(CloudError):
    """Nothing more can be done on this account until somebody has mended something."""


class Unreachable(SweepEnding):
    """The endpoint cannot be reached, or does not answer any more."""


class Unauthorized(SweepEnding):
    """The credentials are not accepted (HTTP 401)."""


class Forbidden(SweepEnding):
    """The credentials are accepted, but the call is not allowed (HTTP 403)."""


class WrongAddress(SweepEnding):
    """The gateway knows no such address (404, APIGW.0101), or IAM no such project: never a sign that a notebook is gone."""


class Gone(CloudError):
    """The notebook does not exist: 400 or 404 with ModelArts.6309 or ModelArts.6404 (ModelArts API, section 2)."""


class Busy(CloudError):
    """Another operation is in progress, or the target state is reached: ModelArts.6306, 6308, 6357. Look again."""


class MustStopFirst(CloudError):
    """A notebook that runs cannot be deleted: ModelArts.6304."""


class AlreadyStopped(CloudError):
    """The notebook is stopped already: ModelArts.6307."""


class AnswerLost(CloudError):
    """A call that changes something was sent, and whether it did its work is unknown."""


class FactsTooOld(CloudError):
    """A DELETE was held back: by the time it could leave, the facts behind it were older than `removal.fresh_for`."""


class Rejected(CloudError):
    """The cloud refused the call for this notebook, and would refuse it again."""


class WorkspaceRefused(Rejected):
    """The caller may see the workspace, and do nothing in it: 403 with ModelArts.0112, 400 with ModelArts.7002 or 7004."""


def is_of_workspace(error: Exception) -> bool:
    """Tell whether the refusal of a listing may be about its workspace alone; one of the gateway is about the whole project."""
    return isinstance(error, Rejected) or (isinstance(error, Forbidden) and not error.code.startswith("APIGW."))


class Unsortable(CloudError):
    """The listing takes no such sort key: ModelArts.6303."""


class MalformedAnswer(CloudError):
    """An answer that cannot be read as what the API documents."""
