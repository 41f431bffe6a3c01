import pytest

from nbsweep.service.web.pages.views.elements.texts import name_or_id


@pytest.mark.parametrize("name", ["", None, "   ", " \n\t "])
def test_a_notebook_without_a_name_is_called_by_its_id(name: str | None) -> None:
    """A link of blanks could neither be seen nor be clicked."""
    assert name_or_id(name, "nb1") == "nb1"


def test_a_name_is_shown_on_one_line() -> None:
    """The id stands elsewhere."""
    assert name_or_id(" my \n notebook ", "nb1") == "my notebook"
