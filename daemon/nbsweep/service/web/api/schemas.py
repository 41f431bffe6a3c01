"""The component schemas of the OpenAPI document, made from the documents."""

from typing import Any

import msgspec

from nbsweep.documents.approvals import (
    ApprovalDocument,
    ApprovedPlanDocument,
    ApprovedPlansDocument,
    DraftDocument,
    ExclusionDocument,
    PlanChangesDocument,
)
from nbsweep.documents.explain import ExplainDocument
from nbsweep.documents.fleet_status import FleetStatusDocument
from nbsweep.documents.people.exemptions import ExemptionsDocument, GrantDocument, NewExemptionDocument, RevocationDocument
from nbsweep.documents.plans import PlanDocument
from nbsweep.service.web.api.documents import (
    MarksDocument,
    MarksOfNotebookDocument,
    MessagesDocument,
    RemovalsDocument,
    RunInFullDocument,
    RunsDocument,
    TargetInFullDocument,
    TargetsDocument,
)
from nbsweep.service.web.errors import ErrorDocument
from nbsweep.service.web.parameters import ID_PATTERN

Schema = dict[str, Any]

DOCUMENTS = (
    ErrorDocument,
    TargetsDocument,
    TargetInFullDocument,
    FleetStatusDocument,
    RunsDocument,
    RunInFullDocument,
    RemovalsDocument,
    PlanDocument,
    DraftDocument,
    ExclusionDocument,
    ApprovalDocument,
    ApprovedPlanDocument,
    ApprovedPlansDocument,
    PlanChangesDocument,
    ExplainDocument,
    MarksDocument,
    MarksOfNotebookDocument,
    MessagesDocument,
    ExemptionsDocument,
    GrantDocument,
    NewExemptionDocument,
    RevocationDocument,
)
"""The documents of responses and requests. Documents inside these get a component too."""


def ref(name: str) -> Schema:
    """Return a reference to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def component_schemas() -> dict[str, Schema]:
    """Return the schemas by name, which is the name of the class without `Document`."""
    _, components = msgspec.json.schema_components(DOCUMENTS, ref_template="#/components/schemas/{name}")
    text = msgspec.json.encode({**components, "Id": {"type": "string", "pattern": ID_PATTERN}})
    return msgspec.json.decode(text.replace(b'Document"', b'"'), type=dict[str, Schema])
