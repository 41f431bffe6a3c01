"""The codes and sentences of what needs an action in a fleet of processes."""

from collections.abc import Mapping
from enum import StrEnum


class FleetCode(StrEnum):
    """What needs an action, apart from its parameters."""

    NO_LEADER = "no-leader"
    LEADER_SILENT = "leader-silent"
    SERVE_LOST = "serve-lost"
    NO_WORKER = "no-worker"
    ONLY_DRAINING = "only-draining"
    WORKER_LOST = "worker-lost"
    JOBS_REFUSED = "jobs-refused"
    SWEEP_FAILED = "sweep-failed"
    """A due sweep has failed; `then` says what follows."""

    # What follows.
    TRIED_NOW = "tried-now"
    TRIED_BY_SILENT_WORKER = "tried-by-silent-worker"
    TRIED_WHEN_FREE = "tried-when-free"
    TRIED_LATER = "tried-later"


ENGLISH: Mapping[str, str] = {
    FleetCode.NO_LEADER: "no `nbsweep serve` leads the fleet, so nothing becomes due by the schedule: start one",
    FleetCode.LEADER_SILENT: (
        "process {pid} on host {host} led the fleet, and has sent no beat for {silent_s}s: start `nbsweep serve`"
    ),
    FleetCode.SERVE_LOST: (
        "the service on host {host} (process {pid}) has reported nothing since {minute}, and fewer run than before: start it "
        "again, or another one"
    ),
    FleetCode.NO_WORKER: "no worker is running, so nothing is swept: start `nbsweep worker`",
    FleetCode.ONLY_DRAINING: "all workers are draining, so nothing more is swept: start `nbsweep worker`",
    FleetCode.WORKER_LOST: (
        "the worker on host {host} (process {pid}) has reported nothing since {minute}, and fewer workers run than before: "
        "other workers take its accounts; start it again, or another one"
    ),
    FleetCode.JOBS_REFUSED: (
        "{jobs} for a worker with the configuration {config}, and the running workers have {theirs}: start the workers anew "
        "with the configuration of `nbsweep serve`"
    ),
    FleetCode.SWEEP_FAILED: "{target}: {failures}: {problem}; {then}",
    FleetCode.TRIED_NOW: "it is tried again now",
    FleetCode.TRIED_BY_SILENT_WORKER: "it was tried again by a worker that reports nothing",
    FleetCode.TRIED_WHEN_FREE: "a worker tries it again as soon as one is free",
    FleetCode.TRIED_LATER: "it is tried again at {minute}",
}
CHINESE: Mapping[str, str] = {
    FleetCode.NO_LEADER: "没有 `nbsweep serve` 负责按计划发起清理，因此不会有清理到期：请启动一个",
    FleetCode.LEADER_SILENT: (
        "主机 {host} 上的进程 {pid} 曾负责按计划发起清理，但已有 {silent_s} 秒没有上报：请启动 `nbsweep serve`"
    ),
    FleetCode.SERVE_LOST: (
        "主机 {host} 上的服务（进程 {pid}）自 {minute} 起没有上报状态，且运行的服务比以前少：请重新启动它，或启动另一个"
    ),
    FleetCode.NO_WORKER: "没有工作进程在运行，因此不会进行清理：请启动 `nbsweep worker`",
    FleetCode.ONLY_DRAINING: "所有工作进程都在退出，因此不再进行清理：请启动 `nbsweep worker`",
    FleetCode.WORKER_LOST: (
        "主机 {host} 上的工作进程（进程 {pid}）自 {minute} 起没有上报状态，且运行的工作进程比以前少："
        "其他工作进程会接手它的账号；请重新启动它，或启动另一个"
    ),
    FleetCode.JOBS_REFUSED: (
        "{jobs} 个作业在等待配置为 {config} 的工作进程，而运行中的工作进程的配置为 {theirs}："
        "请以 `nbsweep serve` 的配置重新启动工作进程"
    ),
    FleetCode.SWEEP_FAILED: "{target}：最近 {failures} 次清理失败：{problem}；{then}",
    FleetCode.TRIED_NOW: "现正重试",
    FleetCode.TRIED_BY_SILENT_WORKER: "曾由一个没有上报状态的工作进程重试",
    FleetCode.TRIED_WHEN_FREE: "一有空闲的工作进程就会重试",
    FleetCode.TRIED_LATER: "将于 {minute} 重试",
}
