"""The real command with a real OpenStack Keystone as IAM; the simulated cloud asks it about every token that it gets."""

from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, idle, idle_fleet
from keystone.conftest import Account, Keystone

pytestmark = pytest.mark.timeout(300)
"""The first test waits until Keystone has made its tables."""


def cloud_of(simulate: Simulate, keystone: Keystone, account: Account, count: int = 1) -> Cloud:
    """Simulate the cloud of an account's project."""
    return simulate(idle_fleet(count), access={"project_id": account.project_id, "iam_url": keystone.url})


def write(desk: Desk, cloud: Cloud, keystone: Keystone, account: Account, **more: Any) -> None:
    """Write a configuration that names the region, and no project."""
    user = {"username": "sweeper", "password": account.password, "domain": account.domain, "iam_endpoint": keystone.url}
    limits = {"limits": more.pop("limits", {})}
    desk.write(cloud, target={"project_id": None, "region": "cn-north-4", "credentials": user | more, **limits})


def refused(desk: Desk, cloud: Cloud, password: str) -> str:
    """Sweep; give the one sentence that says why nothing could be done. Nobody was asked for a notebook."""
    ended: Ended = desk.sweep()
    assert ended.code == 5, ended.err
    assert cloud.requests() == []
    assert password not in ended.out + ended.err
    return str(ended.error["error"])


def test_a_region_alone_is_enough_though_other_domains_have_projects_of_that_name(
    simulate: Simulate, desk: Desk, keystone: Keystone, account: Account
) -> None:
    """The token is for the project of the user's own domain, and tells its id: one login, and no look-up."""
    other = keystone.new_account()
    cloud = cloud_of(simulate, keystone, account, 3)
    write(desk, cloud, keystone, account)
    before = keystone.logins()
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 3
    assert keystone.logins() == before + 1
    paths = {request["path"] for request in cloud.requests()}
    assert all(path.startswith(f"/v1/{account.project_id}/") for path in paths)
    assert other.project_id not in ended.err


@pytest.mark.parametrize("wrong", [{"password": "another"}, {"domain": "nowhere"}, {"username": "nobody"}])
def test_who_is_not_known_is_told_what_to_check(
    simulate: Simulate, desk: Desk, keystone: Keystone, account: Account, wrong: dict[str, str]
) -> None:
    """A wrong password, domain or name; Keystone has the same words for them, and they are said once."""
    cloud = cloud_of(simulate, keystone, account)
    write(desk, cloud, keystone, account, **wrong)
    error = refused(desk, cloud, account.password)
    assert "does not accept the user name and password: HTTP 401 (" in error
    assert "Check username, password and domain" in error
    assert error.count("401") == 1


def test_five_targets_with_a_wrong_password_do_not_lock_the_user(
    simulate: Simulate, desk: Desk, keystone: Keystone, account: Account
) -> None:
    """One login, and one more without a project, because Keystone does not say which of the two it refuses."""
    cloud = cloud_of(simulate, keystone, account)
    write(desk, cloud, keystone, account, password="another")
    text = desk.config.read_text()
    lab = text[text.index('{"name": "lab"') : text.index('], "policies"')]
    five = ", ".join(lab.replace('"lab"', f'"lab-{n}", "workspaces": ["{n}"]') for n in range(5))
    desk.config.write_text(text.replace(lab, five))
    before = keystone.logins()
    assert desk.run("plan").code == 5
    assert keystone.logins() == before + 2


def test_a_user_who_is_disabled_is_refused(simulate: Simulate, desk: Desk, keystone: Keystone, account: Account) -> None:
    """In the words of a wrong password, for Keystone says no more; the advice names both."""
    keystone.ask("PATCH", f"/v3/users/{account.user_id}", {"user": {"enabled": False}})
    cloud = cloud_of(simulate, keystone, account)
    write(desk, cloud, keystone, account)
    assert "disabled" in refused(desk, cloud, account.password)


def test_a_user_without_a_role_is_not_told_to_check_the_password(
    simulate: Simulate, desk: Desk, keystone: Keystone, account: Account
) -> None:
    """The password is right, and the project is not open."""
    path = f"/v3/projects/{account.project_id}/users/{account.user_id}/roles/{keystone.role('member')}"
    keystone.ask("DELETE", path)
    cloud = cloud_of(simulate, keystone, account)
    write(desk, cloud, keystone, account)
    error = refused(desk, cloud, account.password)
    assert "accepts the user name and password, but gives no token for the project called cn-north-4" in error
    assert "has a role in that project" in error


def test_tokens_of_seconds_carry_a_whole_sweep(simulate: Simulate, desk: Desk, keystone: Keystone, account: Account) -> None:
    """Tokens live twelve seconds, the sweep takes fifteen: they are renewed in time, and no call is refused."""
    cloud = cloud_of(simulate, keystone, account, 45)
    write(desk, cloud, keystone, account, limits={"delete": "3/s"})
    before = keystone.logins()
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 45
    assert keystone.logins() >= before + 2
    assert [request["status"] for request in cloud.requests() if request["status"] == 401] == []


def test_a_token_that_is_revoked_in_mid_sweep_is_replaced(
    simulate: Simulate, desk: Desk, keystone: Keystone, account: Account
) -> None:
    """Keystone no longer knows it: 401 for the calls under way, one login for all, and no notebook is lost."""
    cloud = cloud_of(simulate, keystone, account, 12)
    write(desk, cloud, keystone, account, limits={"delete": "6/s"})
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for("removal.accepted")
        cloud.revoke_token()
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert len(ended.ids("deleted")) == 12
    assert [request for request in cloud.requests() if request["status"] == 401]


def test_check_says_what_works(simulate: Simulate, desk: Desk, keystone: Keystone, account: Account) -> None:
    """With a real login."""
    cloud = simulate([idle("nb")], access={"project_id": account.project_id, "iam_url": keystone.url})
    write(desk, cloud, keystone, account)
    ended = desk.run("check")
    assert ended.code == 0, ended.out
    assert account.project_id in ended.out
