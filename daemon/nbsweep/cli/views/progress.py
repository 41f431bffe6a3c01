"""Live progress on a terminal, made from the same events as the log."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from nbsweep.cli.text import printable
from nbsweep.core.events.base import Event
from nbsweep.core.events.http import HttpRetried, HttpThrottled
from nbsweep.core.events.removal import (
    RecoveryFinished,
    RecoveryStarted,
    RemovalAccepted,
    RemovalFinished,
    RemovalRequested,
    RemovalUnanswered,
)
from nbsweep.core.events.sweep import PlanBuilt, SurveyPage, SweepFinished, SweepStarted, SweepStopping

RATE_OVER_S = 5.0
"""Window in seconds over which the rate is measured."""
TROUBLES: Mapping[type[Event], str] = {HttpRetried: "retried", HttpThrottled: "throttled", RemovalUnanswered: "answers lost"}
"""Events that the progress display counts."""


@dataclass(slots=True)
class TargetProgress:
    """The progress of the sweep of one target."""

    phase: str = "starting"
    seen: int = 0
    planned: int = 0
    requested: int = 0
    deleting: set[str] = field(default_factory=set)
    ended: dict[str, int] = field(default_factory=lambda: {"deleted": 0, "failed": 0, "timed_out": 0, "spared": 0})
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    accepted: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    troubles: Counter[str] = field(default_factory=Counter)

    def take(self, event: Event, notebook_id: str) -> None:
        """Count an event."""
        match event:
            case RecoveryStarted(unfinished=unfinished):
                self.phase = f"recovering {unfinished} of an earlier run"
            case RecoveryFinished():
                self.ended = dict.fromkeys(self.ended, 0)
                self.phase = "surveying"
            case SurveyPage(rows=rows):
                self.phase, self.seen = "surveying", self.seen + rows
            case PlanBuilt(items=items):
                self.phase, self.planned = "planned", items
            case SweepStopping():
                self.phase = "stopping: finishing what was accepted"
            case SweepFinished(outcome=outcome):
                self.phase = outcome
            case _:
                self._take_removal(event, notebook_id)
        if type(event) in TROUBLES:
            self.troubles[TROUBLES[type(event)]] += 1

    def _take_removal(self, event: Event, notebook_id: str) -> None:
        match event:
            case RemovalRequested(requests=1):
                self.phase, self.requested = "sweeping", self.requested + 1
            case RemovalAccepted():
                self.deleting.add(notebook_id)
                self.accepted.append(time.monotonic())
            case RemovalFinished(outcome=outcome):
                self.deleting.discard(notebook_id)
                self.ended[outcome] += 1
                self.ends.append(time.monotonic())
            case _:
                pass

    def line(self, now_s: float) -> str:
        """Return the counts in one line."""
        if self.planned == 0:
            return f"{self.phase}, {self.seen} rows" if self.seen else self.phase
        named = {"requested": self.requested, "deleting": len(self.deleting), **self.ended, **self.troubles}
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in named.items() if count]
        left = self.planned - sum(self.ended.values())
        if left:
            counts += self._pace(left, now_s)
        return " · ".join([*([] if self.phase == "sweeping" else [self.phase]), *counts])

    def _pace(self, left: int, now_s: float) -> list[str]:
        rate, ending = _rate(self.accepted, now_s), _rate(self.ends, now_s)
        words = []
        if rate:
            words.append(f"{rate:.0f} DELETEs/s" if rate >= 1 else f"{rate * 60:.0f} DELETEs/min")
        if ending:
            words.append(f"about {left / ending:.0f} s left")
        return words


class LiveProgress:
    """Shows a bar and a line of counts for each target."""

    def __init__(self, console: Console) -> None:
        """Take the terminal."""
        self._progress = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn(
                "{task.fields[line]}", table_column=Column()
            ),  # the only column that may wrap, so that no other column is cut
            console=console,
            refresh_per_second=8,
        )
        self._targets: dict[str, tuple[TaskID, TargetProgress]] = {}

    def __call__(self, event: Event, context: Mapping[str, Any]) -> None:
        """Take an event."""
        target = context.get("target")
        if target is None:
            return
        if isinstance(event, SweepStarted) or target not in self._targets:
            self._targets[target] = (self._progress.add_task(printable(target), total=0, line=""), TargetProgress())
        task, state = self._targets[target]
        state.take(event, str(context.get("notebook_id", "")))
        self._progress.update(
            task,
            total=state.planned,
            completed=sum(state.ended.values()) if state.planned else 0,
            line=state.line(time.monotonic()),
        )

    def view(self) -> RenderableType:
        """Return the view of the current progress."""
        return self._progress.get_renderable()

    def pause(self) -> None:
        """Remove the display until the next `start`."""
        self._progress.live.transient = True
        self._progress.stop()
        self._progress.live.transient = False

    def start(self) -> None:
        """Start or continue the display."""
        self._progress.start()

    def stop(self) -> None:
        """Stop the display and leave its last state on the screen."""
        self._progress.stop()


def _rate(moments: deque[float], now_s: float) -> float:
    recent = [moment for moment in moments if now_s - moment <= RATE_OVER_S]
    return len(recent) / max(now_s - recent[0], 1.0) if recent else 0.0
