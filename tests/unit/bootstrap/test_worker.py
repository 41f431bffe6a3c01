"""A worker that could not look an account up at its start."""

from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from nbsweep.bootstrap import worker
from nbsweep.bootstrap.accounts import TargetAccess, open_accounts
from nbsweep.core.errors import Unreachable
from nbsweep.settings import Settings
from nbsweep.testing import FakeClock
from unit.engine.world import virtual_time

pytestmark = virtual_time
A_MINUTE = timedelta(minutes=1)
AWAY = Unreachable("IAM cannot be reached")


async def accesses(*problems: Unreachable | None) -> list[TargetAccess]:
    """Return the access to one target for each of these problems."""
    document = {
        "policies": [{"name": "idle", "match": {"idle_over": "14d"}}],
        "targets": [
            {
                "name": "lab",
                "endpoint": "http://127.0.0.1:1",
                "project_id": "0" * 32,
                "credentials": {"access_key": "A" * 20, "secret_key": "s"},
            }
        ],
    }
    settings = Settings.model_validate(document)
    async with open_accounts(settings.targets, {}, FakeClock()) as [access]:
        return [replace(access, account_problem=problem) for problem in problems]


async def test_an_account_is_looked_up_again_until_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in the time of a lease; only those that are not known are asked about."""
    known_one, unknown_one = await accesses(None, AWAY)
    asked: list[int] = []

    async def identify(uncertain: list[TargetAccess], _clock: object) -> tuple[TargetAccess, ...]:
        asked.append(len(uncertain))
        problem = AWAY if len(asked) < 3 else None
        return tuple(replace(each, account_problem=problem) for each in uncertain)

    monkeypatch.setattr(worker, "identify_accounts", identify)
    known = anyio.Event()
    started_s = anyio.current_time()
    await worker.look_up_again([known_one, unknown_one], FakeClock(), A_MINUTE, known)
    assert known.is_set()
    assert (asked, anyio.current_time() - started_s) == ([1, 1, 1], 180)


async def test_nothing_is_looked_up_again_where_all_accounts_are_known() -> None:
    """The task ends at once."""
    known = anyio.Event()
    await worker.look_up_again(await accesses(None), FakeClock(), A_MINUTE, known)
    assert not known.is_set()
