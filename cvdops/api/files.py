"""Lists as files: what the description says of them."""

from typing import Any, Literal

from cvdops.lib.exports import FORMATS

Format = Literal["csv", "json"]

FILE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The file, as it is read; it breaks off where your right to it ends.",
            "content": {
                FORMATS["csv"].partition(";")[0]: {"schema": {"type": "string"}},
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["items"],
                        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
                    }
                },
            },
        }
    }
}
