"""Descriptions of notebooks and of changes, in the options and over the admin interface."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field


class LeaseSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The automatic stop of one notebook; the end of an enabled TIMING lease is `create_at + duration`."""

    #: Epoch ms; the notebook's own date when absent.
    create_at: int | None = None
    #: Epoch ms; the notebook's own date when absent.
    update_at: int | None = None
    #: Milliseconds since `create_at`, as answers state it; -1 is what a disabled lease often carries.
    duration: int = -1
    #: Whether the automatic stop is switched on.
    enable: bool = False
    #: TIMING or IDLE; null leaves the field out of the answers.
    type: str | None = "TIMING"


class NotebookSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notebook to add to the cloud, as options and `POST /_simulator/instances` describe it."""

    #: Made up from the seed when absent.
    id: str | None = None
    name: str = "notebook-01"
    description: str = ""
    status: str = "STOPPED"
    feature: str = "NOTEBOOK"
    workspace_id: str = "0"
    #: The owner's name; the user id is derived from it.
    owner: str = "ana.lopez"
    flavor: str = "modelarts.vm.cpu.2u"
    tags: dict[str, str] = field(default_factory=dict)
    fail_reason: str = ""
    #: Epoch ms; the moment of creation when absent.
    create_at: int | None = None
    #: Epoch ms; `create_at` when absent.
    update_at: int | None = None
    #: Null serves a row without a lease.
    lease: LeaseSpec | None = LeaseSpec()
    #: Laid over the built-in values of the row's own groups.
    volume: dict[str, Any] = field(default_factory=dict)
    image: dict[str, Any] = field(default_factory=dict)
    pool: dict[str, Any] | None = None
    ip: str = ""
    #: Laid over the row exactly as given, in lists and in single answers: malformed rows are made with it.
    raw: dict[str, Any] = field(default_factory=dict)
    #: Names of fields that the row shall not have.
    drop: tuple[str, ...] = ()


class NotebookChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a notebook, as `PATCH /_simulator/instances/{id}` describes it."""

    #: `start`, `stop` and `use` obey the rules of the cloud; `use` only makes the notebook look touched just now.
    action: Literal["start", "stop", "use"] | None = None
    #: Forced, whatever the rules say.
    status: str | None = None
    name: str | None = None
    owner: str | None = None
    tags: dict[str, str] | None = None
    update_at: int | None = None
    lease: LeaseSpec | UnsetType | None = UNSET
    #: True: it vanishes at once, as if its owner had deleted it long ago.
    gone: bool = False
    raw: dict[str, Any] | None = None
    drop: tuple[str, ...] | None = None
