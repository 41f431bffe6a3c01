"""The options of the simulated cloud.

Every group is a frozen value that decodes from JSON (`msgspec.json.decode(data, type=SimulatorOptions)`) and refuses
names it does not know. Durations are seconds, shares lie between 0 and 1, dates are epoch milliseconds as in the API.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from nbsweep.simulator.descriptions import NotebookSpec
from nbsweep.simulator.vocabulary import FaultName, Kind

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]

# They open nothing but the simulated cloud.
_DEFAULT_SK = "simulatedSecretKeySimulatedSecretKey0001"
_DEFAULT_LOGIN = "simulated-password-1"


class FleetOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The notebooks at the start of the cloud."""

    #: How many are made up from the seed.
    notebooks: Count = 200
    #: Exact notebooks beside the made up ones.
    instances: tuple[NotebookSpec, ...] = ()
    #: The first is "0", the default one; the others have ids of 32 hex digits.
    workspaces: Positive = 3
    #: Share of free CodeLab notebooks (feature DEFAULT).
    codelab_share: Share = 0.05
    #: How many people own them.
    owners: Positive = 12
    #: Share of names beginning with `keep-` or `prod-`.
    protected_name_share: Share = 0.05
    #: Share of notebooks with a tag `keep`.
    protected_tag_share: Share = 0.05
    #: Ages are spread evenly between these two.
    min_age_days: Seconds = 0.5
    max_age_days: Seconds = 400
    #: Status to weight.
    statuses: dict[str, Seconds] = field(
        default_factory=lambda: {
            "STOPPED": 56,
            "RUNNING": 24,
            "CREATE_FAILED": 5,
            "ERROR": 4,
            "START_FAILED": 3,
            "DELETE_FAILED": 2,
            "FROZEN": 2,
            "STARTING": 1,
            "STOPPING": 1,
            "CREATING": 1,
            "SNAPSHOTTING": 1,
        }
    )


class Permissions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The permissions of a user; a call without its permission is answered 403 ModelArts.0108."""

    #: GET /notebooks.
    list_own: bool = True
    #: GET /notebooks/all.
    list_all: bool = True
    show: bool = True
    delete: bool = True
    stop: bool = True
    start: bool = True
    #: PATCH lease and the calls that change tags.
    update: bool = True
    #: GET /workspaces.
    workspaces: bool = True
    #: IAM's GET /v3/projects; everybody may GET /v3/auth/projects.
    projects: bool = True
    #: IAM's GET /v3.0/OS-USER/users/{id}; everybody may read themselves.
    users: bool = True


class AccessKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key pair that may sign requests."""

    access_key: str = "SIMULATEDACCESSKEY01"
    secret_key: str = _DEFAULT_SK
    #: When set, every request must carry and sign it as X-Security-Token.
    security_token: str | None = None
    #: The name of the IAM user; `GET /notebooks` shows this user's notebooks.
    user: str = "sweeper"
    permissions: Permissions = Permissions()


class IamUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One IAM user who can ask for tokens."""

    name: str = "sweeper"
    password: str = _DEFAULT_LOGIN
    domain: str = "acct"
    permissions: Permissions = Permissions()


class AccessOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The callers and their credentials."""

    project_id: str = "0123456789abcdef0123456789abcdef"
    region: str = "cn-north-4"
    #: The account's (domain's) name.
    account: str = "acct"
    access_keys: tuple[AccessKey, ...] = (AccessKey(),)
    users: tuple[IamUser, ...] = (IamUser(),)
    #: Another server, such as a real Keystone, that has issued the tokens: it is asked about each; null for our own.
    iam_url: str | None = None
    #: Life of an IAM token.
    token_lifetime_s: Seconds = 86_400
    #: Signatures dated further off than this are refused.
    clock_skew_s: Seconds = 900
    #: How many projects `GET /v3/projects?name=<region>` finds.
    projects_found: Annotated[int, Meta(ge=0, le=2)] = 1
    #: The metadata server's protocol; legacy knows no tokens, off has no agency to offer.
    metadata_mode: Literal["token", "legacy", "off"] = "token"
    #: Life of the temporary keys that the metadata server hands out.
    metadata_key_lifetime_s: Seconds = 3_600
    #: Whom the temporary keys stand for, and what they may do.
    metadata_user: str = "sweeper"
    metadata_permissions: Permissions = Permissions()


class PeopleOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answers of IAM's GET /v3.0/OS-USER/users/{id} about owners and other users, by their names."""

    #: E-mail addresses.
    emails: dict[str, str] = field(default_factory=dict)
    #: The domain at which all others have an address of their name; null: they have none.
    email_domain: str | None = "example.com"
    #: Users without an address.
    without_email: tuple[str, ...] = ()
    #: What stands for an address that is not there.
    no_email_as: Literal["empty", "absent", "null", "dash"] = "empty"
    #: Users who were deleted: 404.
    gone: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `calls` in any `window_s` seconds; 0 calls means no limit."""

    calls: Count
    window_s: Annotated[float, Meta(gt=0)] = 1.0


class LimitOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gateway's throttling; every limit is counted for each user."""

    #: Limits of single kinds of calls, e.g. `{"delete": {"calls": 5}}`.
    per_api: dict[Kind, Limit] = field(default_factory=dict)
    #: Limit over all kinds together.
    per_user: Limit | None = None
    #: Whether a refused call uses up the window too (seen in the field, ModelArts API section 4).
    refused_calls_count: bool = True
    #: Seconds to say in Retry-After; absent by default, as no sample of the real gateway has it.
    retry_after_s: Count | None = None
    #: Whether the message names policy, limit and time.
    name_the_limit: bool = True


class TimingOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The durations of operations; a spread is the sigma of a lognormal distribution around the median."""

    latency_median_s: Seconds = 0
    latency_spread: Seconds = 0
    deletion_median_s: Seconds = 5
    deletion_spread: Seconds = 0.5
    #: INIT and CREATING, each.
    create_s: Seconds = 30
    start_s: Seconds = 20
    stop_s: Seconds = 10
    snapshot_s: Seconds = 60
    #: After an accepted DELETE reads go on showing the old status for so long.
    stale_s: Seconds = 0
    #: How long a row stays with status DELETED, where the dialect shows that.
    deleted_row_s: Seconds = 60


class ScriptedFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault for certain requests; every condition that is given must hold."""

    fault: FaultName
    method: str | None = None
    kind: Kind | None = None
    path_contains: str | None = None
    notebook_id: str | None = None
    #: Lets the first `nth - 1` matching requests pass.
    nth: Positive = 1
    #: Hits so many matching requests, then it is used up.
    times: Positive = 1
    #: For `hang` and `hang_after`; the general `hang_s` when absent.
    hold_s: Seconds | None = None
    #: For `error`.
    status: int = 500
    error_code: str = "ModelArts.0010"
    error_msg: str = "System error. Please contact technical support."
    #: For `delete_failed`; the general one when absent.
    fail_reason: str | None = None


class FaultOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults: random ones, which the seed decides, and scripted ones."""

    #: Kind of call, or "all", to fault to probability. What is said of a kind and of "all" are both rolled.
    rates: dict[Kind | Literal["all"], dict[FaultName, Share]] = field(default_factory=dict)
    script: tuple[ScriptedFault, ...] = ()
    #: How long `hang` and `hang_after` hold a request before the connection is closed.
    hang_s: Seconds = 30
    fail_reason: str = "Failed to delete the storage resources of the instance."


class DialectOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where sources disagree on how the real cloud behaves, and what older stacks do (ModelArts API 2, 3 and 11)."""

    #: True: DELETE of a RUNNING notebook is refused with 6304. False: it is accepted.
    delete_requires_stopped: bool = True
    #: True: DELETE of a FROZEN notebook is accepted. False: it is refused with 6326.
    delete_frozen: bool = False
    #: Answer for a notebook that is gone: (HTTP status/ModelArts code), or a row with status DELETED for a while.
    gone_answer: Literal["400/6309", "400/6404", "404", "DELETED"] = "400/6309"
    #: True: only 10, 20 and 50 are page sizes, others get 400 ModelArts.0104.
    strict_limit: bool = True
    #: What an offset means: a row; rounded down to whole pages; a page's number, from 0 or 1; or only multiples are taken.
    offset_as: Literal["row", "rounded", "page-number", "page-number-from-1", "multiples-only"] = "row"
    #: Pages have no more rows than this, whatever limit is asked for.
    largest_page: Positive = 1000
    #: Ids of workspaces that are shown to everybody, and refuse to be listed.
    closed_workspaces: tuple[str, ...] = ()
    closed_answer: Literal["403/0112", "400/7002"] = "403/0112"
    #: Whether `filter_accessible=true` leaves these out of the list of workspaces.
    filters_accessible: bool = False
    #: Whether rows of lists carry create_at and update_at; single notebooks always do.
    list_timestamps: bool = True
    #: The query parameter's spelling; any other is ignored, and the default workspace is shown.
    workspace_parameter: Literal["workspace_id", "workspaceId", "none"] = "workspace_id"
    #: Whether a listing knows the parameter; where it does not, it shows all features.
    feature_parameter: bool = True
    #: Whether the caller's own listing shows everybody's, as it may for an administrator.
    own_lists_all: bool = False
    #: Fields that no row of a listing has.
    list_omits: tuple[str, ...] = ()
    #: Fields that no answer has.
    omits: tuple[str, ...] = ()
    #: Others are refused.
    sort_keys: tuple[str, ...] = ("create_at", "update_at", "name", "status")
    sort_refusal: Literal["400/6303", "400/0101", "400/0104", "400/6400", "500"] = "400/6303"
    #: What `GET /notebooks/all` is answered where there is no such listing.
    no_list_all: Literal["400/6309", "400/6404", "400/6400", "404", "404/0101", "405"] | None = None
    #: What becomes of the Date header on its way to the caller: kept, garbled by something in between, or left out.
    date_header: Literal["kept", "garbled", "absent"] = "kept"
    #: Where notebooks that are DELETING do not show: in no `listing` but one that asks for that state, or in `all`.
    hides_deleting: Literal["nowhere", "listing", "all"] = "nowhere"
    gateway_prefix: Literal["APIGW", "APIG"] = "APIGW"
    #: Whether leases carry their type, and rows their user.
    lease_type: bool = True
    row_user: bool = True
    #: Ids of workspaces as integers where they are numeric.
    integer_workspace_ids: bool = False
    #: Laid over every row: fields that clients do not know.
    extra_fields: dict[str, Any] = field(default_factory=dict)
    #: Whether bodies are compressed for callers who accept that.
    compress: bool = False
    #: Whether a refused signature's message hides the security token that the request carried.
    mask_security_token: bool = True


class SimulatorOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about one simulated cloud; the defaults are a well-behaved one with 200 notebooks."""

    #: Decides the fleet, the durations and the random faults.
    seed: int = 1
    fleet: FleetOptions = FleetOptions()
    access: AccessOptions = AccessOptions()
    people: PeopleOptions = PeopleOptions()
    limits: LimitOptions = LimitOptions()
    timing: TimingOptions = TimingOptions()
    faults: FaultOptions = FaultOptions()
    dialect: DialectOptions = DialectOptions()
