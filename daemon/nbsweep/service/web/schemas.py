"""The JSON Schemas of the API's documents. A test compares them with the documents."""

from typing import Any

from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.runs import Outcome
from nbsweep.service.control import Phase
from nbsweep.service.web.errors import Code

Schema = dict[str, Any]

ID_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
LIMIT_DEFAULT = 20
LIMIT_MOST = 1000
OFFSET_MOST = 1_000_000_000

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"]}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}


def ref(name: str) -> Schema:
    """Return a reference to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(shape: Schema) -> Schema:
    """Return the schema with null allowed as well."""
    return {"anyOf": [shape, {"type": "null"}]}


def many(shape: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": shape}


def words(*allowed: str) -> Schema:
    """Return the schema of one of these values."""
    return {"type": "string", "enum": list(allowed)}


def record(**fields: Schema) -> Schema:
    """Return the schema of an object with exactly these fields."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


LANE = record(configured_calls_per_s={"type": ["number", "null"]}, calls_per_s={"type": "number"}, learned_limit=TEXT_OR_NULL)
LANES: Schema = {"type": "object", "additionalProperties": LANE}
"""Keys are lane names."""
TARGET: dict[str, Schema] = {
    "target": TEXT,
    "phase": words(*Phase),
    "dry_run": FLAG,
    "paused": FLAG,
    "next_run": MOMENT_OR_NULL,
    "last_success": MOMENT_OR_NULL,
    "failures": COUNT,
    "problem": TEXT_OR_NULL,
    "lanes": LANES,
}

SCHEMAS: dict[str, Schema] = {
    "Error": record(error=record(code=words(*Code), message=TEXT)),
    "Target": record(**TARGET),
    "TargetInFull": record(**TARGET, last_sweep=maybe(ref("Run")), unfinished=many(ref("Removal")), more_unfinished=FLAG),
    "Targets": record(targets=many(ref("Target"))),
    "Run": record(
        run_id=TEXT,
        target=TEXT,
        outcome=words(*Outcome),
        problem=TEXT_OR_NULL,
        dry_run=FLAG,
        started_by=TEXT,
        started_at=MOMENT,
        ended_at=MOMENT_OR_NULL,
        fleet=COUNT,
        planned=COUNT,
        kept=COUNTS,
        lanes=LANES,
    ),
    "Runs": record(runs=many(ref("Run"))),
    "RunInFull": record(run_id=TEXT, targets=many(ref("Run")), results=many(ref("Removal")), next_offset=COUNT_OR_NULL),
    "Removal": record(
        target=TEXT,
        id=TEXT,
        name=TEXT,
        outcome=words("deleted", "failed", "timed_out", "spared", "unfinished"),
        reason=TEXT,
        policy=TEXT,
        planned_because=TEXT,
        owner=TEXT,
        workspace=TEXT,
        feature=TEXT,
        status_before=words(*Status),
        state=words(*State),
        requests=COUNT,
        failures=COUNT,
        capacity_gb=COUNT_OR_NULL,
        category=TEXT_OR_NULL,
        request_id=TEXT_OR_NULL,
        planned_at=MOMENT,
        requested_at=MOMENT_OR_NULL,
        accepted_at=MOMENT_OR_NULL,
        ended_at=MOMENT_OR_NULL,
    ),
    "Removals": record(id=TEXT, removals=many(ref("Removal"))),
    "Refusal": record(target=TEXT, brake=TEXT, message=TEXT),
    "Item": record(
        target=TEXT,
        id=TEXT,
        name=TEXT_OR_NULL,
        status=words(*Status),
        owner=TEXT,
        workspace=TEXT,
        policy=TEXT,
        reason=TEXT,
        stop_first=FLAG,
        feature=TEXT_OR_NULL,
        flavor=TEXT_OR_NULL,
        capacity_gb=COUNT_OR_NULL,
        category=TEXT_OR_NULL,
        ownership=TEXT_OR_NULL,
        created_at=MOMENT_OR_NULL,
        idle_since=MOMENT_OR_NULL,
    ),
    "TargetPlan": record(
        target=TEXT,
        fleet=COUNT,
        planned=COUNT,
        refusal=maybe(ref("Refusal")),
        trimmed=TEXT_OR_NULL,
        kept=COUNTS,
        workspaces_refused=many(record(workspace=TEXT, feature=TEXT, problem=TEXT)),
        malformed=many(record(id=TEXT_OR_NULL, name=TEXT_OR_NULL, problem=TEXT)),
        error=TEXT_OR_NULL,
    ),
    "Plan": record(
        plan_id=TEXT,
        created_at=MOMENT,
        refusal=maybe(ref("Refusal")),
        items=many(ref("Item")),
        kept=COUNTS,
        targets=many(ref("TargetPlan")),
    ),
}
