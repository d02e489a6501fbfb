"""A certificate for an edge that was given none, signed by itself.

It follows from the stack's signing secret, the names and the year, so that it is stored nowhere, is the same at every
update, and is renewed by the first update of a year. It is good until the end of the next one.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The order of the group of P-256 (NIST SP 800-186, 3.2.1.3); a private key is less, and not zero.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SEED_BYTES = 48  # 128 bits more than a key has, so that no key is more likely than another (FIPS 186-5, A.2.1)


def generate(secret: str, names: Sequence[str], year: int) -> tuple[str, str]:
    """Return the certificate for some host names and addresses, and its private key, both as PEM."""
    key = _key(secret, year)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Janua staging")])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(f"{identity.digest.hex()} {names}".encode()).digest()[:19]))
        .not_valid_before(datetime(year, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(year + 2, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identity, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identity), critical=False)
        # By RFC 6979, without chance: the same at every update.
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def public_part(pem: str) -> str:
    """Return the certificates of a file that holds a private key as well; ValueError if it lacks either."""
    serialization.load_pem_private_key(pem.encode(), password=None)
    certificates = x509.load_pem_x509_certificates(pem.encode())
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates)


def _key(secret: str, year: int) -> ec.EllipticCurvePrivateKey:
    derivation = HKDF(hashes.SHA256(), _SEED_BYTES, salt=None, info=f"janua edge {year}".encode())
    number = int.from_bytes(derivation.derive(secret.encode()))
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
