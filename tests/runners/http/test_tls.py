"""TLS: the certificate has to be the name's, although the connection is made to an address."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cvdops.runners.http import NotSent
from tests.http_server import HttpServer
from tests.runners.http.asking import Asker


def served(folder: Path, *names: x509.GeneralName) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for these names, and the file that says that it can be trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


def test_a_trusted_certificate_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, path = served(
        tmp_path, x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))
    )
    asked = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with HttpServer(tls=context) as server:
        for host in ("localhost", "127.0.0.1"):
            assert Asker().ask(f"GET https://{host}:{server.port}/").body == b"ok"
    assert asked == ["localhost", None]


@pytest.mark.parametrize("trusted", [True, False])
def test_another_certificate(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, path = served(tmp_path, x509.DNSName("other.example" if trusted else "localhost"))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    asker = Asker()
    with HttpServer(tls=context) as server:
        with pytest.raises(NotSent, match=r"certificate of localhost:.* is not accepted"):
            asker.ask(f"POST https://localhost:{server.port}/\n\nsecret")
        assert not server.requests or b"secret" not in server.last
    assert not asker.sent


def test_a_server_that_does_not_speak_it() -> None:
    greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with HttpServer(greeting=greeting) as server, pytest.raises(NotSent, match="not speak TLS"):
        Asker().ask(f"GET https://127.0.0.1:{server.port}/")
