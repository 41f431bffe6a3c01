"""What a caller may do, tried harmlessly; the names of what to grant are those of the ModelArts API, section 6."""

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
from nbsweep.core.ports import Cloud

DEFAULT_WORKSPACE = "0"


class Action(StrEnum):
    """Something that a sweep does, and needs a permission for."""

    LIST_ALL = "list-all"
    LIST_OWN = "list-own"
    GET = "get"
    DELETE = "delete"
    STOP = "stop"
    LIST_WORKSPACES = "list-workspaces"


class Grant(Struct, frozen=True):
    """What allows an action."""

    role: str
    """The action's name in a role policy, version 1.1."""
    identity: str | None
    """Its name in an identity policy, version 5.0; None if that needs none."""
    otherwise: str = ""
    """What to change in the configuration instead, where that is a way."""


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


class Probe(Struct, frozen=True):
    """What came of trying an action on nothing."""

    allowed: bool | None
    """None: the answer says neither."""
    words: str = ""
    """What the cloud said, where it refused."""
    code: str = ""
    missing: bool = False
    """Whether the cloud has no such call at all, so that no permission would help."""

    @property
    def by_gateway(self) -> bool:
        """Return whether the gateway has refused, before the service was asked."""
        return self.allowed is False and not self.missing and self.code.startswith("APIGW.")


PASSED = (Gone, Busy, MustStopFirst, AlreadyStopped)
"""Answers about the notebook: the caller of such a call has the permission."""
NEITHER = (Rejected, MalformedAnswer, Unsortable)


def probe_of(error: CloudError, action: Action) -> Probe:
    """Return what an error says of a permission to do something.

    Raises:
        CloudError: nothing at all, because it is about the credentials, the address or the connection.
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
    """Return whether a refusal says that a cloud has no listing of everybody's notebooks (ModelArts API, section 12)."""
    absent = error.http_status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
    return absent or isinstance(error, Gone | WrongAddress) or error.code == "ModelArts.6400"


class ProbedCloud(Cloud, Protocol):
    """A cloud that can be asked what works. Nothing of this changes anything, and all of it goes through the lanes."""

    async def reach(self) -> float | None:
        """Call its address once, without saying who calls; gives by how many seconds at least this machine's clock is ahead.

        None where the answer does not say what time it is.

        Raises:
            Unreachable: there is no answer.
        """
        ...

    async def project(self) -> str:
        """Return the project's id, which is looked up where it is not configured.

        Raises:
            Unauthorized, Forbidden, WrongAddress, Unreachable: it cannot be looked up.
        """
        ...

    async def probe(self, action: Action, workspace_id: str = DEFAULT_WORKSPACE) -> Probe:
        """Try an action on a notebook that cannot exist, or list as little as can be listed of a workspace."""
        ...
