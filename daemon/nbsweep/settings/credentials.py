"""`credentials`: the identity of the caller."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StrictStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.settings.fields.address import Endpoint
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import Written

KEY = Written(r"^[!-~]+$", "must be one word of ASCII letters, digits and signs; look for a space or a line end in it")
LINE = Written(r"^[^\x00-\x1f\x7f]+$", "must be one line of text, and not empty; look for a line end in it")

FORMS = {
    "keys": ("access_key", "secret_key", "secret_key_file", "security_token", "security_token_file"),
    "a user": ("username", "password", "password_file", "domain"),
    "an agency": ("agency",),
}
"""What there is to choose from, and what belongs to each; `iam_endpoint` goes with all of them."""
NEEDED = {"keys": ("access_key", "secret_key"), "a user": ("username", "password", "domain"), "an agency": ("agency",)}
SECRETS = ("secret_key", "security_token", "password")
"""Each of them may be in a file of its own, whose key ends in `_file`."""


class CredentialSettings(Group):
    """Keys, or a user and password, or this machine's agency; one of the three.

    Keep secrets out of the configuration: write "${NAME}" and set that in the environment, or name a file that holds nothing
    but the secret, such as a mounted one. Files are read when a command starts, and a relative path is taken from where it
    does.
    """

    access_key: Annotated[StrictStr, KEY] | None = Field(default=None, repr=False)
    """The access key id (AK)."""
    secret_key: Annotated[SecretStr, KEY] | None = None
    """The secret access key (SK)."""
    secret_key_file: FilePath | None = None
    """The file that holds the secret access key."""
    security_token: Annotated[SecretStr, KEY] | None = None
    """Given together with temporary keys; these cannot be renewed, so use them for one-off runs only."""
    security_token_file: FilePath | None = None
    """The file that holds the security token."""
    username: Annotated[StrictStr, LINE] | None = Field(default=None, repr=False)
    """The name of an IAM user. A token is issued for each target and renewed in time. A HUAWEI ID cannot have one."""
    password: Annotated[SecretStr, LINE] | None = None
    """The IAM user's password."""
    password_file: FilePath | None = None
    """The file that holds the password."""
    domain: Annotated[StrictStr, LINE] | None = Field(default=None, repr=False)
    """The account's name, which IAM calls a domain."""
    iam_endpoint: Endpoint | None = None
    """The address of IAM, without a path, for tokens and the lookup of project_id; when absent, it follows from the region."""
    agency: Literal["metadata"] | None = None
    """metadata: temporary keys of the agency of this ECS, from its metadata server, renewed in time."""

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        found = list(self._problems())
        if found:
            raise ValidationError.from_exception_data("credentials", found, hide_input=True)
        return self

    def _problems(self) -> Iterator[InitErrorDetails]:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        forms = [form for form, keys in FORMS.items() if any(key in given for key in keys)]
        if len(forms) != 1:
            choice = "access_key and secret_key, or username, password and domain, or agency"
            yield _problem((), f"must hold {choice}" if not forms else f"mix {' and '.join(forms)}: give one of {choice}")
            return
        for secret in SECRETS:
            if secret in given and f"{secret}_file" in given:
                yield _problem((f"{secret}_file",), f"must not be given together with {secret}")
        for key in NEEDED[forms[0]]:
            if key not in given and f"{key}_file" not in given:
                yield InitErrorDetails(type="missing", loc=(key,), input=None)


def _problem(place: tuple[str, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("form", "{error}", {"error": message}), loc=place, input=None)
