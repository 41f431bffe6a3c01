"""Keystone as a web server on loopback, by the configuration that OS_KEYSTONE_CONFIG_FILES names; run by .venv-keystone."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from keystone.server.wsgi import initialize_public_application
from werkzeug.serving import run_simple

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def logged(application: Application) -> Application:
    """Write a line for each request: Keystone's own logging silences the server's."""

    def answer(environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        sys.stdout.write(f"{environment['REQUEST_METHOD']} {environment['PATH_INFO']}\n")
        sys.stdout.flush()
        return application(environment, start)

    return answer


if __name__ == "__main__":
    port = int(sys.argv.pop())  # Keystone reads the command line itself, and knows no port
    run_simple("127.0.0.1", port, logged(initialize_public_application()), threaded=True)
