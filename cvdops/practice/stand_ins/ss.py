"""The stand-in for `ss` where there is none: the TCP ports on which something listens."""

import argparse
import socket
import sys
from pathlib import Path

_LISTEN = "0A"
_TABLES = {"tcp": 4, "tcp6": 16}  # file below /proc/net, bytes of an address


def main(_root: str, arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    rows = [_row(entry) for name in _TABLES for entry in _entries(Path("/proc/net") / name)]
    if not options.H:
        heads = ("State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port")
        rows.insert(0, heads)
    for state, received, sent, local, peer in rows:
        sys.stdout.write(f"{state:7} {received:6} {sent:6} {local:>24} {peer:>18}\n")
    return 0


def address(text: str) -> str:
    """`0100007F:1388` of /proc/net/tcp as `127.0.0.1:5000`."""
    number, _, port = text.partition(":")
    # Four bytes at a time, in the byte order of the machine.
    words = [bytes.fromhex(number[at : at + 8]) for at in range(0, len(number), 8)]
    raw = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    if len(raw) == _TABLES["tcp"]:
        return f"{'.'.join(map(str, raw))}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, raw)}]:{int(port, 16)}"


def _entries(path: Path) -> list[list[str]]:
    try:
        lines = path.read_text().splitlines()[1:]
    except OSError:
        return []
    return [fields for line in lines if (fields := line.split())[3] == _LISTEN]


def _row(fields: list[str]) -> tuple[str, str, str, str, str]:
    peer = "[::]:*" if len(fields[1]) > len("00000000:0000") else "0.0.0.0:*"
    return "LISTEN", "0", "128", address(fields[1]), peer


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ss", description="Listening TCP ports only.")
    for letter in "ltnaup46":
        parser.add_argument(f"-{letter}", action="store_true")
    parser.add_argument("-H", action="store_true", help="no line of headings")
    return parser
