"""Which targets share an account, and what they share with it."""

from pathlib import Path
from typing import Any

from nbsweep.adapters.clock import SystemClock
from nbsweep.bootstrap.accounts import TargetAccess, open_accounts
from nbsweep.settings import TargetSettings


def target(name: str, key: str, **changes: Any) -> TargetSettings:
    """Return a target with these keys."""
    credentials = {"access_key": key, "secret_key": "s"}
    plain = {"name": name, "endpoint": "https://cloud.example", "project_id": "0" * 32, "credentials": credentials}
    return TargetSettings.model_validate(plain | changes)


async def accesses(*targets: TargetSettings) -> tuple[TargetAccess, ...]:
    """Open the accounts of these targets."""
    async with open_accounts(targets, {}, SystemClock()) as opened:
        return opened


async def test_targets_of_one_account_share_its_lanes() -> None:
    """The same keys at the same endpoint; the limits of all of them decide the rates."""
    one, two, other_key, other_place = await accesses(
        target("one", "a"),
        target("two", "a", limits={"delete": "1/s"}),
        target("other-key", "b"),
        target("other-place", "a", endpoint="https://elsewhere.example"),
    )
    assert one.lanes is two.lanes
    assert one.limits == two.limits == [one.target.limits, two.target.limits]
    assert len({id(each.lanes) for each in (one, other_key, other_place)}) == 3


async def test_a_target_without_credentials_has_an_account_of_its_own(tmp_path: Path) -> None:
    """Its problem is told, and does not affect the others."""
    missing = {"access_key": "a", "secret_key_file": str(tmp_path / "none")}
    with_keys, without = await accesses(target("one", "a"), target("two", "a", credentials=missing))
    assert (with_keys.problem, without.limits) == (None, [without.target.limits])
    assert "none" in str(without.problem)


async def test_only_a_target_of_scope_own_has_a_caller() -> None:
    """A pseudonym that reveals no key."""
    everybody, own, same = await accesses(
        target("one", "a"), target("two", "a", scope="own"), target("three", "a", scope="own")
    )
    assert everybody.caller == ""
    assert own.caller == same.caller != "a"
