"""IAM's descriptions of users; ModelArts API, section 6.1."""

from http import HTTPStatus
from typing import Any

from nbsweep.simulator.api.exchange import Answer, Call, Route, json_answer
from nbsweep.simulator.options import SimulatorOptions
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.model import Person, identity

_PATH = "/v3.0/OS-USER/users/"
_NO_EMAIL: dict[str, dict[str, Any]] = {"empty": {"email": ""}, "absent": {}, "null": {"email": None}, "dash": {"email": "-"}}


class UserApi:
    """Answers queries for single users: all owners of notebooks, all callers, and those whom the options name."""

    def __init__(self, options: SimulatorOptions, cloud: Cloud) -> None:
        self._options = options
        self._cloud = cloud
        access, people = options.access, options.people
        named = {key.user for key in access.access_keys} | {user.name for user in access.users} | {access.metadata_user}
        self._names = {Person(name).id: name for name in named | people.emails.keys() | set(people.without_email)}

    def routes(self) -> tuple[Route, ...]:
        """Return every route."""
        return (Route("GET", f"{_PATH}{{user_id}}", "users", self.show),)

    def show(self, call: Call) -> Answer:
        """Answer a user; only the caller's own user may be read without the permission."""
        user_id = call.subject.target.partition("?")[0].removeprefix(_PATH)
        caller = call.caller
        if caller and not caller.permissions.users and user_id != caller.person.id:
            return self._refuse(call, 403, "You are not authorized to perform the requested action: iam:users:getUser.")
        name = self._name_of(user_id)
        if name is None or name in self._options.people.gone:
            return self._refuse(call, 404, f"Could not find user: {user_id}.")
        return json_answer(200, {"user": self._described(user_id, name)}, self._trace(call))

    def _name_of(self, user_id: str) -> str | None:
        if user_id not in self._names:
            self._names |= {each.owner.id: each.owner.name for each in self._cloud.instances.values()}
        return self._names.get(user_id)

    def _described(self, user_id: str, name: str) -> dict[str, Any]:
        return {
            "id": user_id,
            "name": name,
            "domain_id": identity("domain", self._options.access.account),
            "enabled": name not in self._options.people.disabled,
            "areacode": "",
            "phone": "-",
            "pwd_status": False,
            "xuser_id": "",
            "xuser_type": "",
            "access_mode": "default",
            "is_domain_owner": False,
            "links": {"self": f"{_PATH}{user_id}", "next": None, "previous": None},
            **self._email(name),
        }

    def _email(self, name: str) -> dict[str, Any]:
        people = self._options.people
        default = f"{name}@{people.email_domain}" if people.email_domain else ""
        email = "" if name in people.without_email else people.emails.get(name, default)
        return {"email": email} if email else _NO_EMAIL[people.no_email_as]

    def _refuse(self, call: Call, status: int, message: str) -> Answer:
        content = {"error": {"message": message, "code": status, "title": HTTPStatus(status).phrase}}
        return json_answer(status, content, self._trace(call))

    def _trace(self, call: Call) -> dict[str, str]:
        return {"X-IAM-Trace-Id": f"token_{identity('trace', call.subject.target, call.subject.nth)}"}
