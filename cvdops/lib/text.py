"""Bytes that are going to be text."""

_LONGEST = 4  # bytes of a UTF-8 character


def complete_utf8(data: bytes) -> bytes:
    """`data` without a character that has only begun at its end. Bytes that are no UTF-8 stay."""
    for back in range(1, min(_LONGEST, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue  # the middle of a character: its beginning is further left
        return data[:-back] if back < _length(byte) else data
    return data


def _length(first: int) -> int:
    """How many bytes a character has that begins with this one; 1 for a byte that begins none."""
    if 0xC2 <= first <= 0xDF:
        return 2
    if 0xE0 <= first <= 0xEF:
        return 3
    return 4 if 0xF0 <= first <= 0xF4 else 1
