"""Each call as a line of curl, with the values of its example."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cvdops.api.examples import BODIES, PLACES, QUERIES, SHELL, THERE

_SHELL = re.compile(r'"(\$[A-Z_]+)"')  # a variable of the shell, as a value


def calls(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Id, method, path and description of each call, by its tag."""
    found = [
        (call["operationId"], method, path, call)
        for path, by_method in schema["paths"].items()
        for method, call in by_method.items()
    ]
    return iter(sorted(found, key=lambda one: one[3]["tags"][0]))


def address(name: str, path: str) -> str:
    """The address of the example, with the variables of the shell in it."""
    values: dict[str, object] = {place: example for place, (_, example) in PLACES.items()}
    values = {**values, **SHELL, **THERE.get(name, {})}
    query = QUERIES.get(name, "")
    filled = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), path)
    return f"{filled}?{query}" if query else filled


def body(name: str, *, moving: bool = False) -> str:
    """The body of the example as JSON; empty for none. `moving`: with times as variables of the shell."""
    if name not in BODIES:
        return ""
    said = {key: SHELL.get(key, value) if moving else value for key, value in BODIES[name].items()}
    return json.dumps(said)


SIGNED = "triggers.deliver"  # it carries a signature instead of a token
_SIGNING = """BODY='{body}' WHEN=$(date +%s) DELIVERY=build-4711
SIGNED="$WHEN.$DELIVERY.$BODY"
SIGNATURE=$(printf %s "$SIGNED" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -sS -X POST -H 'Content-Type: application/json' -d "$BODY" \\
  -H "X-Cvdops-Timestamp: $WHEN" -H "X-Cvdops-Delivery: $DELIVERY" \\
  -H "X-Cvdops-Signature: sha256=$SIGNATURE" "$PORTAL{address}"
"""


def curl(name: str, method: str, path: str) -> str:
    """The line for a shell in which `PORTAL` and `TOKEN` are set, or those of what is signed by `SECRET`."""
    if name == SIGNED:
        return _SIGNING.format(body=body(name), address=address(name, path)).rstrip()
    parts = ['curl -sS -H "Authorization: Bearer $TOKEN"']
    if method == "post":
        parts.append("-X POST")
    if said := body(name, moving=True):
        quoted = said.replace("'", "'\\''")
        quoted = _SHELL.sub(lambda match: f"\"'{match[1]}'\"", quoted)
        parts.append(f"-H 'Content-Type: application/json' -d '{quoted}'")
    return " ".join([*parts, f'"$PORTAL{address(name, path)}"'])
