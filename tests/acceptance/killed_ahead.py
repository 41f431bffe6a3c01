"""Run nbsweep with a wall clock that is ahead, as `slept.py` does, and kill it, as `killed.py` does.

`killed_ahead.py FILE MOMENT NUMBER ARGUMENT...`
"""

import sys
from pathlib import Path

from acceptance.killed import doom
from acceptance.slept import put_ahead
from nbsweep.__main__ import main

if __name__ == "__main__":
    put_ahead(Path(sys.argv.pop(1)))
    doom(sys.argv.pop(1), int(sys.argv.pop(1)))
    main()
