import pytest
from pydantic import ValidationError

from nbsweep.settings import ServiceSettings


def test_no_proxy_is_trusted_unless_it_is_named() -> None:
    """And no group has a role."""
    service = ServiceSettings()
    assert service.trusted_proxies == ()
    assert (service.proxy_roles.admin, service.proxy_roles.approver) == ((), ())


def test_proxies_are_addresses_and_networks() -> None:
    """Of both versions; groups have roles."""
    networks = ["10.0.0.7", "10.1.0.0/28", "fd00::/64"]
    service = ServiceSettings.model_validate({"trusted_proxies": networks, "proxy_roles": {"admin": ["platform team"]}})
    assert service.trusted_proxies == tuple(networks)
    assert service.proxy_roles.admin == ("platform team",)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"trusted_proxies": ["0.0.0.0/0"]}, "covers every address"),
        ({"trusted_proxies": ["::/0"]}, "covers every address"),
        ({"trusted_proxies": ["10.0.0.1/28"]}, "its address must be the first one"),
        ({"trusted_proxies": ["proxy.example.com"]}, "must be an address or a network"),
        ({"trusted_proxies": ["127.0.0.1"]}, "set proxy_secret_file"),
        ({"trusted_proxies": ["10.0.0.7", "::1"]}, "set proxy_secret_file"),
        ({"proxy_secret_file": "/run/secrets/proxy"}, "no trusted_proxies"),
        ({"proxy_roles": {"admin": ["platform"]}}, "no trusted_proxies"),
        ({"trusted_proxies": ["10.0.0.7"], "proxy_roles": {"admin": ["a,b"]}}, "without commas"),
        ({"trusted_proxies": ["10.0.0.7"], "proxy_roles": {"viewer": ["a"]}}, "viewer"),
        ({"trusted_proxies": ["10.0.0.7"], "proxy_headers": "remote-user"}, "x-auth-request"),
        ({"api_tokens": [{"file": "/t", "role": "owner"}]}, "approver"),
        ({"api_tokens": [{"file": "/t", "role": "admin", "name": "a\nb"}]}, "must be a short name"),
    ],
)
def test_what_would_trust_too_much_is_a_mistake(settings: dict[str, object], problem: str) -> None:
    """Whoever may say who they are, may say that they are the administrator."""
    with pytest.raises(ValidationError, match=problem):
        ServiceSettings.model_validate(settings)
