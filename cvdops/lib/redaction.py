"""Secrets taken out of a stream of bytes, also where they lie across two reads."""

import base64
import json
import shlex
from collections.abc import Iterable
from urllib.parse import quote

MASK = "•••".encode()
SHORTEST = 6  # characters: anything shorter would mask half of an ordinary output


class SecretTooShort(ValueError):
    """A secret that cannot be masked without masking ordinary text."""


def variants(secret: str) -> set[bytes]:
    """The forms in which a secret is found in output."""
    if len(secret) < SHORTEST:
        raise SecretTooShort(f"A secret needs at least {SHORTEST} characters to be masked.")
    forms = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], shlex.quote(secret)}
    forms |= {line for line in secret.splitlines() if len(line) >= SHORTEST}
    found = {form.encode("utf-8", "surrogatepass") for form in forms}
    raw = secret.encode("utf-8", "surrogatepass")
    for shift in range(3):
        # The letters that depend on the secret alone, wherever it stands in what was encoded.
        encoded = base64.b64encode(b"\0" * shift + raw)
        start = (shift * 8 + 5) // 6
        whole = (shift + len(raw)) * 8 // 6
        if whole - start >= SHORTEST:
            found.add(encoded[start:whole])
    return found


class Masker:
    """Masks in a stream. Holds back only an end that could be the beginning of a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Raises SecretTooShort."""
        forms: set[bytes] = set()
        for secret in secrets:
            forms |= variants(secret)
        self._forms = sorted(forms, key=len, reverse=True)  # a longer one may contain a shorter one
        self._longest = len(self._forms[0]) if self._forms else 0
        self._tail = b""

    @property
    def held(self) -> int:
        """How many bytes of the source are held back."""
        return len(self._tail)

    def feed(self, data: bytes) -> bytes:
        """The masked bytes that are certain now."""
        if not self._forms:
            return data
        data = self._tail + data
        end = self._safe_end(data)
        self._tail = data[end:]
        return self._masked(data[:end])

    def flush(self) -> bytes:
        """What was held back, masked: no more will come."""
        rest, self._tail = self._tail, b""
        return self._masked(rest)

    def _masked(self, data: bytes) -> bytes:
        for form in self._forms:  # one replace each: an alternation is ten times slower
            data = data.replace(form, MASK)
        return data

    def _safe_end(self, data: bytes) -> int:
        """Where the end begins that could still become a secret, or that a secret lies across."""
        end = len(data)
        for start in range(max(0, len(data) - self._longest + 1), len(data)):
            rest = data[start:]
            if any(len(form) > len(rest) and form.startswith(rest) for form in self._forms):
                end = start
                break
        for form in self._forms:
            # a whole secret that reaches into the held end stays together with it
            at = data.rfind(form, 0, end + len(form) - 1)
            if at != -1 and at < end < at + len(form):
                end = at
        return end
