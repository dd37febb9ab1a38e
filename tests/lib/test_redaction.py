"""Secrets do not get into the output, however it is cut into pieces."""

import base64
import json
import shlex
import subprocess
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.lib.redaction import MASK, Masker, variants

SECRETS = [
    "hunter2",
    "aaaaaaa",
    "abcabcd",
    "bcdefg!",
    "p a'ss\"$w\\rd/+é",
    "line-one\nshort\nline-two",
]
PIECES = sorted({form for secret in SECRETS for form in variants(secret)})

# Output made of secrets, their beginnings and their ends, so that they meet and overlap.
fragments = st.one_of(
    st.sampled_from(PIECES),
    st.builds(lambda piece, n: piece[:n], st.sampled_from(PIECES), st.integers(0, 9)),
    st.builds(lambda piece, n: piece[n:], st.sampled_from(PIECES), st.integers(0, 9)),
    st.sampled_from([b"a", b"\n", b"\xff\x00", "é".encode()]),
)
outputs = st.lists(fragments, max_size=12).map(b"".join)


def masked(chunks: list[bytes], secrets: list[str]) -> bytes:
    masker = Masker(secrets)
    return b"".join([*map(masker.feed, chunks), masker.flush()])


@given(outputs, st.lists(st.integers(0, 200), max_size=10))
def test_any_cut_gives_the_same(output: bytes, cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(output)) for cut in cuts), len(output)]
    chunks = [output[a:b] for a, b in pairwise(borders)]
    assert masked(chunks, SECRETS) == masked([output], SECRETS)


@given(outputs)
def test_byte_by_byte_gives_the_same(output: bytes) -> None:
    assert masked([bytes([byte]) for byte in output], SECRETS) == masked([output], SECRETS)


@given(outputs)
def test_no_form_of_a_secret_remains(output: bytes) -> None:
    result = masked([output], SECRETS)
    assert not [form for form in PIECES if form in result]


@given(outputs, st.integers(0, 200))
def test_a_new_masker_goes_on_where_the_held_bytes_begin(output: bytes, cut: int) -> None:
    first = Masker(SECRETS)
    before = first.feed(output[:cut])
    source = min(cut, len(output)) - first.held
    assert before + masked([output[source:]], SECRETS) == masked([output], SECRETS)


@given(outputs, st.integers(0, 200))
def test_elsewhere_in_the_stream_it_goes_on_as_if_it_had_seen_all(
    output: bytes, place: int
) -> None:
    place = min(place, len(output))
    masker = Masker(SECRETS)
    masker.feed(output[: place // 2])
    masker.jump(output[max(0, place - masker.reach) : place])
    rest = masker.feed(output[place:]) + masker.flush()
    assert masked([output], SECRETS).endswith(rest)


@given(st.binary(max_size=300))
def test_without_secrets_nothing_changes(output: bytes) -> None:
    assert masked([output], []) == output


def test_without_secrets_nothing_is_copied() -> None:
    output = bytes(1000)
    assert Masker([]).feed(output) is output


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_masks_a_secret_inside_base64(before: str) -> None:
    encoded = base64.b64encode(f"{before}hunter2-secret-value: and more".encode())
    assert MASK in masked([encoded], ["hunter2-secret-value"])


@pytest.mark.parametrize(
    "form",
    [
        lambda text: quote(text, safe=""),
        lambda text: quote(text),
        lambda text: json.dumps(text),
        lambda text: json.dumps(text, ensure_ascii=False),
        shlex.quote,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    ],
)
def test_masks_what_programs_make_of_a_secret(form) -> None:
    secret = "k€y with 'quotes', \"more\", $dollars & back\\slash ~?>"
    result = masked([form(secret).encode()], [secret])
    assert result.strip(b"\"'=") == MASK or len(result) < len(MASK) + 6


def test_masks_what_bash_makes_of_a_secret() -> None:
    secret = "pa ss'w\"o$r`d;\\&(x)"
    shown = subprocess.run(
        ["bash", "-c", 'printf "%q\n" "$S"; set -x; : "$S"'],
        env={"S": secret},
        capture_output=True,
        check=True,
    )
    assert masked([shown.stdout], [secret]) == MASK + b"\n"
    assert masked([shown.stderr], [secret]) == b"+ : '" + MASK + b"'\n"


@pytest.mark.parametrize("secret", ["p?ss#w~rd&x", "#!start", "a=~b:~c~d"])
def test_masks_what_bash_leaves_alone(secret: str) -> None:
    shown = subprocess.run(
        ["bash", "-c", 'printf "%q\n" "$S"'], env={"S": secret}, capture_output=True, check=True
    )
    assert masked([shown.stdout], [secret]).strip(b"\\\n") == MASK


def test_masks_json_that_is_safe_in_html() -> None:
    assert (
        masked([rb'{"key":"a\u003cb\u0026secret"}'], ["a<b&secret"]) == b'{"key":"' + MASK + b'"}'
    )


@pytest.mark.parametrize("width", [64, 76])
def test_masks_base64_in_lines(width: int) -> None:
    secret = "".join(f"line {n} of a long secret\n" for n in range(20))
    letters = base64.b64encode(secret.encode()).decode()
    lines = "".join(f"{letters[n : n + width]}\n" for n in range(0, len(letters), width))
    assert len(masked([lines.encode()], [secret]).replace(MASK, b"").replace(b"\n", b"")) < 6


def test_masks_each_line_of_a_key() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKC\nabc\n-----END KEY-----\n"
    output = b"> MIIEpAIBAAKC\r\n> abc\r\n"
    assert masked([output], [key]) == b"> " + MASK + b"\r\n> abc\r\n"


def test_holds_back_no_more_than_a_beginning_of_a_secret() -> None:
    masker = Masker(["hunter2"])
    assert masker.feed(b"prompt: hunt") == b"prompt: "
    assert masker.held == 4
    assert masker.feed(b"ing season\n") == b"hunting season\n"
    assert masker.held == 0


def test_masks_the_beginning_of_a_secret_where_the_rest_is_not_seen() -> None:
    masker = Masker(["hunter2"])
    assert masker.feed(b"prompt: hunte") + masker.cut() == b"prompt: " + MASK
    assert masker.feed(b"prompt: hu") + masker.cut() == b"prompt: hu"


def test_a_mask_without_end_is_not_kept_in_memory() -> None:
    masker = Masker(["aaaaaaaa"])
    for _ in range(50):
        assert masker.feed(b"a" * 1000) == b""
    assert masker.held == 50_000
    assert len(masker._buffer) < 10
    assert masker.feed(b"!") == MASK + b"!"


def test_masks_bytes_that_are_no_text() -> None:
    assert (
        masked([b"x\xff\xfe\x00\x01\x02\x03y"], [b"\xff\xfe\x00\x01\x02\x03"]) == b"x" + MASK + b"y"
    )


@pytest.mark.parametrize("secret", ["short", " 12345 \n", b"12345"])
def test_refuses_a_secret_that_is_too_short(secret: str) -> None:
    with pytest.raises(ValueError, match="at least 6 characters"):
        Masker([secret])


def test_an_empty_secret_hides_nothing() -> None:
    assert masked([b"output"], [""]) == b"output"


def test_masks_in_a_large_piece() -> None:
    secrets = [f"secret-{n} 'quoted'" for n in range(20)]
    output = b"x" * 100_000
    printed = output.join(shlex.quote(secret).encode() for secret in secrets)
    expected = output.join([b"'" + MASK + b"'"] * 20)
    assert masked([printed], secrets) == expected
