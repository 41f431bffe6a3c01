"""`notify pause` and `notify resume`: while sending is paused, nobody is told, and `outbox` says so."""

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle_fleet

WEEK = {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}, "grace": {"for": "7d", "surveys": 1}}
PEOPLE = {
    # Nothing listens on this port: what is tried waits for the next attempt.
    "channels": {"mail": {"kind": "smtp", "host": "127.0.0.1", "port": 9, "tls": "none", "from": "nbsweep@example.com"}},
    "owners": [{"domain": "example.com"}],
}


def test_nothing_is_tried_while_sending_is_paused(simulate: Simulate, desk: Desk) -> None:
    """The run marks, and composes no message; after `resume`, the next run tries to send."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud, policies=[WEEK], **PEOPLE)
    paused = desk.run("notify", "pause", "--until", "8h", "--reason", "mail server migration")
    assert paused.code == 0
    assert "mail server migration" in paused.out
    assert desk.run("run", "--yes").code == 0
    assert desk.run("outbox", "--format", "json").document == []
    shown = desk.run("outbox").out
    assert "Sending is paused" in shown
    assert "2 items wait for a message, since" in shown
    [status] = desk.run("status", "--format", "json").document
    assert (status["well"], status["outbox"]["pending"], status["outbox"]["waiting"]) == (True, 0, 2)
    assert "2 items that no message lists yet, the oldest for" in desk.run("status").out
    assert {mark["state"] for mark in desk.run("marks", "--format", "json").document} == {"marked"}
    resumed = desk.run("notify", "resume").out
    assert "Sending is resumed" in resumed
    assert "0 messages wait in the outbox, and 2 items that no message lists yet, since" in resumed
    assert desk.run("run", "--yes").code == 0
    [message] = desk.run("outbox", "--format", "json").document
    assert (message["state"], message["attempts"]) == ("PENDING", 1)
    assert not cloud.accepted()


def test_resume_without_a_pause_says_so(desk: Desk, simulate: Simulate) -> None:
    """It is no error."""
    desk.write(simulate())
    ended = desk.run("notify", "resume")
    assert ended.code == 0
    assert ended.out == "Sending was not paused. 0 messages wait in the outbox.\n"
