"""The page Fleet, where a fleet of processes sweeps: its workers, its leader, the accounts, and what is due."""

from datetime import timedelta
from typing import Any

from builders import NOON, ago, due_sweep, fence, fence_holder, service_record, worker_record
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.errors import JournalError
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs, FleetStatus
from nbsweep.core.lease import Holder
from nbsweep.core.pacing import LearnedRate
from unit.service.web.pages.reading import Element, facts, rows, see
from unit.service.web.support import Scene

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
MARKUP = "<b id=injected>li</b>"


class FixedFleet:
    """A fleet whose status is given, or cannot be read."""

    def __init__(self, error: Exception | None = None, **changes: Any) -> None:
        """Take what differs from a fleet of one worker that has nothing to do."""
        plain = {"now": NOON, "config": "c1", "lasts": timedelta(seconds=60), "workers": (worker_record(),), "leader": fence()}
        self.status = judge_fleet(FleetInputs(**{**plain, **changes}))
        self.error = error

    async def read(self) -> FleetStatus:
        """Return the status."""
        if self.error:
            raise self.error
        return self.status


def busy(**changes: Any) -> FixedFleet:
    """Return a fleet that sweeps one account, while another waits and a third has failed; one worker is lost."""
    return FixedFleet(
        **{
            "workers": (
                worker_record(accounts=("a",)),
                worker_record("w2", config="c2", draining=True),
                worker_record("w3", beat_at=ago(minutes=9)),
            ),
            "fences": (fence(lanes_fence("a"), "w1"), fence(lanes_fence("free"), "w1", held=False)),
            "due": (
                due_sweep("research", account="a", begun_at=NOON),
                due_sweep("lab", account="b", by=MARKUP),
                due_sweep("far", account="c", failures=2, problem=MARKUP, not_before=ago(minutes=-4)),
            ),
            "jobs": (Job("a", JobState.RUNNING, "c1", NOON), Job("b", JobState.WAITING, "c1", ago(minutes=5))),
            "learned": {"a": {"delete": LearnedRate(2, 1.0, 1.5, 3.0)}},
            "services": tuple(
                service_record(owner, holder=fence_holder(owner), beat_at=ago(seconds=9)) for owner in ("a", "s2")
            ),
            **changes,
        }
    )


async def processes(fleet: FixedFleet, headers: dict[str, str] | None = None) -> Element:
    """Return the section about the fleet."""
    async with Scene(fleet=fleet).open() as face:
        return (await see(face, "/", headers=headers or {})).content.all("section")[-1]


async def test_what_needs_an_action_is_said_in_the_language_of_the_reader() -> None:
    """With times in the zone of the page; the problem of a sweep is in its own words."""
    lost, failed = [item.words for item in (await processes(busy(), CHINESE)).all("li")][:2]
    assert lost == (
        "主机 host-w3 上的工作进程（进程 7）自 2026年3月1日 11:51 UTC 起没有上报状态，且运行的工作进程比以前少："
        "其他工作进程会接手它的账号；请重新启动它，或启动另一个"
    )
    assert failed.startswith("far：最近 2 次清理失败：")
    assert failed.endswith("；将于 2026年3月1日 12:04 UTC 重试")
    nobody = [item.words for item in (await processes(busy(workers=(), due=()), CHINESE)).all("li")]
    assert nobody[0] == "没有工作进程在运行，因此不会进行清理：请启动 `nbsweep worker`"


async def test_a_due_time_is_asked_for_by_the_schedule_in_the_language_of_the_reader() -> None:
    """The names of people stay as they are."""
    due = rows((await processes(busy(), CHINESE)).all("table")[3])
    assert [row[3] for row in due[1:]] == ["定时计划", MARKUP, "定时计划"]


async def test_the_section_shows_who_does_what() -> None:
    """Workers, accounts that are held or wait, and what is due, with the leader and the counts of the jobs."""
    section = await processes(busy())
    assert section.only("h2").words == "Workers and accounts"
    assert facts(section) == {
        "Who starts what is due": "process 7 on host host-a, since 1 Mar 2026 12:00 UTC",
        "Jobs": "1 running, 1 waiting",
        "Configuration of this service": "c1",
    }
    serves, workers, accounts, due = (rows(table) for table in section.all("table"))
    assert [[*row[:2], row[3]] for row in serves[1:]] == [
        ["host-a:7", "starts what is due", "9 secs ago"],
        ["host-s2:7", "stands by", "9 secs ago"],
    ]
    assert [row[:2] for row in workers[1:]] == [
        ["host-w1:7", "running"],
        ["host-w2:7", "draining: it takes no more accounts"],
        ["host-w3:7", "lost: it reports nothing"],
    ]
    assert workers[1][3:] == ["3 secs ago", "a", "4", "c1", "0.1.0"]
    assert workers[2][6] == "c2 differs"
    assert accounts[1:] == [
        ["a", "process 7 on host host-w1, since 1 Mar 2026 12:00 UTC", "–", "delete 1.5"],
        ["b", "–", "5 mins", "–"],
        ["c", "–", "–", "–"],
    ]
    assert [row[:2] for row in due[1:]] == [
        ["research", "being swept"],
        ["lab", "waits for a worker"],
        ["far", "tried again later 1 Mar 2026 12:04 UTC"],
    ]
    assert due[1][3:] == ["the schedule", "a", "–"]
    assert due[3][5] == f"2 failed attempts: {MARKUP}"


async def test_what_is_wrong_stands_first() -> None:
    """As the command says it; the names of others are text."""
    section = await processes(busy())
    problems = [item.words for item in section.all("li")]
    assert problems[0].startswith("the worker on host host-w3 (process 7) has reported nothing since")
    assert MARKUP in problems[1]
    assert not [bold for bold in section.all("b") if bold.attributes.get("id") == "injected"]


async def test_the_section_is_in_chinese_too() -> None:
    """Also what stands in tables."""
    section = await processes(busy(), CHINESE)
    assert section.only("h2").words == "工作进程与账号"
    assert "正在退出：不再接受账号" in section.words
    assert "2 次尝试失败" in section.words
    assert facts(section)["任务"] == "1 个进行中，1 个等待中"


async def test_an_idle_fleet_and_one_without_workers_say_so() -> None:
    """And what to do about it."""
    section = await processes(FixedFleet())
    assert "Nothing is due: no sweep waits, and none is in progress." in section.words
    assert section.all("li") == []
    empty = await processes(FixedFleet(workers=(), leader=None))
    assert "No worker has reported within the last day. Start one with nbsweep worker." in empty.words
    assert facts(empty)["Who starts what is due"] == "nobody"


async def test_hosts_are_text() -> None:
    """A host may be called anything."""
    host = Holder("o", MARKUP, "m", 7, 1)
    section = await processes(busy(workers=(worker_record(holder=host),), leader=fence(holder=host)))
    assert f"{MARKUP}:7" in section.words
    assert not [bold for bold in section.all("b") if bold.attributes.get("id") == "injected"]


async def test_without_a_fleet_there_is_no_such_section() -> None:
    """Nor an answer of the API."""
    async with Scene().open() as face:
        assert "Workers and accounts" not in (await see(face, "/")).content.words
        status, code, words = await face.error("GET", "/api/v1/fleet")
        assert (status, code) == (404, "not-found")
        assert "there is no fleet" in words


async def test_the_api_gives_the_document_of_the_command() -> None:
    """With its problems; a journal that cannot be read is an error of its own."""
    async with Scene(fleet=busy()).open() as face:
        status, document = await face.ask("GET", "/api/v1/fleet")
        assert status == 200
        assert isinstance(document, dict)
        assert document["well"] is False
        assert [worker["state"] for worker in document["workers"]] == ["running", "draining", "lost"]
        assert [due["state"] for due in document["due"]] == ["sweeping", "waiting", "put-off"]
    async with Scene(fleet=FixedFleet(JournalError("it is away"))).open() as face:
        assert await face.error("GET", "/api/v1/fleet") == (503, "journal-failed", "it is away")
