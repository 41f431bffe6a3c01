"""The errors of the cloud; ModelArts API, section 3."""

from nbsweep.simulator.options import DialectOptions

_MODELARTS_MESSAGES = {
    "0010": "System error. Please contact technical support.",
    "0101": "Invalid argument.",
    "0102": "The workspace does not exist.",
    "0104": "Parameter error.",
    "0112": "The workspace policy does not allow this operation.",
    "0108": "You do not have the permission to perform this operation.",
    "6303": "The field cannot be used for sorting.",
    "6304": "Stop the instance before deleting it.",
    "6305": "The instance is already running.",
    "6306": "The instance is starting. Try again later.",
    "6307": "The instance has already been stopped.",
    "6308": "The instance is stopping. Try again later.",
    "6309": "The instance does not exist.",
    "6326": "The instance is frozen because the account is in arrears.",
    "6327": "The instance is not running.",
    "6349": "The automatic stop duration must be between 3600000 and 259200000 milliseconds.",
    "6357": "Another operation is in progress, or the instance is already in the target state. Try again later.",
    "7002": "You are not authorized to access the workspace.",
    "6400": "The payload is invalid.",
    "6404": "The notebook instance is not found.",
}


class ApiError(Exception):
    """A refusal with its HTTP status, its error code and its message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def modelarts_error(number: str, *, status: int = 400, detail: str = "") -> ApiError:
    """Return the ModelArts error of that number."""
    message = _MODELARTS_MESSAGES[number]
    return ApiError(status, f"ModelArts.{number}", f"{message} {detail}".rstrip())


def bad_parameter(name: str) -> ApiError:
    """Return the error of an invalid query parameter or body."""
    return modelarts_error("0104", detail=f"Invalid value of {name}.")


def not_authenticated(reason: str, *, number: str = "0301") -> ApiError:
    """Return the gateway's 401."""
    return ApiError(401, f"APIGW.{number}", f"Incorrect IAM authentication information: {reason}")


def wrong_project() -> ApiError:
    """Return the gateway's 403 for another project."""
    return ApiError(403, "APIGW.0302", "The IAM user is not authorized to access the project.")


def no_such_api() -> ApiError:
    """Return the gateway's 404, which never means that a notebook is gone."""
    return ApiError(404, "APIGW.0101", "The API does not exist or has not been published in the environment.")


def closed_workspace(dialect: DialectOptions) -> ApiError:
    """Return this dialect's error for a workspace that the caller may see but not list."""
    status, _, number = dialect.closed_answer.partition("/")
    return modelarts_error(number, status=int(status))


def sort_refused(dialect: DialectOptions, key: str) -> ApiError:
    """Return this dialect's error for a sort key that it does not know."""
    if dialect.sort_refusal == "500":
        return modelarts_error("0010", status=500)
    return modelarts_error(dialect.sort_refusal.removeprefix("400/"), detail=f"Field: {key}.")


def no_list_all(dialect: DialectOptions) -> ApiError:
    """Return this dialect's error for the listing of all users, if there is none."""
    answer = dialect.no_list_all or "404/0101"
    if answer == "404/0101":
        return no_such_api()
    status, _, number = answer.partition("/")
    return modelarts_error(number, status=int(status)) if number else ApiError(int(status), "", "")


def gone(dialect: DialectOptions) -> ApiError:
    """Return this dialect's error for a notebook that does not exist."""
    if dialect.gone_answer == "404":
        return modelarts_error("6309", status=404)
    if dialect.gone_answer == "400/6404":
        return modelarts_error("6404")
    return modelarts_error("6309")
