"""Events of a fleet: the leading `serve` records what is due, and workers carry it out."""

from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event, Level


class LeadershipBegun(Event, frozen=True):
    """This process starts what is due from now on, because it holds the fence `cron`."""

    name: ClassVar[str] = "fleet.leading"


class LeadershipEnded(Event, frozen=True):
    """This process starts nothing any more, because it has lost or released the fence `cron`."""

    name: ClassVar[str] = "fleet.not_leading"
    level: ClassVar[Level] = "warning"


class AccountUnidentified(Event, frozen=True):
    """IAM did not say whose the credentials of a target are; only processes with the same credentials agree on the account."""

    name: ClassVar[str] = "account.unidentified"
    level: ClassVar[Level] = "warning"
    account: str
    """The account that the credentials stand for."""
    problem: str


class SweepDue(Event, frozen=True):
    """A sweep was recorded as due; a worker will carry it out."""

    name: ClassVar[str] = "fleet.sweep_due"
    account: str
    by: str
    """Who or what asked for it."""
    due_at: datetime
    """The due time of the schedule, or the time of the request."""


class JobStalled(Event, frozen=True):
    """The job of an account was taken from a worker without a heartbeat; another one continues when the account is free."""

    name: ClassVar[str] = "fleet.job_stalled"
    level: ClassVar[Level] = "warning"
    account: str


class WorkerStarted(Event, frozen=True):
    """The worker has started, and takes jobs."""

    name: ClassVar[str] = "worker.started"
    accounts: int
    """The number of accounts that it can sweep."""
    accounts_at_once: int
    configuration: str
    """The digest of its configuration; it takes jobs of this one only."""


class WorkerStopping(Event, frozen=True):
    """The worker takes no more jobs, and waits for the sweeps under way up to a limit."""

    name: ClassVar[str] = "worker.stopping"
    sweeping: int
    """The number of accounts that it sweeps."""
    drain_s: float


class WorkerStopped(Event, frozen=True):
    """The worker has stopped."""

    name: ClassVar[str] = "worker.stopped"


class AccountLeft(Event, frozen=True):
    """What is due on an account was not carried out to its end; another job continues it."""

    name: ClassVar[str] = "worker.account_left"
    level: ClassVar[Level] = "warning"
    account: str
    problem: str


class ConfigurationDiffers(Event, frozen=True):
    """Jobs wait for a worker with another configuration; this one refuses them."""

    name: ClassVar[str] = "worker.configuration_differs"
    level: ClassVar[Level] = "warning"
    jobs: int
    wanted: str
    """The digest of the configuration of these jobs."""
    configuration: str
    """The digest of the configuration of this worker."""
