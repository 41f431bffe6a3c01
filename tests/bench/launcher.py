"""Runs one command to its end and writes down what it used: `launcher.py REPORT PATIENCE_S COMMAND...`.

A process of its own, and a small one on purpose: the kernel counts a child's peak memory from that of the process that
started it, and one that has read a long request log would lend its own size to all it measures.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

GRACE_S = 10.0
"""Seconds from the request to end until the end by force."""


def main() -> int:
    """Run the command; SIGTERM ends it at once, and patience that has run out ends it politely first."""
    report, patience_s, *command = sys.argv[1:]
    # Whoever asks to end meanwhile waits until there is a child to end.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.posix_spawn(command[0], command, os.environ, setsigmask=())
    asked: list[float] = []

    def out_of_patience(_number: int, _frame: object) -> None:
        os.kill(child, signal.SIGKILL if asked else signal.SIGTERM)
        asked.append(time.time())
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    signal.signal(signal.SIGALRM, out_of_patience)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.kill(child, signal.SIGKILL))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.setitimer(signal.ITIMER_REAL, float(patience_s))
    _, status, usage = os.wait4(child, 0)
    ended_at = time.time()
    signal.setitimer(signal.ITIMER_REAL, 0)
    figures = {
        "code": os.waitstatus_to_exitcode(status),
        "ended_at": ended_at,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
        "cut_off": bool(asked),
    }
    Path(report).write_text(json.dumps(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
