"""The permissions that a sweep needs, and what an error says about them; names as in the ModelArts API, section 6."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from msgspec import Struct

from nbsweep.core.errors import (
    AlreadyStopped,
    Busy,
    CloudError,
    Forbidden,
    Gone,
    MalformedAnswer,
    MustStopFirst,
    Rejected,
    Unsortable,
    WorkspaceRefused,
    WrongAddress,
)
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.ports import Cloud

DEFAULT_WORKSPACE = "0"


class Action(StrEnum):
    """An action of a sweep that needs a permission."""

    LIST_ALL = "list-all"
    LIST_OWN = "list-own"
    GET = "get"
    DELETE = "delete"
    STOP = "stop"
    LIST_WORKSPACES = "list-workspaces"


class Grant(Struct, frozen=True):
    """The permission for an action."""

    role: str
    """The action's name in a role policy, version 1.1."""
    identity: str | None
    """The action's name in an identity policy, version 5.0; None if none is needed."""
    otherwise: str = ""
    """What to change in the configuration instead, if that is possible."""


GRANTS: Mapping[Action, Grant] = {
    Action.LIST_ALL: Grant("modelarts:notebook:listAllNotebooks", None, "set scope: own"),
    Action.LIST_OWN: Grant("modelarts:notebook:list", "modelarts:notebook:list"),
    Action.GET: Grant("modelarts:notebook:get", "modelarts:notebook:get"),
    Action.DELETE: Grant("modelarts:notebook:delete", "modelarts:notebook:delete"),
    # The present page of the API's documents breaks off before this row; older policies know the other name only.
    Action.STOP: Grant(
        "modelarts:notebook:stop (modelarts:notebook:action in older ones)",
        "modelarts:notebook:stop",
        "take running: stop out of the policies",
    ),
    Action.LIST_WORKSPACES: Grant(
        "modelarts:workspace:list", "modelarts:workspace:list", "name the ids of the workspaces under workspaces"
    ),
}

GET_USER = Grant(
    "iam:users:getUser", "iam:users:getUser", "take iam: true out of owners, and name the owners in a file, a tag or a domain"
)
"""The permission to read users of IAM, which finds the e-mail addresses of owners (ModelArts API, section 6.1)."""


class Probe(Struct, frozen=True):
    """The result of trying an action on a notebook that does not exist."""

    allowed: bool | None
    """None if the answer does not show it."""
    words: str = ""
    """The cloud's answer, if it refused."""
    code: str = ""
    missing: bool = False
    """Whether the cloud does not have the call, so that no permission would help."""

    @property
    def by_gateway(self) -> bool:
        """Return whether the gateway refused the call, before it reached the service."""
        return self.allowed is False and not self.missing and self.code.startswith("APIGW.")


PASSED = (Gone, Busy, MustStopFirst, AlreadyStopped)
"""Errors about the notebook, which show that the caller has the permission."""
NEITHER = (Rejected, MalformedAnswer, Unsortable)


def probe_of(error: CloudError, action: Action) -> Probe:
    """Return what an error says about the permission for an action.

    Raises:
        CloudError: the error itself, if it is about the credentials, the address or the connection.
    """
    if action is Action.LIST_ALL and _no_such_listing(error):
        return Probe(allowed=False, words=error.answer or error.problem, code=error.code, missing=True)
    if isinstance(error, Forbidden) or (isinstance(error, WorkspaceRefused) and error.http_status == HTTPStatus.FORBIDDEN):
        return Probe(allowed=False, words=error.answer or error.problem, code=error.code)
    if isinstance(error, PASSED):
        return Probe(allowed=True, code=error.code)
    if isinstance(error, NEITHER):
        return Probe(allowed=None, words=str(error), code=error.code)
    raise error


def _no_such_listing(error: CloudError) -> bool:
    """Return whether an error says that the cloud has no listing of everybody's notebooks (ModelArts API, section 12)."""
    absent = error.http_status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
    return absent or isinstance(error, Gone | WrongAddress) or error.code == "ModelArts.6400"


class ProbedCloud(Cloud, Protocol):
    """A cloud with calls that check what works. None of them changes anything, and the lanes limit all of them."""

    async def reach(self) -> float | None:
        """Call the address once, without credentials; return the least number of seconds by which this clock is ahead.

        The result is None if the answer has no date.

        Raises:
            Unreachable: there was no answer.
        """
        ...

    async def project(self) -> str:
        """Return the project's id, which is looked up if it is not configured.

        Raises:
            Unauthorized, Forbidden, WrongAddress, Unreachable: it cannot be looked up.
        """
        ...

    async def user(self, user_id: str) -> IamUser | None:
        """Return a user of IAM, or None if IAM says that there is no such user.

        Raises:
            Forbidden: the permission is missing; everybody may read themselves without it.
            Unreachable: there was no answer, or IAM is throttled or in trouble.
            CloudError: the credentials are not accepted, or the answer is of no use.
        """
        ...

    async def probe(self, action: Action, workspace_id: str = DEFAULT_WORKSPACE) -> Probe:
        """Try an action on a notebook that cannot exist, or request the smallest listing of a workspace."""
        ...
