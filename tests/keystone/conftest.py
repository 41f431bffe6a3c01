"""A real OpenStack Keystone on loopback for these tests alone; it ends with them."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from acceptance.conftest import desk, simulate
from acceptance.support import Json, ended_afterwards, eventually, free_port

__all__ = ["desk", "simulate"]

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[1] / ".venv-keystone" / "bin"
ADMIN = "the password of the administrator"
TOKEN_LIFE_S = 12
CONFIGURATION = """
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[token]
expiration = {life_s}
allow_expired_window = 0
[identity]
password_hash_rounds = 4
[cache]
enabled = false
"""


@dataclass(frozen=True)
class Keystone:
    """A Keystone that runs, and what an administrator does there."""

    url: str
    output: Path

    def logins(self) -> int:
        """Count the logins so far, the administrator's too."""
        return self.output.read_text().count("POST /v3/auth/tokens\n")

    def new_account(self, region: str = "cn-north-4") -> "Account":
        """Make a domain with a user, who has a role in its project, which is called like the region."""
        domain = self.make("domain", name=f"acct-{uuid4().hex}")
        project = self.make("project", name=region, domain_id=domain["id"])
        user = self.make("user", name="sweeper", password=f"password-{uuid4().hex}", domain_id=domain["id"])
        self.ask("PUT", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{self.role('member')}")
        return Account(domain["name"], domain["id"], project["id"], user["id"], user["password"])

    def make(self, kind: str, **fields: Any) -> Json:
        """Make something, and give it back with its id and what was said of it."""
        found: Json = self.ask("POST", f"/v3/{kind}s", {kind: fields})[kind]
        return fields | found

    def role(self, name: str) -> str:
        """Return a role's id."""
        return str(self.ask("GET", f"/v3/roles?name={name}")["roles"][0]["id"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call as the administrator, whose tokens live as shortly as all others."""
        headers = {"X-Auth-Token": self._sign_in(), "Content-Type": "application/json"}
        status, content, _ = self._call(method, path, headers, body)
        assert status < 300, (method, path, status, content)
        return json.loads(content or "null")

    def is_up(self) -> bool:
        """Return whether it answers."""
        with suppress(OSError):
            return self._call("GET", "/v3", {}, None)[0] == 200
        return False

    def _sign_in(self) -> str:
        user = {"name": "admin", "password": ADMIN, "domain": {"id": "default"}}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        login = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        status, content, token = self._call("POST", "/v3/auth/tokens", {"Content-Type": "application/json"}, login)
        assert status == 201, content
        return token

    def _call(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, str, str]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers.get("X-Subject-Token", "")
        finally:
            connection.close()


@dataclass(frozen=True)
class Account:
    """A domain of one's own, with one project and one user."""

    domain: str
    domain_id: str
    project_id: str
    user_id: str
    password: str


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Run it while there are tests."""
    assert PROGRAMS.exists(), "Keystone is missing: `make test-keystone` brings it"
    folder, port = tmp_path_factory.mktemp("keystone"), free_port()
    file, output = folder / "keystone.conf", folder / "output"
    file.write_text(CONFIGURATION.format(folder=folder, life_s=TOKEN_LIFE_S))
    for name in ("fernet", "credential"):
        (folder / name).mkdir(mode=0o700)
    url = f"http://127.0.0.1:{port}"
    for step in (("db_sync",), ("fernet_setup",), ("bootstrap", "--bootstrap-password", ADMIN)):
        owner = (
            ("--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())) if step[0] == "fernet_setup" else ()
        )
        call = [str(PROGRAMS / "keystone-manage"), "--config-file", str(file), *step, *owner]
        ended = subprocess.run(call, check=False, capture_output=True, text=True, timeout=100)
        assert ended.returncode == 0, ended.stderr
    environment = {"PATH": os.defpath, "OS_KEYSTONE_CONFIG_FILES": str(file)}
    with output.open("wb") as stream:
        command = [str(PROGRAMS / "python"), str(HERE / "serve.py"), str(port)]
        server = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
        with ended_afterwards(server):
            found = Keystone(url, output)
            eventually(found.is_up, "Keystone answers")
            yield found


@pytest.fixture
def account(keystone: Keystone) -> Account:
    """Return a new account."""
    return keystone.new_account()
