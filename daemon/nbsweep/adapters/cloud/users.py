"""Reads users of IAM, which may have an e-mail address (ModelArts API, section 6.1)."""

import re
from http import HTTPStatus

import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.iam import Iam, SignedIam
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.responses import ErrorResponse, TransientError, with_skew
from nbsweep.adapters.cloud.session import AuthClient, NotSent, Reply
from nbsweep.core.errors import CloudError, Forbidden, MalformedAnswer, Rejected, Unreachable, WrongAddress
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.permissions import GET_USER

PATH = "/v3.0/OS-USER/users/"
USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The id becomes part of an address, so other texts are rejected."""
NO_EMAIL = "-"
"""What IAM shows in place of a phone number that it does not have, and perhaps of an e-mail address."""


class _User(msgspec.Struct):
    id: str
    email: str | None = None
    enabled: bool | None = True


class _Answer(msgspec.Struct):
    user: _User


class IamUsers(Struct, frozen=True):
    """Reads single users with the credentials of a target. Nothing is retried here: the caller asks again later."""

    credentials: Credentials
    iam: Iam

    async def user(self, user_id: str) -> IamUser | None:
        """Return a user, or None if IAM says that there is no such user.

        Raises:
            Forbidden: the permission is missing; everybody may read themselves without it.
            Unreachable: there was no answer, or IAM is throttled or in trouble; a later call may succeed.
            CloudError: the credentials are not accepted, or the answer is of no use.
        """
        if not USER_ID.fullmatch(user_id):
            raise Rejected("no user of IAM can have such an id")
        if not self.iam.url:
            raise WrongAddress("the address of IAM is not known", advice="Set iam_endpoint of the target")
        try:
            return await self.iam.call(lambda auth_client: self._ask(user_id, auth_client))
        except NotSent as error:
            raise Unreachable(error.problem, advice=error.advice, **error.details) from error

    async def _ask(self, user_id: str, auth_client: AuthClient) -> IamUser | None:
        reply = await SignedIam(self.credentials, auth_client).get(f"{PATH}{user_id}")
        if reply.status == HTTPStatus.OK:
            return _read(reply, user_id)
        answer = reply.words()
        if _is_no_such_user(answer):
            return None
        raise _error(answer, auth_client, reply)


def _read(reply: Reply, user_id: str) -> IamUser:
    """Return the user in an answer; its error never holds what the answer says about a person."""
    try:
        user = msgspec.json.decode(reply.body, type=_Answer).user
    except UNREADABLE:
        raise MalformedAnswer("the answer of IAM is not a user") from None
    if user.id != user_id:
        raise MalformedAnswer("IAM was asked for a user and answered with another user")
    email = (user.email or "").strip()
    return IamUser(user.id, "" if email == NO_EMAIL else email, enabled=user.enabled is not False)


def _is_no_such_user(answer: ErrorResponse) -> bool:
    """Return whether IAM itself says so; a gateway, or a server that is not IAM, knows nothing about users."""
    return answer.status == HTTPStatus.NOT_FOUND and bool(answer.message) and not answer.code.startswith("APIGW.")


def _error(answer: ErrorResponse, auth_client: AuthClient, reply: Reply) -> CloudError:
    error = answer.error()
    url = auth_client.url
    if isinstance(error, TransientError):
        return Unreachable(f"{url} did not return the user: {answer}", **answer.details)
    if isinstance(error, Forbidden):
        advice = f"Grant {GET_USER.role} to this user"
        return Forbidden(f"{url} does not show these credentials other users: {answer}", advice=advice, **answer.details)
    if isinstance(error, WrongAddress):
        return WrongAddress(f"{url} has no such call: {answer}", advice="Check region and iam_endpoint", **answer.details)
    return with_skew(error, (auth_client.clock.now() - reply.sent_at).total_seconds())
