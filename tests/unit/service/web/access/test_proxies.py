from dataclasses import replace as changed
from ipaddress import ip_network
from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.proxies import SECRET_HEADER, ProxySettings
from nbsweep.service.web.access.tokens import Role
from nbsweep.service.web.access.visitors import NOBODY, SignedIn, Visitor
from unit.service.web.pages.reading import see
from unit.service.web.support import Scene

SECRET = "a-secret-of-the-proxy"
HERE, AWAY = ip_network("127.0.0.1"), ip_network("10.0.0.0/28")
ROLES = {"platform": Role.ADMIN, "leads": Role.APPROVER}
ALICE = {"X-Auth-Request-User": "alice", "X-Auth-Request-Email": "alice@example.com"}
SHOWN = {SECRET_HEADER: SECRET}
ELSEWHERE = "192.0.2.1:9464"
NOT_SIGNED_IN = "Sign in"


def scene(tmp_path: Path, *, network: object = HERE, family: str = "x-auth-request", listen: str = ELSEWHERE) -> Scene:
    """Return a service behind a proxy, which is this test."""
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    settings = ProxySettings((network,), family, path, ROLES)  # type: ignore[arg-type]  # an address is a network
    return changed(Scene(listen=listen), proxies=settings)


async def who(of: Scene, headers: dict[str, str]) -> str:
    """Return who the page says that it is."""
    async with of.open() as face:
        seen = await see(face, "/sign-in", headers=headers)
        [shown] = [each for each in seen.page.all("div") if each.attributes.get("class") == "visitor"]
        return shown.words


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ({}, "viewer"),
        ({"X-Auth-Request-Groups": ""}, "viewer"),
        ({"X-Auth-Request-Groups": "staff,everybody"}, "viewer"),
        ({"X-Auth-Request-Groups": "staff, leads"}, "approver"),
        ({"X-Auth-Request-Groups": "platform,leads"}, "administrator"),
        ({"X-Auth-Request-Groups": "leads,platform"}, "administrator"),
        ({"X-Auth-Request-Groups": "Platform"}, "viewer"),
        ({"X-Forwarded-Groups": "platform"}, "viewer"),
    ],
)
async def test_the_groups_of_a_user_give_the_role(tmp_path: Path, groups: dict[str, str], role: str) -> None:
    """The highest one; without any, a user only reads. Headers of the other family say nothing."""
    assert await who(scene(tmp_path), {**SHOWN, **ALICE, **groups}) == f"alice {role}"


async def test_the_other_family_of_headers(tmp_path: Path) -> None:
    """It is the one that the configuration names, and no other."""
    forwarded = {"X-Forwarded-User": "bob", "X-Forwarded-Groups": "platform"}
    assert await who(scene(tmp_path, family="x-forwarded"), {**SHOWN, **forwarded}) == "bob administrator"
    assert await who(scene(tmp_path, family="x-forwarded"), {**SHOWN, **ALICE}) == NOT_SIGNED_IN
    assert await who(scene(tmp_path), {**SHOWN, **forwarded}) == NOT_SIGNED_IN


@pytest.mark.parametrize(
    "headers",
    [
        ALICE,
        {**ALICE, SECRET_HEADER: ""},
        {**ALICE, SECRET_HEADER: SECRET + "x"},
        SHOWN,
        {**SHOWN, "X-Auth-Request-User": ""},
        {**SHOWN, "X-Auth-Request-User": "x" * 257},
        {**SHOWN, "X-Auth-Request-Email": "alice@example.com"},
    ],
)
async def test_without_the_secret_or_a_user_it_is_nobody(tmp_path: Path, headers: dict[str, str]) -> None:
    """A header alone proves nothing."""
    assert await who(scene(tmp_path), headers) == NOT_SIGNED_IN


async def test_headers_from_anywhere_else_are_ignored(tmp_path: Path) -> None:
    """Also with the right secret: the proxy is at another address."""
    assert await who(scene(tmp_path, network=AWAY), {**SHOWN, **ALICE}) == NOT_SIGNED_IN


async def test_a_user_who_is_named_twice_is_nobody(tmp_path: Path) -> None:
    """A proxy that adds its header to that of the visitor is not to be trusted."""
    async with scene(tmp_path).open() as face:
        headers = [*SHOWN.items(), ("X-Auth-Request-User", "alice"), ("X-Auth-Request-User", "root")]
        async with face.session.get(f"{face.url}/", headers=headers, allow_redirects=False) as response:
            assert response.status == 303


async def test_groups_that_are_named_twice_give_no_role(tmp_path: Path) -> None:
    """For the same reason."""
    async with scene(tmp_path).open() as face:
        twice = [("X-Auth-Request-Groups", "staff"), ("X-Auth-Request-Groups", "platform")]
        headers = [*SHOWN.items(), *ALICE.items(), *twice, ("Sec-Fetch-Site", "same-origin")]
        async with face.session.post(f"{face.url}/api/v1/targets/research/pause", headers=headers) as response:
            assert response.status == 403


async def test_a_user_changes_things_by_role_and_only_from_our_pages(tmp_path: Path) -> None:
    """The proxy's session goes with every request of the browser, as a cookie does."""
    pause = "/api/v1/targets/research/pause"
    admin = {**SHOWN, **ALICE, "X-Auth-Request-Groups": "platform"}
    async with scene(tmp_path).open() as face:
        assert (await face.error("POST", pause, headers=admin))[0] == 403
        assert (await face.error("POST", pause, headers={**admin, "Sec-Fetch-Site": "cross-site"}))[0] == 403
        assert (await face.error("POST", pause, headers={**SHOWN, **ALICE, "Sec-Fetch-Site": "same-origin"}))[0] == 403
        assert face.control.asked == []
        assert (await face.ask("POST", pause, headers={**admin, "Sec-Fetch-Site": "same-origin"}))[0] == 200


async def test_a_proxy_on_this_machine_does_not_open_what_is_free_here(tmp_path: Path) -> None:
    """Reading is free on loopback, under its own names; what the proxy passes on needs a user, and may have any name."""
    async with scene(tmp_path, listen="127.0.0.1:0").open() as face:
        public = {"Host": "nbsweep.example.com"}
        assert (await see(face, "/", headers={**SHOWN, **public})).status == 303
        assert (await see(face, "/", headers={**SHOWN, **public, **ALICE})).status == 200
        assert (await see(face, "/")).status == 200
        assert (await see(face, "/", headers={**public, **ALICE})).status == 403


async def test_a_proxy_is_enough_to_listen_where_others_can_reach_it(tmp_path: Path) -> None:
    """Without any token: reading needs a user."""
    async with scene(tmp_path).open() as face:
        assert (await face.error("GET", "/api/v1/targets"))[0] == 401
        assert (await face.ask("GET", "/api/v1/targets", headers={**SHOWN, **ALICE}))[0] == 200


async def test_a_secret_that_others_can_read_is_a_mistake(tmp_path: Path) -> None:
    """The error names the key."""
    behind = scene(tmp_path)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"service\.proxy_secret_file"):
        async with behind.open():
            pass


class Directory:
    """Reaches wei by an address, and nobody else."""

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the address."""
        return Contact("Wei.Chen@example.com", "file") if owner.name == "wei" else NoContact("unknown")

    async def fallback(self) -> Contact | NoContact:
        """Return a place for all others."""
        return Contact("alice@example.com", "fallback")


@pytest.mark.parametrize(
    ("visitor", "owner", "owns"),
    [
        (Visitor("wc", Role.VIEWER, SignedIn.PROXY, ("wc", "wei.chen@example.com")), "wei", True),
        (Visitor("wc", Role.VIEWER, SignedIn.PROXY, ("wei.chen@example.com",)), "wei", True),
        (Visitor("wei", Role.VIEWER, SignedIn.PROXY, ("wei",)), "wei", False),
        (Visitor("alice", Role.ADMIN, SignedIn.PROXY, ("alice@example.com",)), "wei", False),
        (Visitor("alice", Role.ADMIN, SignedIn.PROXY, ("alice@example.com",)), "somebody", False),
        (Visitor("wc", Role.VIEWER, SignedIn.SESSION, ("wei.chen@example.com",)), "wei", False),
        (NOBODY, "wei", False),
    ],
)
async def test_a_visitor_is_the_owner_whom_the_directory_reaches_by_their_address(
    visitor: Visitor,
    owner: str,
    owns: bool,  # noqa: FBT001 - a case
) -> None:
    """An equal name, the fallback, and a session by a token make nobody an owner."""
    assert await Ownership(Directory()).owns(visitor, Owner("", owner)) is owns
    assert not await Ownership().owns(visitor, Owner("", owner))
