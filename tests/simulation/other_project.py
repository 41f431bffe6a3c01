"""Another project without notebooks, which is given the name of a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.cloud import Cloud, refusal
from simulation.history import Call, History
from simulation.wire import Answer

PROJECT = "f" * 32
MOVE_SHARE = 0.3
"""How often the name of a target is given to another project for the process after a killed one."""
RENAME_SHARE = 0.2
"""How often a target has a new name from a process on."""


@dataclass(frozen=True, slots=True)
class OtherProject:
    """A `Cloud` without notebooks; its calls go into the same history."""

    home: Cloud

    @property
    def history(self) -> History:
        """The history of the cloud."""
        return self.home.history

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the other cloud."""
        return getattr(self.home, name)

    def list_answer(self, query: Mapping[str, str], *, everybodys: bool) -> Answer:
        """Return an empty listing, in the dialect of the cloud."""
        refused = self.home.manners.dialect.refusal(query, everybodys=everybodys)
        if refused:
            return refusal(*refused)
        body = f'{{"current":0,"data":[],"pages":0,"size":{int(query.get("limit", "10"))},"total":0}}'
        return Answer(200, body.encode(), {"Content-Type": "application/json"})

    def show_answer(self, _notebook_id: str) -> Answer:
        """Return that the notebook does not exist."""
        return refusal(400, "ModelArts.6309", "The notebook does not exist.")

    def delete_answer(self, notebook_id: str, _call: Call) -> Answer:
        """Likewise."""
        return self.show_answer(notebook_id)

    def stop_answer(self, notebook_id: str, _call: Call) -> Answer:
        """Likewise."""
        return self.show_answer(notebook_id)
