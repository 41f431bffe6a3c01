"""The metadata server of a virtual machine with an agency; ModelArts API, section 5.3."""

from nbsweep.simulator.api.auth import Authenticator, Caller
from nbsweep.simulator.api.exchange import Answer, Call, Route, json_answer
from nbsweep.simulator.clock import iso_date
from nbsweep.simulator.options import AccessOptions
from nbsweep.simulator.state.model import Person, identity

_TTL = "x-metadata-token-ttl-seconds"
_LONGEST_TTL_S = 21_600


class MetadataApi:
    """Issues temporary key pairs, with or without a session token."""

    def __init__(self, access: AccessOptions, auth: Authenticator) -> None:
        self._access = access
        self._auth = auth
        #: Token to the moment it ends.
        self._tokens: dict[str, float] = {}

    def routes(self) -> tuple[Route, ...]:
        """Return every route."""
        return (
            Route("PUT", "/meta-data/latest/api/token", "metadata", self.create_token, authenticated=False),
            Route("GET", "/openstack/latest/securitykey", "metadata", self.security_key, authenticated=False),
        )

    def create_token(self, call: Call) -> Answer:
        """Answer a session token; machines in legacy mode do not know the method."""
        if self._access.metadata_mode == "legacy":
            return _text(405, "Method Not Allowed")
        wanted = call.headers.get(_TTL, "")
        if not (wanted.isdigit() and 1 <= int(wanted) <= _LONGEST_TTL_S):
            return _text(400, "Bad Request")
        token = f"token-secret-metadata-{identity('metadata', call.subject.nth)}"
        self._tokens[token] = call.at_s + int(wanted)
        return _text(200, token)

    def security_key(self, call: Call) -> Answer:
        """Answer a new temporary key pair."""
        if self._access.metadata_mode == "off":
            return _text(401, "Please configure Cloud Service Agency first.")
        if self._access.metadata_mode == "token" and not self._is_valid(call):
            return _text(401, "Unauthorized")
        caller = Caller(Person(self._access.metadata_user), self._access.metadata_permissions)
        key = self._auth.issue_key(caller)
        credential = {
            "access": key.access,
            "secret": key.secret,
            "securitytoken": key.security_token,
            "expires_at": iso_date(key.ends_at_s),
        }
        return json_answer(200, {"credential": credential})

    def _is_valid(self, call: Call) -> bool:
        return self._tokens.get(call.headers.get("x-metadata-token", ""), 0.0) > call.at_s


def _text(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), content_type="text/plain")
