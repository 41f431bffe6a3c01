"""The part that asks IAM: what it takes for an answer, and for how long."""

from datetime import timedelta

import anyio
import pytest

from hand_clock import HandClock
from nbsweep.adapters.owners.iam import IamPart
from nbsweep.core.errors import CloudError, Forbidden, MalformedAnswer, Rejected, Unauthorized, Unreachable, WrongAddress
from nbsweep.core.notices.contacts import Contact, IamUser, NoContact, Owner

ALICE = Owner("u-1", "alice", target="lab")
FOUND = IamUser("u-1", "alice@example.com")
HOUR_S = timedelta(hours=1).total_seconds()
DAY_S = timedelta(days=1).total_seconds()


class FakeIam:
    """Answers as it is told, and counts the questions."""

    def __init__(self, answer: IamUser | CloudError | None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.clock = HandClock()
        self.part = IamPart({"lab": self.look_up, "other": self.look_up}, self.clock)

    async def look_up(self, user_id: str) -> IamUser | None:
        """Answer after a moment."""
        self.asked.append(user_id)
        await anyio.lowlevel.checkpoint()
        if isinstance(self.answer, CloudError):
            raise self.answer
        return self.answer


async def test_the_address_is_the_users() -> None:
    """Found in IAM."""
    assert await FakeIam(FOUND).part.find(ALICE) == Contact("alice@example.com", "iam")


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (None, "IAM knows no such user"),
        (IamUser("u-1"), "IAM has no e-mail address of the user"),
        (IamUser("u-1", "alice"), "what IAM has as the e-mail address of the user is no address"),
        (IamUser("u-1", "a@example.com,b@example.com"), "what IAM has as the e-mail address of the user is no address"),
        (IamUser("u-1", "alice@example.com", enabled=False), "IAM says that the user is disabled"),
    ],
)
async def test_a_user_without_a_usable_address_is_believed_for_an_hour(user: IamUser | None, why: str) -> None:
    """Then IAM is asked again."""
    iam = FakeIam(user)
    assert await iam.part.find(ALICE) == NoContact(why)
    iam.clock.passed_s += HOUR_S - 1
    assert await iam.part.find(ALICE) == NoContact(why)
    assert len(iam.asked) == 1
    iam.answer = FOUND
    iam.clock.passed_s += 1
    assert isinstance(await iam.part.find(ALICE), Contact)


async def test_an_address_is_good_for_a_day() -> None:
    """Then IAM is asked again."""
    iam = FakeIam(FOUND)
    await iam.part.find(ALICE)
    iam.answer = None
    iam.clock.passed_s += DAY_S - 1
    assert isinstance(await iam.part.find(ALICE), Contact)
    iam.clock.passed_s += 1
    assert isinstance(await iam.part.find(ALICE), NoContact)
    assert iam.asked == ["u-1", "u-1"]


async def test_a_refusal_names_the_permission_and_is_believed_for_ten_minutes() -> None:
    """It does not pass by itself."""
    iam = FakeIam(Forbidden("no", http_status=403))
    found = await iam.part.find(ALICE)
    assert found == NoContact("IAM does not allow it: grant iam:users:getUser")
    iam.clock.passed_s += 599
    await iam.part.find(ALICE)
    assert len(iam.asked) == 1
    iam.clock.passed_s += 1
    await iam.part.find(ALICE)
    assert len(iam.asked) == 2


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unreachable("throttled: alice@example.com", http_status=429, code="APIGW.0308"), "(HTTP 429 APIGW.0308)"),
        (Unreachable("away"), "IAM did not answer"),
        (Unauthorized("who", http_status=401), "IAM does not accept the credentials (HTTP 401)"),
    ],
)
async def test_what_may_pass_is_asked_again_after_a_pause(error: CloudError, why: str) -> None:
    """Nobody of that target is asked for meanwhile, so that many owners do not wait one after another."""
    iam = FakeIam(error)
    found = await iam.part.find(ALICE)
    assert isinstance(found, NoContact)
    assert found.passing
    assert found.why.endswith(why)
    iam.answer = FOUND
    iam.clock.passed_s += 29
    waiting = await iam.part.find(Owner("u-2", "bob", target="lab"))
    assert waiting == NoContact("IAM did not answer a moment ago", passing=True)
    assert isinstance(await iam.part.find(Owner("u-1", "alice", target="other")), Contact)
    iam.clock.passed_s += 1
    assert isinstance(await iam.part.find(ALICE), Contact)


async def test_an_answer_that_is_known_holds_while_iam_does_not_answer() -> None:
    """Until its day is over."""
    iam = FakeIam(FOUND)
    await iam.part.find(ALICE)
    iam.answer = Unreachable("away")
    await iam.part.find(Owner("u-2", "bob", target="lab"))
    assert isinstance(await iam.part.find(ALICE), Contact)


@pytest.mark.parametrize("kind", [Rejected, WrongAddress, MalformedAnswer])
async def test_an_answer_of_no_use_does_not_pass_and_is_not_repeated_to_people(kind: type[CloudError]) -> None:
    """Only its status and code are told, because its text may be about a person."""
    iam = FakeIam(kind("alice@example.com is odd", http_status=400, code="IAM.0011", answer="alice@example.com"))
    assert await iam.part.find(ALICE) == NoContact("IAM gave no usable answer (HTTP 400 IAM.0011)")
    assert len(iam.asked) == 1


async def test_concurrent_callers_share_one_call() -> None:
    """For one user; and a caller that is cancelled does not take the others along."""
    iam = FakeIam(FOUND)
    found: list[Contact | NoContact] = []

    async def ask() -> None:
        found.append(await iam.part.find(ALICE))

    async with anyio.create_task_group() as group:
        cancelled = anyio.CancelScope()

        async def first() -> None:
            with cancelled:
                await ask()

        group.start_soon(first)
        for _ in range(5):
            group.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        cancelled.cancel()
    assert set(map(type, found)) == {Contact}
    assert len(iam.asked) <= 2


async def test_without_an_id_or_a_target_nobody_is_asked() -> None:
    """IAM knows users by their id."""
    iam = FakeIam(FOUND)
    for owner in (Owner("", "alice", target="lab"), Owner("u-1", "alice"), Owner("u-1", "alice", target="gone")):
        assert isinstance(await iam.part.find(owner), NoContact)
    assert iam.asked == []


async def test_the_cache_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has ended goes first, and if nothing has, all goes."""
    monkeypatch.setattr("nbsweep.adapters.owners.iam.MOST_CACHED", 2)
    iam = FakeIam(None)
    for user_id, passed_s in (
        ("u-1", 0.0),
        ("u-2", HOUR_S / 2),
        ("u-3", HOUR_S),
        ("u-2", HOUR_S),
        ("u-4", HOUR_S),
        ("u-3", HOUR_S),
    ):
        iam.clock.passed_s = passed_s
        await iam.part.find(Owner(user_id, target="lab", name=""))
    assert iam.asked == ["u-1", "u-2", "u-3", "u-4", "u-3"]
