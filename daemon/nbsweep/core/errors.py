"""Everything that can go wrong, as one tree.

NbsweepError
├── ConfigurationError        the configuration, or the command line, is wrong
├── JournalError              the journal cannot be opened, read or written
│   └── ExemptionExists       an exemption with this id was granted before
├── MarksChanged              another process has written a mark since it was read
├── ExemptionsChanged         an exemption was granted or revoked since they were read
├── UsageError                a name on the command line is that of nothing, or of several
│   └── GrantRefused          an exemption without a reason, or beyond the limits
├── SweepTimedOut             the sweep took longer than it may
├── HeldElsewhere             another nbsweep is sweeping the target
├── TargetIsPaused            somebody has paused the target
└── CloudError                the cloud said no, or said nothing
    ├── SweepEnding           nothing more can be done on this account
    │   ├── Unreachable       no connection: name, network, TLS, or the cloud is away
    │   ├── Unauthorized      the credentials are not accepted
    │   ├── Forbidden         the credentials are accepted, the call is not
    │   ├── FenceLost         this process may not call, because another process of the fleet does or may do so
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

Only the cloud client retries, so every `CloudError` that it raises is final. Messages are for people: what happened, and what
to check. They never contain a token, a key, a signature or a notebook's URL.
"""

from typing import TypedDict

from msgspec import Struct


class NbsweepError(Exception):
    """The base class of all errors of nbsweep."""


class Mistake(Struct, frozen=True):
    """One mistake in a configuration file."""

    path: str
    """The place in the file, such as ``targets[0].limits.delete``; empty for the whole file."""
    line: int | None
    """The line number, counted from 1; None if the mistake belongs to no line."""
    problem: str
    """What is wrong, and what would be correct."""
    column: int | None = None
    """The column, counted from 1; None if it is not known."""

    def __str__(self) -> str:
        """Describe the mistake in one line."""
        place = f"line {self.line}: " if self.line is not None else ""
        return f"{place}{self.path}: {self.problem}" if self.path else f"{place}{self.problem}"


class ConfigurationError(NbsweepError):
    """The configuration is wrong; has all mistakes that were found, not only the first."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        """Store the name of the file and all its mistakes."""
        self.source = source
        self.mistakes = mistakes
        super().__init__("\n".join([f"{source} cannot be used:", *(f"  {mistake}" for mistake in mistakes)]))


class JournalError(NbsweepError):
    """The journal cannot be opened, read or written, so nothing may be deleted."""


class ExemptionExists(JournalError):
    """An exemption was not granted, because there is one with its id; a one-time link was used before."""


class MarksChanged(NbsweepError):
    """Marks were not written, because another process has written one of them since they were read: read them again."""


class ExemptionsChanged(NbsweepError):
    """Removals were not written, because an exemption was granted or revoked since they were read: read them again."""


class UsageError(NbsweepError):
    """The command line names something that does not exist, or that is ambiguous."""


class GrantRefused(UsageError):
    """An exemption was not granted, because it says too little or lasts too long."""

    def __init__(self, field: str, problem: str) -> None:
        """Store the field that is wrong, as the API names it, and what is wrong with it."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class SweepTimedOut(NbsweepError):
    """The sweep took longer than `service.sweep_timeout`; the rest of its plan is left to the next sweep."""


class HeldElsewhere(NbsweepError):
    """Another nbsweep holds the target's lease in the same journal, so that two never sweep a target at the same time."""


class TargetIsPaused(NbsweepError):
    """Somebody has paused the target, so no sweep of it begins."""


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
    """Nothing more can be done on this account until a person fixes the cause."""


class Unreachable(SweepEnding):
    """The endpoint cannot be reached, or does not answer any more."""


class Unauthorized(SweepEnding):
    """The credentials are not accepted (HTTP 401)."""


class Forbidden(SweepEnding):
    """The credentials are accepted, but the call is not allowed (HTTP 403)."""


class FenceLost(SweepEnding):
    """A call was not sent, because this process does not certainly hold the fence of the account."""


class WrongAddress(SweepEnding):
    """The gateway does not know the address (404, APIGW.0101), or IAM the project; this never means that a notebook is gone."""


class Gone(CloudError):
    """The notebook does not exist: 400 or 404 with ModelArts.6309 or ModelArts.6404 (ModelArts API, section 2)."""


class Busy(CloudError):
    """Another operation is in progress, or the state is reached already: ModelArts.6306, 6308, 6357. Look again."""


class MustStopFirst(CloudError):
    """A running notebook cannot be deleted: ModelArts.6304."""


class AlreadyStopped(CloudError):
    """The notebook is stopped already: ModelArts.6307."""


class AnswerLost(CloudError):
    """A call that changes something was sent, and its result is unknown."""


class FactsTooOld(CloudError):
    """A DELETE was not sent, because by then its facts were older than `removal.fresh_for`."""


class Rejected(CloudError):
    """The cloud refused the call for this notebook permanently."""


class WorkspaceRefused(Rejected):
    """The caller may see the workspace but not use it: 403 with ModelArts.0112, 400 with ModelArts.7002 or 7004."""


def is_of_workspace(error: Exception) -> bool:
    """Return whether a refused listing may concern its workspace only; an error of the gateway concerns the whole project."""
    return isinstance(error, Rejected) or (isinstance(error, Forbidden) and not error.code.startswith("APIGW."))


class Unsortable(CloudError):
    """The listing does not accept the sort key: ModelArts.6303."""


class MalformedAnswer(CloudError):
    """A response that does not have the documented form."""
