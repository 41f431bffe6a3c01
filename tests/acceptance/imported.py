"""Import all of nbsweep, and what it imports when it is needed: the processes of `forked` start from here."""

import gc
import os
import re
from importlib import import_module
from pkgutil import walk_packages

os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

import nbsweep

WHEN_NEEDED = ("anyio._backends._asyncio", "apscheduler.executors.asyncio", "concurrent.futures.thread", "uvloop")

# All of it stays.
gc.disable()
for module in walk_packages(nbsweep.__path__, "nbsweep."):
    if not re.search(r"\.(__main__|versions\..*)$", module.name):
        import_module(module.name)
for name in WHEN_NEEDED:
    import_module(name)
import_module("nbsweep.cli.preload").load_for_sweeping(tables=True)
gc.freeze()
gc.enable()
