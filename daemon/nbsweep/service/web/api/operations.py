"""The operations of the HTTP API as a table, from which the router and the OpenAPI document are made."""

from msgspec import Struct

from nbsweep.service.web.errors import Code


class Operation(Struct, frozen=True):
    """One operation of the API."""

    method: str
    path: str
    name: str
    """The operation ID."""
    summary: str
    gives: str
    """The schema name of its response, or the media type if the response is not JSON."""
    fails: tuple[Code, ...] = ()
    """The error codes beyond those that any request can get."""
    status: int = 200
    query: tuple[str, ...] = ()
    """The allowed query keys."""
    takes: str = ""
    """The schema name of its body; empty if it takes none."""
    body_optional: bool = False
    approves: bool = False
    """Whether the role approver is enough for a change."""

    @property
    def changes(self) -> bool:
        """Return whether the operation always needs the token."""
        return self.method != "GET"


API = "/api/v1"
TARGET = f"{API}/targets/{{name}}"
PLAN = f"{API}/plans/{{plan_id}}"
JOURNAL, MISSING = Code.JOURNAL_FAILED, Code.NOT_FOUND
OPERATIONS = (
    Operation("GET", "/healthz", "live", "Liveness: whether the process responds. Never needs a token.", "text/plain"),
    Operation(
        "GET", "/readyz", "ready", "Readiness: whether the service can sweep its targets.", "text/plain", (Code.NOT_READY,)
    ),
    Operation("GET", "/metrics", "metrics", "The metrics in the Prometheus text format.", "text/plain"),
    Operation("GET", f"{API}/openapi.json", "openapi", "The description of this API, as OpenAPI 3.1.", "object"),
    Operation("GET", f"{API}/targets", "targets", "The state of all targets.", "Targets"),
    Operation(
        "GET", TARGET, "target", "One target, its last sweep, and its unfinished removals.", "TargetInFull", (MISSING, JOURNAL)
    ),
    Operation(
        "GET",
        f"{API}/fleet",
        "fleet",
        "The workers of a fleet, who leads it, who holds which account, and what is due. Not found without a fleet.",
        "FleetStatus",
        (MISSING, JOURNAL),
    ),
    Operation("GET", f"{API}/runs", "runs", "The latest sweeps, the newest first.", "Runs", (JOURNAL,), query=("limit",)),
    Operation(
        "GET",
        f"{API}/runs/{{run_id}}",
        "run",
        "One run, and one page of its removals.",
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
        "GET",
        f"{API}/notebooks/{{notebook_id}}/explain",
        "explain",
        "Every rule's result for one notebook, as it is now. Costs a call for each target, and is limited.",
        "Explain",
        (MISSING, Code.TOO_MANY_REQUESTS, Code.CLOUD_FAILED, JOURNAL),
        query=("target",),
    ),
    Operation(
        "GET",
        f"{API}/marks",
        "marks",
        "The open marks, or those in one state, the newest first: who is announced, who was told, and when it is due.",
        "Marks",
        (JOURNAL,),
        query=("limit", "state", "target", "owner"),
    ),
    Operation(
        "GET",
        f"{API}/marks/{{notebook_id}}",
        "marks_of_notebook",
        "All marks of one notebook, the newest first.",
        "MarksOfNotebook",
        (JOURNAL,),
    ),
    Operation(
        "GET",
        f"{API}/outbox",
        "outbox",
        "The latest messages to owners and operators, without addresses and texts, and whether sending is paused.",
        "Messages",
        (JOURNAL,),
        query=("limit", "state"),
    ),
    Operation(
        "POST",
        f"{API}/outbox/{{key}}/retry",
        "retry",
        "Send a failed message again, as soon as possible.",
        "Message",
        (MISSING, Code.CONFLICT, JOURNAL),
    ),
    Operation(
        "POST",
        f"{TARGET}/plan",
        "plan",
        "Make a plan now. Only reads from the cloud, but uses calls of the quota.",
        "Plan",
        (MISSING, Code.CONFLICT, Code.CLOUD_FAILED, JOURNAL),
        approves=True,
    ),
    Operation(
        "GET",
        f"{TARGET}/plan",
        "last_plan",
        "The last plan that was made of the target by this service, with one page of its notebooks. Costs no call.",
        "Draft",
        (MISSING,),
        query=("limit", "offset"),
    ),
    Operation(
        "POST",
        f"{TARGET}/plan/exclude",
        "exclude",
        "Exclude notebooks from the last plan, and from no other. The plan has another digest then.",
        "Draft",
        (MISSING, Code.CONFLICT, Code.WRONG_TYPE),
        takes="Exclusion",
        approves=True,
    ),
    Operation(
        "POST",
        f"{TARGET}/plan/approve",
        "approve",
        "Approve the last plan, which must have this digest. Deletes nothing.",
        "ApprovedPlan",
        (MISSING, Code.CONFLICT, Code.WRONG_TYPE, JOURNAL),
        201,
        takes="Approval",
        approves=True,
    ),
    Operation(
        "GET",
        f"{API}/plans",
        "approved_plans",
        "The latest approved plans, the newest first.",
        "ApprovedPlans",
        (JOURNAL,),
        query=("limit",),
    ),
    Operation("GET", PLAN, "approved_plan", "One approved plan.", "ApprovedPlan", (MISSING, JOURNAL)),
    Operation(
        "POST",
        f"{PLAN}/compare",
        "compare",
        "What has changed since a plan was approved. Only reads from the cloud, but uses calls of the quota.",
        "PlanChanges",
        (MISSING, Code.CONFLICT, Code.CLOUD_FAILED, JOURNAL),
        approves=True,
    ),
    Operation(
        "POST",
        f"{PLAN}/carry-out",
        "carry_out",
        "Request a sweep that deletes what an approved plan permits and what still matches, as soon as possible, once.",
        "ApprovedPlan",
        (MISSING, Code.CONFLICT, JOURNAL),
        202,
        approves=True,
    ),
    Operation(
        "POST", f"{TARGET}/sweep", "sweep", "Request a sweep as soon as possible.", "Target", (MISSING, Code.CONFLICT), 202
    ),
    Operation("POST", f"{TARGET}/pause", "pause", "Pause the target: start no more sweeps.", "Target", (MISSING, JOURNAL)),
    Operation(
        "GET",
        f"{API}/exemptions",
        "exemptions",
        "The exemptions in force; with all=true, then also those that have ended or were revoked, the newest first.",
        "Exemptions",
        (JOURNAL,),
        query=("limit", "all"),
    ),
    Operation(
        "POST",
        f"{API}/exemptions",
        "grant",
        "Grant an exemption. A notebook that is not announced costs a call for each target, and is limited.",
        "Grant",
        (MISSING, Code.CONFLICT, Code.WRONG_TYPE, Code.TOO_MANY_REQUESTS, Code.CLOUD_FAILED, JOURNAL),
        201,
        takes="NewExemption",
    ),
    Operation(
        "POST",
        f"{API}/exemptions/{{exemption_id}}/revoke",
        "revoke",
        "Revoke an exemption.",
        "Exemption",
        (MISSING, Code.WRONG_TYPE, JOURNAL),
        takes="Revocation",
        body_optional=True,
    ),
    Operation("POST", f"{TARGET}/resume", "resume", "Resume the target.", "Target", (MISSING, JOURNAL)),
)
APPROVING = frozenset(operation.path for operation in OPERATIONS if operation.approves)
"""The paths of changes for which the role approver is enough."""
