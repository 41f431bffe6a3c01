"""Run nbsweep as ever, but with a bug in it: `buggy.py WHERE ARGUMENT...` raises where secrets are at hand.

WHERE is `sign`, `token`, `page` or `show`: a request is being signed, a token or a page or a notebook is being read.
"""

import sys
from typing import Any, NoReturn

from nbsweep.__main__ import main
from nbsweep.adapters.cloud import wire
from nbsweep.adapters.cloud.auth import metadata, tokens
from nbsweep.adapters.cloud.auth.signing import Signer

PLACES: dict[str, tuple[Any, str]] = {
    "sign": (Signer, "headers"),
    "token": (tokens, "life_s"),
    "metadata": (metadata, "life_s"),
    "page": (wire, "read_page"),
    "show": (wire, "_notebook"),
}


def bug(*arguments: Any, **_options: Any) -> NoReturn:
    """Fail the way programs do; what it was given is in the frame, and not to be in the trace."""
    raise ZeroDivisionError(f"a bug, with {len(arguments)} arguments at hand")


if __name__ == "__main__":
    module, name = PLACES[sys.argv.pop(1)]
    setattr(module, name, bug)
    main()
