"""Import all of nbsweep, and what it imports when it is needed: the processes of `forked` start from here."""

import os
import re
from importlib import import_module
from pkgutil import walk_packages

os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

import nbsweep
from nbsweep.cli.preload import load_for_sweeping

WHEN_NEEDED = ("anyio._backends._asyncio", "apscheduler.executors.asyncio", "concurrent.futures.thread", "uvloop")

for module in walk_packages(nbsweep.__path__, "nbsweep."):
    if not re.search(r"\.(__main__|versions\..*)$", module.name):
        import_module(module.name)
for name in WHEN_NEEDED:
    import_module(name)
load_for_sweeping(tables=True)
