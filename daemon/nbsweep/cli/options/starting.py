"""The commands before the first sweep: they write and check a configuration.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from typing import Annotated

import typer

from nbsweep.cli.options.shared import ConfigOption, TableOrJson, not_empty
from nbsweep.cli.starter import Credentials, Rule

EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", metavar="URL", help="The address of ModelArts where no region gives it.")
]
CredentialsOption = Annotated[
    Credentials | None,
    typer.Option("--credentials", help="Their source: the standard chain, variables with keys or a user, or an agency."),
]
RulesOption = Annotated[list[Rule] | None, typer.Option("--rule", help="A policy to write into the file. May be repeated.")]


def init(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: take the defaults for what no option says.")] = False,
    name: Annotated[str, typer.Option("--name", help="The target's name in logs and reports.", callback=not_empty)] = "default",
    region: Annotated[str | None, typer.Option("--region", help="The region, such as cn-north-4.")] = None,
    endpoint: EndpointOption = None,
    project_id: Annotated[
        str | None, typer.Option("--project-id", help="32 hexadecimal digits; else looked up by the region.")
    ] = None,
    credentials: CredentialsOption = None,
    rule: RulesOption = None,
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="7d", help="Tell owners by mail this long before a deletion.")
    ] = None,
    mail_host: Annotated[str | None, typer.Option("--mail-host", metavar="HOST", help="The mail server.")] = None,
    mail_from: Annotated[
        str | None, typer.Option("--mail-from", metavar="ADDRESS", help="The sender; default: nbsweep at the owners' domain.")
    ] = None,
    owners_domain: Annotated[
        str | None, typer.Option("--owners-domain", metavar="DOMAIN", help="Owners have their name as address at this domain.")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Print a configuration with every key and its default.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the configuration's JSON Schema, for editors.")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="Print the systemd unit of the service.")] = False,
    systemd_sweep: Annotated[bool, typer.Option("--systemd-sweep", help="Print the systemd unit of a single sweep.")] = False,
    systemd_timer: Annotated[bool, typer.Option("--systemd-timer", help="Print the timer that starts it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a first configuration: asks, or takes options. A dry run with small brakes; never overwrites a file."""
    from nbsweep.cli.commands.init import Given, init_command, print_packaged

    files = {
        "nbsweep.yaml": sample,
        "nbsweep.schema.json": schema,
        "nbsweep.service": systemd,
        "nbsweep-sweep.service": systemd_sweep,
        "nbsweep-sweep.timer": systemd_timer,
    }
    if any(files.values()):
        print_packaged([file for file, wanted in files.items() if wanted])
        return
    told = (grace, mail_host, mail_from, owners_domain)
    given = Given(name, region, endpoint, project_id, credentials, tuple(rule or ()), *told)
    init_command(given, config or context.obj, ask=not yes)


def validate(
    context: typer.Context,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 also for doubtful rules.")] = False,
    output: TableOrJson = "table",
    config: ConfigOption = None,
) -> None:
    """Report every mistake in the configuration and every doubtful rule at once. Makes no call."""
    from nbsweep.cli.commands.validate import validate_command

    raise typer.Exit(validate_command(config or context.obj, output, strict=strict))


def check(context: typer.Context, output: TableOrJson = "table", config: ConfigOption = None) -> None:
    """Check the configuration, credentials, permissions, clock and quotas. Changes nothing; says which permissions to grant."""
    from nbsweep.cli.commands.check import check_command
    from nbsweep.cli.screen import plain_screen
    from nbsweep.cli.session import load, make_session, run

    run(
        make_session(load(config or context.obj), plain_screen()),
        lambda session: check_command(session, output, config or context.obj),
    )


def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from nbsweep.cli.commands.schema import schema_command

    schema_command()
