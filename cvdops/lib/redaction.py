"""Secrets taken out of a stream of bytes, also where they lie across two reads."""

import base64
import ctypes
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "•••".encode()
SHORTEST = 6  # characters: anything shorter would mask half of an ordinary output

_SHELL_SPECIAL = re.compile(r"""([\s!"#$&'()*,;<>?\[\\\]^`{|}~])""", re.ASCII)
_UNCHANGED = re.compile(rb"[0-9A-Za-z_.-]+")  # by whatever quotes or escapes
# The same for bash, which leaves these two alone where they mean nothing.
_BASH_SPECIAL = re.compile(r"""([\s!"$&'()*,;<>?\[\\\]^`{|}]|^#|(?:^|(?<=[:=]))~)""", re.ASCII)
_HTML_SPECIAL = re.compile("[<>&]")  # programs in Go write these in JSON by their numbers
_DOUBLE_QUOTED_SPECIAL = re.compile(r'(["$\\`])')

# The C library searches three times as fast as Python, and lets other threads run meanwhile.
_memmem = ctypes.CDLL(None).memmem
_memmem.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
_memmem.restype = ctypes.c_void_p
_LARGE = 4096  # bytes: below, calling it costs more than it saves

Span = tuple[int, int]


def variants(secret: str | bytes) -> frozenset[bytes]:
    """The forms in which a secret is looked for: as it is, its lines, in base64, quoted, escaped.

    Raises ValueError for one that is too short; an empty one has no forms.
    """
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    if not text:
        return frozenset()
    bare = text.strip()
    if len(bare) < SHORTEST:
        raise ValueError(
            f"A secret needs at least {SHORTEST} characters, or it could not be masked without "
            "masking ordinary text. Choose a longer one."
        )
    lines = {line.strip() for line in bare.split("\n")}
    forms = {text, *_quoted(bare), *(line for line in lines if len(line) >= SHORTEST)}
    return frozenset({form.encode("utf-8", "surrogateescape") for form in forms}) | frozenset(
        _in_base64(bare.encode("utf-8", "surrogateescape"))
    )


def _quoted(text: str) -> Iterator[str]:
    yield text
    raw = text.encode("utf-8", "surrogateescape")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%..", lambda code: code[0].lower(), quoted)
    for quoted in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield quoted
        yield _HTML_SPECIAL.sub(lambda special: f"\\u{ord(special[0]):04x}", quoted)
    yield text.replace("'", "'\"'\"'")
    yield text.replace("'", "'\\''")
    yield _DOUBLE_QUOTED_SPECIAL.sub(r"\\\1", text)
    yield _SHELL_SPECIAL.sub(r"\\\1", text)
    yield _BASH_SPECIAL.sub(r"\\\1", text)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """Of each offset that a secret can have in what was encoded, the letters that depend on it alone;
    of one that is encoded by itself, also the lines into which programs part them."""
    for width in (64, 76):
        letters = base64.b64encode(raw).rstrip(b"=")
        lines = [letters[at : at + width] for at in range(0, len(letters), width)]
        yield from (line for line in lines[:-1] if len(lines) > 1)
        yield from (line[:-1] for line in lines[1:][-1:] if len(line) > SHORTEST)
    for shift in range(3):
        letters = base64.b64encode(b"\0" * shift + raw)
        known = letters[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        yield known
        yield known.replace(b"+", b"-").replace(b"/", b"_")


class Masker:
    """Masks in a stream. However it is cut into pieces, the result is the same.

    Every byte of every form of a secret is masked; forms that overlap become one mask. What could
    still become a secret is held back, and nothing else.
    """

    def __init__(self, secrets: Iterable[str | bytes]) -> None:
        """Raises ValueError for a secret that is too short."""
        self._variants = tuple(frozenset[bytes]().union(*map(variants, secrets)))
        self._searches = _searches(self._variants)
        self._buffer = b""
        self._covered = 0  # bytes of the buffer's beginning that are part of a mask already begun
        self._skipped = 0  # bytes of that mask which are not kept in the buffer any more

    @property
    def held(self) -> int:
        """Bytes of the source that are held back: what was given out covers all before them."""
        return self._skipped + len(self._buffer)

    def finds(self, text: str) -> bool:
        """Whether a secret is in there, in any of its forms."""
        return bool(self._spans(text.encode("utf-8", "surrogateescape")))

    @property
    def reach(self) -> int:
        """So many bytes before a place decide, at most, what is masked there."""
        return 2 * max(map(len, self._variants), default=0)

    def jump(self, before: bytes) -> None:
        """Go on elsewhere in the stream: behind these bytes, `reach` of them. What was held back is gone."""
        self._buffer, self._covered, self._skipped = b"", 0, 0
        self.feed(before)  # nothing of it is given out that may be the rest of a secret

    def feed(self, data: bytes) -> bytes:
        """The masked bytes that are certain now."""
        if not self._variants:
            return data
        data = self._buffer + data if self._buffer else data
        spans, tail = self._spans(data), self._tail(data)
        over = [span for span in spans if span[1] <= tail]
        across = [span for span in spans[len(over) :] if span[0] < tail]
        # A mask that reaches into what may become more of it begins when it is over.
        end, covered_to = across[0] if across else (tail, tail)
        self._skipped, self._covered = tail - end, covered_to - tail
        self._buffer = data[tail:]
        return _render(data, over, end)

    def flush(self) -> bytes:
        """What was held back, masked: no more will come."""
        rest = _render(self._buffer, self._spans(self._buffer), len(self._buffer))
        self._buffer, self._covered, self._skipped = b"", 0, 0
        return rest

    def cut(self) -> bytes:
        """The same where more came that nobody has seen: the beginning of a secret is masked, too."""
        if self.held < SHORTEST // 2:
            return self.flush()  # a letter or two say nothing
        self._buffer, self._covered, self._skipped = b"", 0, 0
        return MASK

    def _spans(self, data: bytes) -> list[Span]:
        """Where secrets are, in order; those that overlap as one."""
        found = [(-self._skipped, self._covered)] if self._covered else []
        for sign, forms in self._searches:  # one search each: an alternation is ten times slower
            for form in forms if _has(data, sign) else ():
                at = data.find(form)
                while at >= 0:
                    found.append((at, at + len(form)))
                    at = data.find(form, at + 1)
        return _merged(found)

    def _tail(self, data: bytes) -> int:
        """Where the longest end begins that is the beginning of a secret."""
        longest = 0
        for form in self._variants:
            window = data[max(0, len(data) - len(form) + 1) :]
            at = window.find(form[:1])
            while 0 <= at < len(window) - longest:
                if form.startswith(window[at:]):
                    longest = len(window) - at
                    break
                at = window.find(form[:1], at + 1)
        return len(data) - longest


def _searches(forms: Iterable[bytes]) -> list[tuple[bytes, list[bytes]]]:
    """The forms, by a part that several have in common: where it is not, none of them is."""
    found: dict[bytes, list[bytes]] = {}
    for form in sorted(forms, key=len):
        sign = max(_UNCHANGED.findall(form), key=len, default=b"")
        known = next((sign for sign in found if sign in form), None)
        found.setdefault(known or (sign if len(sign) >= SHORTEST else form), []).append(form)
    return list(found.items())


def _has(data: bytes, sign: bytes) -> bool:
    if len(data) < _LARGE:
        return sign in data
    return _memmem(data, len(data), sign, len(sign)) is not None


def _merged(found: list[Span]) -> list[Span]:
    spans: list[Span] = []
    for start, end in sorted(found):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def _render(data: bytes, spans: list[Span], end: int) -> bytes:
    if not spans:
        return data if end == len(data) else data[: max(end, 0)]
    pieces, at = [], 0
    for start, stop in spans:
        pieces += [data[at : max(start, at)], MASK]
        at = stop
    return b"".join([*pieces, data[at:end]])
