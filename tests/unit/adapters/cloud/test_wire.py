import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbsweep.adapters.cloud.wire import read_notebook, read_page, read_row, read_workspace_ids
from nbsweep.core.errors import MalformedAnswer
from nbsweep.core.model import Image, Lease, LeaseType, MalformedRow, Named, Notebook, Page, Status, Volume

searching = settings(max_examples=200, deadline=None, database=None)

FULL: dict[str, Any] = {
    "id": "f9937afa-ca78-45b6-bc12-7ecf42553c48",
    "name": "training",
    "description": "for the course",
    "status": "STOPPED",
    "fail_reason": "none",
    "feature": "NOTEBOOK",
    "flavor": "modelarts.vm.cpu.2u",
    "workspace_id": "0",
    "user": {"id": "u1", "name": "li", "domain": {"id": "d1", "name": "acct"}},
    "user_id": "u1",
    "pool": {"id": "p1", "name": "shared"},
    "image": {"id": "i1", "name": "pytorch", "swr_path": "swr.x/pytorch:2", "type": "BUILD_IN"},
    "lease": {
        "create_at": 1_638_841_744_515,
        "update_at": 1_638_841_745_000,
        "duration": 3_600_000,
        "enable": True,
        "type": "IDLE",
    },
    "volume": {
        "category": "EVS",
        "ownership": "MANAGED",
        "capacity": 50,
        "mount_path": "/home/ma-user/work/",
        "status": "IN_USE",
    },
    "data_volumes": [
        {"category": "OBS", "ownership": "DEDICATED", "mount_path": "/data", "status": "MOUNTED", "url": "obs://b"}
    ],
    "billing_items": ["STORAGE", "COMPUTE"],
    "tags": [{"key": "env", "value": "dev"}, {"key": "keep", "value": ""}],
    "create_at": 1_638_841_000_000,
    "update_at": 1_638_842_000_000,
    "token": "token-secret",
    "url": "https://authoring.example/?token=url-secret",
    "endpoints": [{"key_pair_names": ["k"]}],
    "current_time": 1_700_000_000_000,
}


def encoded(document: Any) -> bytes:
    """Write JSON."""
    return json.dumps(document).encode()


def row(**changes: Any) -> Notebook | MalformedRow:
    """Read the smallest row that there is, with something more in it."""
    return read_row(encoded({"id": "nb1", "status": "STOPPED", **changes}))


def readable(**changes: Any) -> Notebook:
    """Read such a row, which must be a notebook."""
    read = row(**changes)
    assert isinstance(read, Notebook)
    return read


def milliseconds(number: int) -> datetime:
    """Return the moment of an epoch in whole seconds, given in milliseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number)


# ---- what is read ---------------------------------------------------------------------------------------------------------


def test_every_field_is_read() -> None:
    """As the ModelArts API, section 1.3, lay them out."""
    assert read_row(encoded(FULL)) == Notebook(
        id="f9937afa-ca78-45b6-bc12-7ecf42553c48",
        status=Status.STOPPED,
        name="training",
        description="for the course",
        fail_reason="none",
        feature="NOTEBOOK",
        flavor="modelarts.vm.cpu.2u",
        workspace_id="0",
        owner=Named("u1", "li"),
        pool=Named("p1", "shared"),
        image=Image("i1", "pytorch", "swr.x/pytorch:2", "BUILD_IN"),
        lease=Lease(
            enabled=True,
            type=LeaseType.IDLE,
            created_at=datetime(2021, 12, 7, 1, 49, 4, 515_000, tzinfo=UTC),
            updated_at=datetime(2021, 12, 7, 1, 49, 5, tzinfo=UTC),
            duration=timedelta(hours=1),
        ),
        volume=Volume("EVS", "MANAGED", 50, "/home/ma-user/work/", "IN_USE"),
        billing=("STORAGE", "COMPUTE"),
        tags={"env": "dev", "keep": ""},
        created_at=datetime(2021, 12, 7, 1, 36, 40, tzinfo=UTC),
        updated_at=datetime(2021, 12, 7, 1, 53, 20, tzinfo=UTC),
        listed=True,
    )


def test_token_and_url_go_no_further() -> None:
    """Neither is in anything that was read, however it is printed."""
    page = read_page(encoded({"total": 2, "data": [FULL, FULL | {"status": "HIBERNATING"}]}))
    assert "secret" not in repr(page)
    assert "secret" not in repr(read_notebook(encoded(FULL)))
    with pytest.raises(MalformedAnswer) as caught:
        read_notebook(encoded(FULL | {"tags": "token-secret"}))
    assert "secret" not in str(caught.value)


def test_all_but_id_and_status_may_be_missing() -> None:
    """What is missing is None, and no guess."""
    assert row() == Notebook("nb1", Status.STOPPED, listed=True)


def test_what_is_null_is_missing() -> None:
    """Null is how some stacks write it; where a list is documented, null is an empty one."""
    nothing = dict.fromkeys(set(FULL) - {"id", "status"})
    assert row(**nothing) == Notebook("nb1", Status.STOPPED, tags={}, billing=(), listed=True)


def test_an_answer_about_one_notebook_is_no_row_of_a_listing() -> None:
    """What it leaves out is not there."""
    assert (read_notebook(encoded(FULL)).listed, readable().listed) == (False, True)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_read(status: Status) -> None:
    """The fourteen of the ModelArts API, section 1.4."""
    assert readable(status=status.value).status is status


def test_no_tags_differs_from_tags_missing() -> None:
    """An empty list is a fact."""
    assert (readable(tags=[]).tags, readable().tags) == ({}, None)


def test_a_tag_without_a_value_is_not_shown_and_one_that_is_there_twice_is_kept_twice() -> None:
    """Which of two values holds, nobody can tell; a value that is left out is not an empty one."""
    row = readable(tags=[{"key": "keep"}, {"key": "hold", "value": None}, {"key": "env", "value": ""}])
    assert row.tags == {"keep": None, "hold": None, "env": ""}
    twice = readable(tags=[{"key": "keep", "value": value} for value in ("no", "yes", "no")] + [{"key": "keep"}])
    assert twice.all_tags == (("keep", "no"), ("keep", "yes"), ("keep", None))


def test_creation_falls_back_on_that_of_the_lease_and_a_change_does_not() -> None:
    """Lists leave out the dates at the top level; of a change, the lease's says less (ModelArts API, sections 1.3 and 12)."""
    read = readable(lease={"create_at": 1_700_000_000_000, "update_at": 1_700_000_001_000})
    assert (read.created_at, read.updated_at) == (milliseconds(1_700_000_000_000), None)


def test_the_owner_may_be_known_by_id_alone() -> None:
    """Without a user, `user_id` says who."""
    assert readable(user_id="u7").owner == Named("u7", None)


@pytest.mark.parametrize("workspace", ["0", 0])
def test_workspace_ids_are_text(workspace: str | int) -> None:
    """The documents show them both ways."""
    assert readable(workspace_id=workspace).workspace_id == "0"


# ---- leases ---------------------------------------------------------------------------------------------------------------


def test_a_lease_without_a_type_is_timing() -> None:
    """As the ModelArts API read the examples that leave it out."""
    lease = readable(lease={"create_at": 1_700_000_000_000, "duration": 3_600_000, "enable": True}).lease
    assert lease
    assert (lease.type, lease.ends_at) == (LeaseType.TIMING, milliseconds(1_700_003_600_000))


@pytest.mark.parametrize("duration", [-1, 0, 10**30])
def test_the_duration_of_a_lease_that_is_switched_off_says_nothing(duration: int) -> None:
    """Absurd values are to be expected there."""
    assert readable(lease={"enable": False, "duration": duration}).lease == Lease(enabled=False)


@pytest.mark.parametrize("duration", [-1, 0, 10**30, "an hour", 3.5, True])
def test_an_absurd_duration_of_an_enabled_lease_is_malformed(duration: object) -> None:
    """Whether it has expired cannot be known."""
    assert isinstance(row(lease={"enable": True, "duration": duration}), MalformedRow)


@pytest.mark.parametrize("lease", [{"type": "FOREVER"}, {"enable": "true"}, {"enable": 1}, {"create_at": 5}, [], "none", 3])
def test_a_lease_that_is_none_is_malformed(lease: object) -> None:
    """Unknown type, a switch that is no switch, seconds for milliseconds, no object at all."""
    assert isinstance(row(lease=lease), MalformedRow)


# ---- what cannot be read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "HIBERNATING"}, "status HIBERNATING is not one that the API documents"),
        ({"status": "stopped "}, "status is not one of the API's"),
        ({"status": "<script>"}, "status is not one of the API's"),
        ({"status": None}, "Expected `str`, got `null` - at `$.status`"),
        ({"create_at": "2021-12-07"}, "Expected `int | null`, got `str` - at `$.create_at`"),
        ({"create_at": -1}, "create_at is not a valid date"),
        ({"create_at": 0}, "create_at is not a valid date"),
        ({"create_at": 1_700_000_000}, "create_at is not a valid date"),
        ({"create_at": 10**30}, "create_at is not a valid date"),
        ({"create_at": True}, "Expected `int | null`, got `bool` - at `$.create_at`"),
        ({"update_at": 4_102_444_800_000}, "update_at is not a valid date"),
        ({"volume": {"capacity": -5}}, "volume.capacity is not a valid size"),
        ({"volume": {"capacity": "50 GB"}}, "Expected `int | null`, got `str` - at `$.volume.capacity`"),
        ({"create_at": "1e12"}, "Expected `int | null`, got `str` - at `$.create_at`"),
        ({"update_at": 1_700_000_000_000.5}, "Expected `int | null`, got `float` - at `$.update_at`"),
        ({"tags": "null"}, "Expected `array | null`, got `str` - at `$.tags`"),
        ({"tags": {"env": "dev"}}, "Expected `array | null`, got `object` - at `$.tags`"),
        ({"tags": [{"value": "dev"}]}, "Object missing required field `key` - at `$.tags[0]`"),
        ({"user": "li"}, "Expected `object | null`, got `str` - at `$.user`"),
        ({"name": 5}, "Expected `str | null`, got `int` - at `$.name`"),
    ],
)
def test_a_field_that_cannot_be_read_makes_the_row_malformed(changes: dict[str, Any], problem: str) -> None:
    """The row says which field, and still which notebook."""
    read = row(**{"name": "training", **changes})
    assert isinstance(read, MalformedRow)
    assert (read.id, read.problem) == ("nb1", problem)


@pytest.mark.parametrize("bad", ["", "a/b", "../x", "a b", "a?b", "a%2Fb", "-a", "nb1\n", "x" * 65, "nöt"])
def test_an_id_that_could_lead_elsewhere_is_malformed(bad: str) -> None:
    """Ids become part of an address."""
    assert isinstance(row(id=bad), MalformedRow)


@pytest.mark.parametrize("bad", [None, 5, True, [], {}])
def test_a_row_without_an_id_is_malformed_and_nameless(bad: object) -> None:
    """There is nothing to ask for it by."""
    read = row(id=bad)
    assert isinstance(read, MalformedRow)
    assert read.id is None


def test_a_missing_status_is_malformed() -> None:
    """It is never taken for one that may be deleted."""
    assert isinstance(read_row(b'{"id":"nb1"}'), MalformedRow)


def test_the_first_and_the_last_moment_that_are_dates() -> None:
    """From 2015 on, up to the end of 2099."""
    assert readable(create_at=1_420_070_400_000).created_at == datetime(2015, 1, 1, tzinfo=UTC)
    assert isinstance(row(create_at=1_420_070_399_999), MalformedRow)
    assert readable(create_at=4_102_444_799_999).created_at


# ---- pages and lists ------------------------------------------------------------------------------------------------------


def test_a_page_has_its_rows_and_the_total() -> None:
    """One unreadable row does not spoil the others."""
    page = read_page(encoded({"current": 0, "pages": 1, "size": 50, "total": 7, "data": [FULL, {"id": "odd"}, None]}))
    assert page.total == 7
    assert [type(read) for read in page.rows] == [Notebook, MalformedRow, MalformedRow]
    assert [read.id for read in page.rows] == [FULL["id"], "odd", None]


def test_data_that_is_null_is_no_rows() -> None:
    """That is how an empty page may come."""
    assert read_page(b'{"data":null,"total":0}') == Page((), 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html></html>",
        b'{"data":[]}',
        b'{"total":-1,"data":[]}',
        b'{"total":"five","data":[]}',
        b'{"total":5.5,"data":[]}',
        b'{"total":"-5","data":[]}',
        b'{"total":true,"data":[]}',
        b'{"total":1.5,"data":[]}',
        b'{"total":1,"data":{}}',
        b'{"total":1,"data":[{]}',
        b'{"total":0,"data":[]} and more',
    ],
)
def test_what_is_no_page_is_a_malformed_answer(body: bytes) -> None:
    """Without a total, nothing can be said of the listing."""
    with pytest.raises(MalformedAnswer):
        read_page(body)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"id":"nb1"}', b"<html></html>", b'{"total":1,"data":[]}'])
def test_what_is_no_notebook_is_a_malformed_answer(body: bytes) -> None:
    """An answer to `show` must be one notebook."""
    with pytest.raises(MalformedAnswer):
        read_notebook(body)


def test_workspace_ids_are_read_as_text() -> None:
    """Numbers too (ModelArts API, section 1)."""
    body = encoded({"total_count": 2, "count": 2, "workspaces": [{"id": 0, "name": "default"}, {"id": "ab12"}]})
    assert read_workspace_ids(body) == ("0", "ab12")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"workspaces":null}',
        b'{"workspaces":[{}]}',
        b'{"workspaces":[{"id":null}]}',
        b'{"total_count":2,"workspaces":[{"id":"0"}]}',
    ],
)
def test_what_is_not_all_workspaces_is_a_malformed_answer(body: bytes) -> None:
    """A workspace that is left out would be a fleet unseen."""
    with pytest.raises(MalformedAnswer):
        read_workspace_ids(body)


# ---- whatever else may come -----------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(sorted(FULL))


@searching
@given(field=fields, value=json_values)
def test_any_value_in_any_field_is_read_or_malformed(field: str, value: Any) -> None:
    """Nothing is raised, whatever a field holds."""
    assert isinstance(read_row(encoded(FULL | {field: value})), Notebook | MalformedRow)


@searching
@given(field=st.sampled_from(["lease", "volume", "user", "image", "pool"]), inner=st.text(max_size=9), value=json_values)
def test_any_value_inside_a_group_is_read_or_malformed(field: str, inner: str, value: Any) -> None:
    """Nothing is raised, one level further down."""
    for name in (inner, *FULL[field]):
        assert isinstance(read_row(encoded(FULL | {field: FULL[field] | {name: value}})), Notebook | MalformedRow)


@searching
@given(value=json_values)
def test_any_json_is_an_answer_or_malformed(value: Any) -> None:
    """As a row, a notebook, a page, a list of workspaces: nothing else is ever raised."""
    assert isinstance(read_row(encoded(value)), Notebook | MalformedRow)
    for read in (read_notebook, read_page, read_workspace_ids):
        with suppress(MalformedAnswer):
            read(encoded(value))


BAD_UTF8 = b'{"id":"nb1","status":"STOPPED","name":"\xff"}'
DEEP = b'{"id":"nb1","status":"STOPPED","extra":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@searching
@given(body=st.binary())
@example(body=BAD_UTF8)
@example(body=b'{"id":"nb1","status":"STOPPED","name":"\\ud800"}')
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    """One broken byte in one name must not end a sweep."""
    assert isinstance(read_row(body), Notebook | MalformedRow)
    for read in (read_notebook, read_page, read_workspace_ids):
        with suppress(MalformedAnswer):
            read(body)


def test_a_name_that_is_no_utf_8_makes_its_own_row_malformed() -> None:
    """The rows around it are read."""
    page = read_page(b'{"total":2,"data":[' + BAD_UTF8 + b"," + encoded(FULL) + b"]}")
    assert [type(read) for read in page.rows] == [MalformedRow, Notebook]


def test_a_value_that_is_nested_beyond_all_reason_is_malformed() -> None:
    """It is no answer that the API gives, and no bug of ours."""
    assert isinstance(read_row(DEEP), MalformedRow)
    with pytest.raises(MalformedAnswer):
        read_notebook(DEEP)


def test_a_page_that_is_nested_beyond_all_reason_is_malformed() -> None:
    """Row or page, but nothing else is raised."""
    try:
        page = read_page(b'{"total":1,"data":[' + DEEP + b"]}")
    except MalformedAnswer:
        return
    assert [type(read) for read in page.rows] == [MalformedRow]


# ---- what is not written as documented, and can be read without a guess -----------------------------------------------------


@pytest.mark.parametrize("written", ["1700000000000", 1_700_000_000_000.0, "1700000000000.0"])
def test_digits_in_text_and_integral_floats_are_read(written: object) -> None:
    """Wherever a whole number is documented."""
    read = readable(
        create_at=written,
        update_at=written,
        lease={"create_at": written, "update_at": written, "duration": "3600000", "enable": True},
        volume={"capacity": "50"},
        data_volumes=[{"capacity": 5.0}],
    )
    moment = milliseconds(1_700_000_000_000)
    assert (read.created_at, read.updated_at) == (moment, moment)
    assert read.lease == Lease(
        enabled=True, created_at=moment, updated_at=moment, duration=timedelta(hours=1), type=LeaseType.TIMING
    )
    assert read.volume
    assert read.volume.capacity_gb == 50


def test_enumerations_are_read_in_lower_case_too() -> None:
    """And compared as the documents write them."""
    read = readable(
        status="stopped",
        feature="notebook",
        lease={"type": "idle"},
        volume={"category": "evs", "ownership": "dedicated"},
        billing_items=["storage"],
    )
    assert (read.status, read.feature, read.billing) == (Status.STOPPED, "NOTEBOOK", ("STORAGE",))
    assert read.lease
    assert read.lease.type is LeaseType.IDLE
    assert read.volume
    assert (read.volume.category, read.volume.reclaimable_gb) == ("EVS", None)


@pytest.mark.parametrize(("written", "total"), [("5", 5), (5.0, 5), ("5.0", 5)])
def test_a_total_may_be_written_as_text(written: object, total: int) -> None:
    """As any other number."""
    assert read_page(encoded({"total": written, "data": []})).total == total


# ---- bodies that are out of all proportion ----------------------------------------------------------------------------------


def test_a_page_of_far_more_rows_than_were_asked_for_is_no_page() -> None:
    """A thousand are read; more, however small, hold up everything else."""
    assert len(read_page(encoded({"total": 1000, "data": [{}] * 1000})).rows) == 1000
    with pytest.raises(MalformedAnswer, match="a page has 1001 rows, 50 were requested"):
        read_page(encoded({"total": 1001, "data": [{}] * 1001}))
    with pytest.raises(MalformedAnswer, match="hold more than any page of the API"):
        read_page(b'{"total":300000,"data":[' + b",".join([b"1"] * 300_000) + b"]}")


def test_the_name_of_a_row_that_cannot_be_read_is_cut() -> None:
    """It goes into the log; an id of no sensible length is none."""
    assert row(id="i" * 300, name="n" * 5000, status="ODD") == MalformedRow(None, "n" * 256, "id is not one that the API gives")
