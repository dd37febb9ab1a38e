"""Text in pieces."""


def complete_utf8(data: bytes) -> bytes:
    """The data without a character that has only begun at its end. Invalid bytes stay as they are."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:  # inside a character: look further back for its first byte
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if length > back else data
    return data
