"""Changes between two pages of a listing, which shift the rows behind."""

from nbsweep.simulator.api.exchange import Call
from nbsweep.simulator.descriptions import NotebookSpec
from nbsweep.simulator.state import specs
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.model import Instance
from nbsweep.simulator.state.query import Query
from nbsweep.simulator.vocabulary import FaultName

_HALF = 0.5


def tear(cloud: Cloud, query: Query, shown: list[Instance], fault: FaultName, call: Call) -> None:
    """Add a row to the listing, or remove one of the page that was just `shown`."""
    key = ("tear", call.subject.target, call.subject.nth)
    appears = cloud.randomness.number(*key) < _HALF if fault == "torn_pages" else fault == "row_appears"
    # Only somebody else's doing is wanted here: what the API has been told to delete goes its own way.
    candidates = [instance for instance in shown if instance.status not in {"DELETING", "DELETED"}]
    if appears:
        spec = NotebookSpec(name="just-created-01", feature=query.features[0], workspace_id=query.workspace_id)
        specs.create(cloud, spec, at_s=call.at_s, cause="user")
    elif candidates:
        chosen = int(cloud.randomness.number(*key, "which") * len(candidates))
        cloud.end(candidates[chosen], at_s=call.at_s, cause="user")
