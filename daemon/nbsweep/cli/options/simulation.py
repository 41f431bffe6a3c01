"""The commands that need no cloud: `demo` and `simulator`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    notebooks: Annotated[int, typer.Option("--notebooks", min=1, help="The number of notebooks in the simulated fleet.")] = 400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = 7,
    svg: Annotated[Path | None, typer.Option("--svg", help="Save the screen as an SVG picture in this file.")] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show the pages of the service instead, on a fleet with three months of past.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="With --serve: the port of the pages; 0 for a free one.")
    ] = 0,
    as_owner: Annotated[
        str | None,
        typer.Option("--as-owner", metavar="NAME", help="With --serve: the owner as whom a second address signs in."),
    ] = None,
) -> None:
    """Run a simulated cloud and a sweep of it. Needs neither a configuration nor an account.

    With --serve, run the service on a simulated fleet instead, with its past, until Ctrl-C.
    """
    if serve:
        from nbsweep.cli.commands.demo_serve import ServedDemo, demo_serve_command

        demo_serve_command(ServedDemo(seed, port, as_owner))
        return
    from nbsweep.cli.commands.demo import demo_command

    demo_command(notebooks, seed, svg)


def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port on 127.0.0.1; 0 for a free port.")] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = None,
    notebooks: Annotated[int | None, typer.Option("--notebooks", min=0, help="The number of notebooks.")] = None,
    options: Annotated[Path | None, typer.Option("--options", help="A JSON file of the keys above, or - for stdin.")] = None,
    write_config: Annotated[
        Path | None,
        typer.Option("--write-config", metavar="FILE", help="Write a ready configuration for it; never over another file."),
    ] = None,
) -> None:
    """Run the simulated cloud on its own. Prints one JSON line with its address and keys when it is ready.

    --options takes a JSON object with these keys. docs/reference/simulator.md has the meaning and the default of each.

    \b
    seed
    fleet:    notebooks, instances, workspaces, codelab_share, owners,
              protected_name_share, protected_tag_share, min_age_days,
              max_age_days, statuses
    access:   project_id, region, account, access_keys, users, iam_url,
              token_lifetime_s, clock_skew_s, projects_found, metadata_mode,
              metadata_key_lifetime_s, metadata_user, metadata_permissions
    people:   emails, email_domain, without_email, no_email_as, gone,
              disabled
    limits:   per_api, per_user, refused_calls_count, retry_after_s,
              name_the_limit
    timing:   latency_median_s, latency_spread, deletion_median_s,
              deletion_spread, create_s, start_s, stop_s, snapshot_s, stale_s,
              deleted_row_s
    faults:   rates, script, hang_s, fail_reason
    dialect:  delete_requires_stopped, delete_frozen, gone_answer,
              strict_limit, offset_as, largest_page, closed_workspaces,
              closed_answer, filters_accessible, list_timestamps,
              workspace_parameter, feature_parameter, own_lists_all,
              list_omits, omits, sort_keys, sort_refusal, no_list_all,
              date_header, hides_deleting, gateway_prefix, lease_type,
              row_user, integer_workspace_ids, extra_fields, compress,
              mask_security_token
    """  # noqa: D301  # click reads the character
    from nbsweep.cli.commands.simulator import simulator_command

    simulator_command(port, options, seed=seed, notebooks=notebooks, config=write_config)
