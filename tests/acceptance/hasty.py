"""Run nbsweep as `slept.py` does, with a relay that works several times in a second: `hasty.py FILE ARGUMENT...`."""

import sys
from pathlib import Path

from acceptance.slept import put_ahead
from nbsweep.__main__ import main
from nbsweep.engine.notices import relay

if __name__ == "__main__":
    put_ahead(Path(sys.argv.pop(1)))
    relay.ROUND_S = 0.2
    main()
