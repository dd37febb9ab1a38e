"""Secrets at rest: encrypted with a key derived from the installation's secret key.

Keys are given newest first: the first encrypts, all of them open.
"""

import base64
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealBroken(Exception):
    """What was sealed cannot be opened: another key, or damaged bytes."""


def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"cvdops secrets 1").derive(
        secret_key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(values: Mapping[str, str], secret_key: str) -> bytes:
    """Encrypt names and values; nothing for nothing."""
    return _fernet(secret_key).encrypt(json.dumps(dict(values)).encode()) if values else b""


def unseal(sealed: bytes, keys: Sequence[str]) -> dict[str, str]:
    """What was sealed with one of these keys. Raises SealBroken."""
    if not sealed:
        return {}
    try:
        content = json.loads(MultiFernet([_fernet(key) for key in keys]).decrypt(sealed))
    except InvalidToken:
        raise SealBroken("The secrets were sealed with another SECRET_KEY.") from None
    return {str(name): str(value) for name, value in content.items()}


def reseal(sealed: bytes, keys: Sequence[str]) -> bytes:
    """The same, sealed with the first key. Raises SealBroken."""
    try:
        return MultiFernet([_fernet(key) for key in keys]).rotate(sealed)
    except InvalidToken:
        raise SealBroken("The secrets were sealed with another SECRET_KEY.") from None
