"""Where the program begins: ``nbsweep``, or ``python -m nbsweep``."""

from nbsweep.cli.main import app


def main() -> None:
    """Run the command line."""
    app(prog_name="nbsweep")


if __name__ == "__main__":
    main()
