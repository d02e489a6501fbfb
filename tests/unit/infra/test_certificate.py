"""The certificate of an edge that was given none."""

import ssl
from pathlib import Path

import pytest

from infra.edge.certificate import generate, public_part

NAMES = ["localhost", "127.0.0.1", "::1", "staging.example.com"]


def test_it_is_the_same_at_every_update_of_a_year() -> None:
    assert generate("a secret", NAMES, 2026) == generate("a secret", NAMES, 2026)


@pytest.mark.parametrize("other", [("another", NAMES, 2026), ("a secret", NAMES, 2027)])
def test_another_secret_or_year_has_another_key(other: tuple[str, list[str], int]) -> None:
    assert generate("a secret", NAMES, 2026)[1] != generate(*other)[1]


def test_other_names_are_another_certificate_of_the_same_key() -> None:
    (before, key), (after, same_key) = generate("a secret", NAMES, 2026), generate("a secret", NAMES[:1], 2026)
    assert before != after
    assert key == same_key


def handshake(folder: Path, name: str, trusted: str) -> str:
    """Let a client that trusts a certificate talk to a server that shows the generated one; the version agreed on."""
    certificate, key = generate("a secret", NAMES, 2026)
    (folder / "edge.pem").write_text(certificate + key)
    at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    at_server.load_cert_chain(folder / "edge.pem")
    at_client = ssl.create_default_context(cadata=trusted)
    at_client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = at_server.wrap_bio(to_server, to_client, server_side=True)
    client = at_client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return str(client.version())


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_it_accepts_it_for_each_of_its_names(tmp_path: Path, name: str) -> None:
    assert handshake(tmp_path, name, generate("a secret", NAMES, 2026)[0]) == "TLSv1.3"


def test_no_client_accepts_it_for_another_name_or_of_another_secret(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path, "elsewhere.example.com", generate("a secret", NAMES, 2026)[0])
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|signature"):
        handshake(tmp_path, "localhost", generate("another", NAMES, 2026)[0])


def test_the_public_part_holds_no_key() -> None:
    certificate, key = generate("a secret", NAMES, 2026)
    assert public_part(certificate + key) == certificate
    assert public_part(key + certificate) == certificate


@pytest.mark.parametrize("part", [0, 1])
def test_a_file_that_lacks_the_certificate_or_the_key_is_refused(part: int) -> None:
    with pytest.raises(ValueError, match=r"PEM|private key"):
        public_part(generate("a secret", NAMES, 2026)[part])
