"""`simulator`: the simulated cloud without a sweep. Imports none of the modules that a sweep needs."""

import asyncio
import json
import shlex
import sys
from functools import partial
from pathlib import Path

import typer

from nbsweep.simulator import RunningSimulator, SimulatorOptions, announce, read_options, serve

MARK = "# Written by `nbsweep simulator --write-config`, which writes it anew as long as this line is its first."
CONFIGURATION = """\
{mark}
# The keys are those of a simulated cloud, and no secrets. Start with: nbsweep --config {file} check
mode: dry-run
journal: {journal}
schedule: {{cron: "0 3 * * *", timezone: UTC}}
targets:
  - name: simulated
    endpoint: {url}
    iam_endpoint: {url}
    project_id: {project_id}
    credentials: {credentials}
    features: [NOTEBOOK, DEFAULT]
policies:
  - name: failed
    match: {{status: [CREATE_FAILED, START_FAILED, ERROR, DELETE_FAILED], idle_over: 1d}}
  - name: idle
    match: {{status: STOPPED, idle_over: 14d}}
protect:
  - {{name: ["keep-*", "prod-*"]}}
  - {{tags: {{keep: "*"}}}}
brakes: {{on_excess: trim}}
"""


def simulator_command(
    port: int, options: Path | None, *, seed: int | None, notebooks: int | None, config: Path | None = None
) -> None:
    """Serve a simulated cloud until told to stop; write a configuration for it if a file is named."""
    try:
        text = _read(options) if options else b"{}"
        chosen = read_options(text, seed=seed, notebooks=notebooks)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--options") from error
    if config:
        _refuse_foreign_file(config)
    try:
        asyncio.run(serve(chosen, "127.0.0.1", port, on_ready=partial(_report_ready, config)))
    except OSError as error:
        raise typer.BadParameter(str(error), param_hint="--port") from error


def _read(options: Path) -> bytes:
    return sys.stdin.buffer.read() if str(options) == "-" else options.read_bytes()


def _refuse_foreign_file(config: Path) -> None:
    """Raise if the file exists and this command did not write it."""
    try:
        with config.open(encoding="utf-8", errors="replace") as file:
            first = file.readline().rstrip("\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(config, error.strerror or "unknown reason") from error
    if first != MARK:
        raise _unusable(config, "it exists, and this command did not write it; name another file")


def _unusable(config: Path, reason: str) -> typer.BadParameter:
    return typer.BadParameter(f"{config} is not written: {reason}", param_hint="--write-config")


def _report_ready(config: Path | None, simulator: RunningSimulator) -> None:
    if config:
        try:
            config.write_text(configuration_text(config, simulator.url, simulator.options), encoding="utf-8")
        except OSError as error:
            raise _unusable(config, error.strerror or "unknown reason") from error
    announce(simulator)
    if sys.stderr.isatty():
        sys.stderr.write(_next_step(config))


def _next_step(config: Path | None) -> str:
    if config is None:
        return "--write-config FILE writes a configuration for this cloud.\n"
    return f"In another terminal: nbsweep --config {shlex.quote(str(config))} plan\n"


def configuration_text(config: Path, url: str, options: SimulatorOptions) -> str:
    """Return a configuration for a simulated cloud; its journal is beside the file."""
    return CONFIGURATION.format(
        mark=MARK,
        file=shlex.quote(str(config)),
        journal=json.dumps(f"sqlite:///{config.absolute().with_suffix('.db')}"),
        url=url,
        project_id=options.access.project_id,
        credentials=json.dumps(_credentials(options)),
    )


def _credentials(options: SimulatorOptions) -> dict[str, str] | None:
    access = options.access
    if access.access_keys:
        key = access.access_keys[0]
        token = {"security_token": key.security_token} if key.security_token else {}
        return {"access_key": key.access_key, "secret_key": key.secret_key, **token}
    if access.users:
        user = access.users[0]
        return {"username": user.name, "password": user.password, "domain": user.domain}
    return None
