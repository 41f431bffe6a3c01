"""Where keys come from."""

from collections.abc import Mapping

from nbsweep.adapters.cloud.signing import AccessKey
from nbsweep.core.errors import Unauthorized
from nbsweep.settings import CredentialSettings


def find_access_key(settings: CredentialSettings | None, environment: Mapping[str, str]) -> AccessKey:
    """Take the keys of the configuration, else those of the environment, as the vendor's tools name them (API notes, 5.4).

    Raises:
        Unauthorized: there are none.
    """
    if settings is not None:
        token = settings.security_token
        return AccessKey(
            settings.access_key, settings.secret_key.get_secret_value(), token.get_secret_value() if token else None
        )
    access_key = environment.get("HUAWEICLOUD_SDK_AK", "")
    secret_key = environment.get("HUAWEICLOUD_SDK_SK", "")
    if not access_key or not secret_key:
        message = (
            "there are no credentials: set credentials.access_key and credentials.secret_key of the target, "
            "or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment"
        )
        raise Unauthorized(message)
    return AccessKey(access_key, secret_key, environment.get("HUAWEICLOUD_SDK_SECURITY_TOKEN") or None)
