"""Declares the bodies of the API; only these fields are ever read (ModelArts API, sections 1.2 and 1.3)."""

from typing import Any

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The decoder's errors for bytes that are not the expected JSON: wrong structure, wrong encoding, or too deeply nested."""


class LeaseRow(msgspec.Struct):
    """A lease."""

    create_at: int | None = None
    update_at: int | None = None
    duration: int | None = None
    enable: bool | None = None
    type: str | None = None


class VolumeRow(msgspec.Struct):
    """A volume, the main one or another."""

    category: str | None = None
    ownership: str | None = None
    capacity: int | None = None
    mount_path: str | None = None
    status: str | None = None


class NamedRow(msgspec.Struct):
    """An object with an id and a name."""

    id: str | None = None
    name: str | None = None


class UserRow(msgspec.Struct):
    """An owner."""

    id: str | None = None
    name: str | None = None
    domain: NamedRow | None = None


class ImageRow(msgspec.Struct):
    """An image."""

    id: str | None = None
    name: str | None = None
    swr_path: str | None = None
    type: str | None = None


class TagRow(msgspec.Struct):
    """A tag."""

    key: str
    value: str | None = None


class NotebookRow(msgspec.Struct):
    """A notebook; `token` and `url` are not declared, so that they are dropped."""

    id: str
    status: str
    name: str | None = None
    description: str | None = None
    fail_reason: str | None = None
    feature: str | None = None
    flavor: str | None = None
    workspace_id: str | int | None = None
    user: UserRow | None = None
    user_id: str | None = None
    pool: NamedRow | None = None
    image: ImageRow | None = None
    lease: LeaseRow | None = None
    volume: VolumeRow | None = None
    data_volumes: list[VolumeRow] | None = None
    billing_items: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[TagRow] | msgspec.UnsetType | None = msgspec.UNSET
    create_at: int | None = None
    update_at: int | None = None


class RowLabel(msgspec.Struct):
    """The part of a malformed row that identifies it."""

    id: Any = None
    name: Any = None


class ListingBody(msgspec.Struct):
    """A page of a listing; its rows are read one by one."""

    total: int | float | str
    data: list[msgspec.Raw] | None = None


class Receipt(msgspec.Struct):
    """The part of the answer to an order that shows whether it was accepted."""

    id: Any = None
    error_code: Any = None


class WorkspaceRow(msgspec.Struct):
    """A workspace."""

    id: str | int


class Workspaces(msgspec.Struct):
    """The list of workspaces."""

    workspaces: list[WorkspaceRow]
    total_count: int | None = None


ROW = msgspec.json.Decoder(NotebookRow)
RECEIPT = msgspec.json.Decoder(Receipt)
LABEL = msgspec.json.Decoder(RowLabel)
LISTING = msgspec.json.Decoder(ListingBody)
WORKSPACES = msgspec.json.Decoder(Workspaces)
