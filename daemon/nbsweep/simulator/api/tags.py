"""The handlers for tags and workspaces; ModelArts API, section 1."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from nbsweep.simulator.api.exchange import Answer, Call, Route, json_answer, read_body
from nbsweep.simulator.refusals import bad_parameter
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.query import whole_number
from nbsweep.simulator.state.workspaces import Workspace

_ROOT = "/v1/{project_id}"
_TAGS = _ROOT + "/notebooks/{notebook_id}/tags"
_LONGEST_KEY = 128
_LONGEST_VALUE = 255
_MOST_WORKSPACES = 1000
_SORT_VALUES: dict[str, Callable[[Workspace], Any]] = {
    "name": lambda workspace: workspace.name,
    "update_time": lambda workspace: workspace.update_at_ms,
    "status": lambda workspace: workspace.status,
}


class _Tag(Struct):
    key: str
    value: str | None = None


class _Tags(Struct):
    tags: list[_Tag]


class TagApi:
    """Answers the calls about tags and workspaces."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> tuple[Route, ...]:
        """Return every route."""
        return (
            Route("GET", f"{_ROOT}/notebooks/tags", "tags", self.show_tags),
            Route("POST", f"{_TAGS}/create", "tags", self.create_tags, "update"),
            Route("DELETE", f"{_TAGS}/delete", "tags", self.delete_tags),
            Route("GET", f"{_ROOT}/workspaces", "workspaces", self.list_workspaces, "workspaces"),
        )

    def show_tags(self, call: Call) -> Answer:
        """Answer ShowNotebookTags: of all workspaces when none is named, as the page's prose says."""
        workspace_id = call.parameters.get(self._cloud.options.dialect.workspace_parameter)
        values: dict[str, set[str]] = {}
        for instance in self._cloud.instances.values():
            if instance.listed and workspace_id in {None, instance.workspace_id}:
                for key, value in instance.tags.items():
                    values.setdefault(key, set()).add(value)
        return json_answer(200, {"tags": [{"key": key, "values": sorted(values[key])} for key in sorted(values)]})

    def create_tags(self, call: Call) -> Answer:
        """Answer CreateNotebookTags."""
        tags = read_body(call, _Tags).tags
        for tag in tags:
            _check(tag)
        instance = self._cloud.existing(call.notebook_id)
        instance.tags |= {tag.key: tag.value or "" for tag in tags}
        instance.encoded_row = None
        return Answer(204)

    def delete_tags(self, call: Call) -> Answer:
        """Answer DeleteNotebookTags; tags that are not there are ignored."""
        instance = self._cloud.existing(call.notebook_id)
        for tag in read_body(call, _Tags).tags:
            if tag.value in {None, instance.tags.get(tag.key)}:
                instance.tags.pop(tag.key, None)
        instance.encoded_row = None
        return Answer(204)

    def list_workspaces(self, call: Call) -> Answer:
        """Answer ListWorkspace; `offset` is taken as a position, as everywhere else."""
        parameters = call.parameters
        offset = whole_number("offset", parameters.get("offset", "0"))
        limit = whole_number("limit", parameters.get("limit", str(_MOST_WORKSPACES)))
        order = parameters.get("order", "desc")
        sort_value = _SORT_VALUES.get(parameters.get("sort_by", "name"))
        if not 1 <= limit <= _MOST_WORKSPACES or order not in {"asc", "desc"} or sort_value is None:
            raise bad_parameter("limit, order or sort_by")
        dialect = self._cloud.options.dialect
        hidden = dialect.closed_workspaces if dialect.filters_accessible and _filters(parameters) else ()
        spaces = [space for space in self._cloud.workspaces.values() if space.id not in hidden]
        found = [space for space in spaces if _wanted(space, parameters)]
        found.sort(key=sort_value, reverse=order == "desc")
        rows = [space.row(integer_id=dialect.integer_workspace_ids) for space in found]
        shown = rows[offset : offset + limit]
        return json_answer(200, {"total_count": len(rows), "count": len(shown), "workspaces": shown})


def _filters(parameters: Any) -> bool:
    """Return whether the query asks only for workspaces that the caller may use."""
    text = parameters.get("filter_accessible", "false")
    if text not in {"true", "false"}:
        raise bad_parameter("filter_accessible")
    return bool(text == "true")


def _wanted(workspace: Workspace, parameters: Any) -> bool:
    project = parameters.get("enterprise_project_id", workspace.enterprise_project_id)
    return parameters.get("name", "") in workspace.name and project == workspace.enterprise_project_id


def _check(tag: _Tag) -> None:
    key, value = tag.key, tag.value or ""
    bad_key = not 0 < len(key) <= _LONGEST_KEY or key != key.strip() or key.startswith("_sys_")
    if bad_key or len(value) > _LONGEST_VALUE:
        raise bad_parameter("tags")
