"""Examples of each command, for the end of its `--help` and for the manual page."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "init": (
        "nbsweep init",
        "nbsweep init --yes --region cn-north-4 --credentials keys",
        "nbsweep init --yes --grace 7d --mail-host mail.example.com --owners-domain example.com",
    ),
    "validate": ("nbsweep validate -c nbsweep.yaml",),
    "check": ("nbsweep check", "nbsweep check --format json"),
    "schema": ("nbsweep schema > nbsweep.schema.json",),
    "plan": (
        "nbsweep plan",
        "nbsweep plan --wide | less -S",
        "nbsweep plan --out plan.json --valid-for 12h",
        "nbsweep plan --format csv > plan.csv",
        "nbsweep plan --policy idle --exclude bert-eval-07",
    ),
    "list": (
        "nbsweep list",
        "nbsweep list --within 7d --owner wei.chen",
        "nbsweep list --verdict keep --policy idle --sort size",
        "nbsweep list --format csv > fleet.csv",
    ),
    "explain": (
        "nbsweep explain 6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "nbsweep explain bert-eval-07",
        "nbsweep explain 6fa4 --all-targets",
    ),
    "backtest": (
        "nbsweep backtest",
        "nbsweep backtest --policies new.yaml --compare current --max-regret 2%",
        "nbsweep backtest --since 180d --horizon 14d --thresholds 7d,14d,30d",
        "nbsweep backtest --chart --thresholds 7d,14d,30d,60d",
        "nbsweep backtest --format html > report.html",
    ),
    "run": (
        "nbsweep run --dry-run",
        "nbsweep run",
        "nbsweep run --plan plan.json --yes",
        "nbsweep run --yes --format json",
        "nbsweep run --enforce",
    ),
    "fleet": ("nbsweep fleet", "nbsweep fleet --wide | less -S", "nbsweep fleet --format json"),
    "fleet status": ("nbsweep fleet status",),
    "fleet drain": ("nbsweep fleet drain worker-1:4711",),
    "worker": ("nbsweep worker -c /etc/nbsweep/nbsweep.yaml", "nbsweep worker --listen 0.0.0.0:9465"),
    "serve": ("nbsweep serve -c /etc/nbsweep/nbsweep.yaml", "nbsweep serve --reload"),
    "pause": ("nbsweep pause", 'nbsweep pause research --until 8h --reason "storage migration"'),
    "resume": ("nbsweep resume research",),
    "sweep": ("nbsweep sweep research",),
    "notify test": ("nbsweep notify test ops", "nbsweep notify test mail --to wei.chen@example.com --language zh"),
    "notify pause": ('nbsweep notify pause --until 8h --reason "mail server migration"',),
    "notify resume": ("nbsweep notify resume",),
    "notify preview": (
        "nbsweep notify preview",
        "nbsweep notify preview --language zh --format html > mail.html",
        "nbsweep notify preview --event sweep.refused",
    ),
    "marks": ("nbsweep marks", "nbsweep marks --untold", "nbsweep marks --owner wei.chen --state due --format json"),
    "exempt add": (
        'nbsweep exempt add bert-eval-07 --until 2026-12-31 --reason "paper deadline"',
        'nbsweep exempt add --owner wei.chen --until 30d --reason "on parental leave" --ticket OPS-1234',
        "nbsweep exempt add --name 'exp-*' --until 14d --reason \"benchmark of the quarter\" --target research",
    ),
    "exempt list": ("nbsweep exempt list", "nbsweep exempt list --all --format json"),
    "exempt revoke": ('nbsweep exempt revoke 7k2mqx --reason "the paper is out"',),
    "outbox": ("nbsweep outbox", "nbsweep outbox --failed"),
    "outbox retry": ("nbsweep outbox retry --all",),
    "status": ("nbsweep status", "nbsweep status --format json"),
    "history": ("nbsweep history", "nbsweep history --chart --since 90d", "nbsweep history --limit 100 --format json"),
    "show": ("nbsweep show last", "nbsweep show 20261129T0949 --wide"),
    "inventory": ("nbsweep inventory 6fa459ea", "nbsweep inventory --at 2026-11-01 --format csv > fleet.csv"),
    "audit": ("nbsweep audit --since 7d --what requested", "nbsweep audit --notebook bert-eval-07"),
    "audit verify": ("nbsweep audit verify",),
    "audit export": ("nbsweep audit export --out trail.jsonl",),
    "journal prune": ("nbsweep journal prune --dry-run", "nbsweep journal prune --yes --format json"),
    "demo": ("nbsweep demo", "nbsweep demo --notebooks 1000 --seed 3", "nbsweep demo --serve"),
    "simulator": ("nbsweep simulator --port 8080 --notebooks 200 --write-config nbsweep.yaml",),
}


def example_text(command: str) -> str:
    """Return the examples of a command as a paragraph that is not wrapped again; empty if there are none."""
    examples = EXAMPLES.get(command, ())
    # The first line keeps the lines of the paragraph as they are.
    return (
        "\n".join(["\b", "Example:" if len(examples) == 1 else "Examples:", *(f"  {each}" for each in examples)])
        if examples
        else ""
    )
