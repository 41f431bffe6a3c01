"""Names that several modules share: statuses, kinds of calls, faults."""

from typing import Literal, get_args

Kind = Literal[
    "list",
    "list_all",
    "show",
    "delete",
    "stop",
    "start",
    "lease",
    "tags",
    "workspaces",
    "iam",
    "users",
    "metadata",
    "other",
]

#: Faults of one request. `_before`: nothing was done. `_after`: the work is done, only the answer is lost or wrong.
#: The last three are 200 with an error_code, with another notebook, and with a body that is no notebook.
#: `echo`: a 500 whose message repeats the request's headers, as a failing service may.
RequestFault = Literal[
    "error",
    "error_500_before",
    "error_500_after",
    "gateway_timeout_after",
    "reset_before",
    "reset_after",
    "hang",
    "hang_after",
    "html_502",
    "throttle",
    "no_content",
    "echo",
    "error_200_after",
    "foreign_after",
    "nonsense_after",
]
#: How an accepted deletion fails. `delete_lost`: the answer says DELETING, and nothing comes of it.
DeletionFault = Literal["stuck_deleting", "delete_failed", "delete_lost"]
#: What changes between two pages of a listing; `torn_pages` is either of the two others.
PageFault = Literal["torn_pages", "row_appears", "row_vanishes"]

FaultName = RequestFault | DeletionFault | PageFault

REQUEST_FAULTS: tuple[RequestFault, ...] = get_args(RequestFault)
DELETION_FAULTS: tuple[DeletionFault, ...] = get_args(DeletionFault)
PAGE_FAULTS: tuple[PageFault, ...] = get_args(PageFault)

#: ModelArts API, section 1.4.
STATUSES = frozenset(
    {
        "INIT",
        "CREATING",
        "STARTING",
        "STOPPING",
        "DELETING",
        "RUNNING",
        "STOPPED",
        "SNAPSHOTTING",
        "CREATE_FAILED",
        "START_FAILED",
        "DELETE_FAILED",
        "ERROR",
        "DELETED",
        "FROZEN",
    }
)
FEATURES = frozenset({"DEFAULT", "NOTEBOOK"})
