"""docs/howto/try-a-policy.md: somebody who follows it, at a cloud whose past real sweeps have recorded."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import yaml

from acceptance.quickstart import Command, Shell
from acceptance.support import ended_afterwards, minimal_environment, target

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "try-a-policy.md"
HERE = Path(__file__).parent
PART = re.compile(r"(?ms)^```(?P<language>\w+)\n(?P<content>.*?)^```$|^<!-- (?P<days>\d+) days pass -->$")
"""A block, or the time that passes between two blocks."""
FILE = re.compile(r"\A# (?P<name>[\w.-]+\.yaml)\n")
"""The first line of a block that is a file of its own, and no part of the configuration."""


@dataclass
class Reader:
    """Somebody who follows the page: a shell, the configuration so far, and the cloud, which goes on."""

    shell: Shell
    cloud: "subprocess.Popen[bytes]"
    document: dict[str, Any]

    def write(self, content: str) -> None:
        """Write a block of YAML: a file of its own, or sections of the configuration."""
        if found := FILE.match(content):
            (self.shell.folder / found["name"]).write_text(content, encoding="utf-8")
            return
        self.document |= cast("Mapping[str, Any]", yaml.safe_load(content))
        (self.shell.folder / "nbsweep.yaml").write_text(yaml.safe_dump(self.document), encoding="utf-8")

    def run(self, command: Command) -> str:
        """Run a command, and return what the terminal shows."""
        shown = self.shell.run(command, "")
        assert command.found == command.code, f"{command.line}: exit code {command.found}: {shown}"
        return shown

    def wait(self, days: int) -> None:
        """Let days pass, with a sweep at the end of each."""
        stdin, stdout = cast("IO[bytes]", self.cloud.stdin), cast("IO[bytes]", self.cloud.stdout)
        stdin.write(b"%d\n" % days)
        stdin.flush()
        assert stdout.readline(), "the cloud or a sweep has failed; its stderr says why"


@contextmanager
def reading() -> Iterator[Reader]:
    """Start the cloud, with a configuration that has no policy yet."""
    with ExitStack() as stack:
        folder, home, programs = (Path(stack.enter_context(TemporaryDirectory())) for _ in range(3))
        shell = Shell(folder, home, programs=programs)
        program = programs / "nbsweep"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={HERE.parent} exec {sys.executable} {HERE / "slept.py"} {folder}/ahead "$@"\n'
        )
        program.chmod(0o755)
        cloud = stack.enter_context(_cloud(folder, home))
        url = json.loads(cast("IO[bytes]", cloud.stdout).readline())["url"]
        yield Reader(
            shell, cloud, {"targets": [target(url) | {"name": "research"}], "journal": f"sqlite:///{folder}/journal.db"}
        )


@contextmanager
def _cloud(folder: Path, home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, str(HERE / "recorded_past.py"), str(folder)]
    environment = minimal_environment(home) | {"PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment)
    with ended_afterwards(process):
        yield process
