"""What the web face offers, as a table: the router and the OpenAPI document are both made from it."""

from msgspec import Struct

from nbsweep.service.web.errors import Code


class Operation(Struct, frozen=True):
    """One thing that the API offers."""

    method: str
    path: str
    name: str
    """What programs call it."""
    summary: str
    gives: str
    """The shape of its answer: a schema's name, or a media type where it is no JSON."""
    fails: tuple[Code, ...] = ()
    """With what beyond that which any request can meet."""
    status: int = 200
    query: tuple[str, ...] = ()
    """What its query may hold."""

    @property
    def changes(self) -> bool:
        """Tell whether it needs the token everywhere."""
        return self.method != "GET"


API = "/api/v1"
TARGET = f"{API}/targets/{{name}}"
JOURNAL, MISSING = Code.JOURNAL_FAILED, Code.NOT_FOUND
OPERATIONS = (
    Operation("GET", "/healthz", "live", "Whether it lives at all; never needs the token.", "text/plain"),
    Operation("GET", "/readyz", "ready", "Whether it can do its work.", "text/plain", (Code.NOT_READY,)),
    Operation("GET", "/metrics", "metrics", "Its metrics, for Prometheus.", "text/plain"),
    Operation("GET", f"{API}/openapi.json", "openapi", "This document.", "object"),
    Operation("GET", f"{API}/targets", "targets", "How all targets stand.", "Targets"),
    Operation("GET", TARGET, "target", "One target, its last sweep, what has no end.", "TargetInFull", (MISSING, JOURNAL)),
    Operation("GET", f"{API}/runs", "runs", "The latest sweeps, the newest first.", "Runs", (JOURNAL,), query=("limit",)),
    Operation(
        "GET",
        f"{API}/runs/{{run_id}}",
        "run",
        "One run, and a page of its removals.",
        "RunInFull",
        (MISSING, JOURNAL),
        query=("limit", "offset"),
    ),
    Operation(
        "GET",
        f"{API}/removals/{{notebook_id}}",
        "removals",
        "All removals of one notebook, the newest first.",
        "Removals",
        (JOURNAL,),
    ),
    Operation(
        "POST",
        f"{TARGET}/plan",
        "plan",
        "A plan as of now. Changes nothing on the cloud, but costs calls.",
        "Plan",
        (MISSING, Code.CONFLICT, Code.CLOUD_FAILED, JOURNAL),
    ),
    Operation("POST", f"{TARGET}/sweep", "sweep", "A sweep, soon.", "Target", (MISSING, Code.CONFLICT), 202),
    Operation("POST", f"{TARGET}/pause", "pause", "Begin no more sweeps.", "Target", (MISSING, JOURNAL)),
    Operation("POST", f"{TARGET}/resume", "resume", "Take a pause back.", "Target", (MISSING, JOURNAL)),
)
