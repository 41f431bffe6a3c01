"""The certificates that calls trust."""

import ssl
from pathlib import Path

import pytest

from nbsweep.adapters.cloud.session import failure

URL = "https://cloud.example.com"


def failed_trust() -> str:
    """Return the message for a certificate that is not trusted."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "unable to get local issuer certificate"
    return str(failure(URL, error))


def test_an_unreadable_ssl_cert_file_is_named_where_a_certificate_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenSSL ignores such a file without an error, so that the reason would stay hidden."""
    missing, there = tmp_path / "missing.pem", tmp_path / "ca.pem"
    there.write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(missing))
    assert failed_trust().endswith(f"; SSL_CERT_FILE names {missing}, which cannot be read")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path))
    assert f"SSL_CERT_FILE names {tmp_path}, which" in failed_trust()
    monkeypatch.setenv("SSL_CERT_FILE", str(there))
    assert "SSL_CERT_FILE" not in failed_trust()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "SSL_CERT_FILE" not in failed_trust()
