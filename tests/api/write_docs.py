"""`python -m tests.api.write_docs`: docs/api-calls.md anew, from the description and its examples."""

import os
from pathlib import Path
from textwrap import indent

PLACE = Path(__file__).parents[2] / "docs" / "api-calls.md"
HEAD = """# Every call of the API, by curl

`PORTAL` is the address of the portal, `TOKEN` an API token with the scope that stands at the call,
`TOMORROW` a time as `2026-12-10T06:00:00Z`, `SECRET` that of a trigger; the other names in capitals are ids
that other calls answer. Runbooks, environments and people are those of the demo.
What calls take and answer in general is in [api.md](api.md). `python -m tests.api.write_docs` writes
this page, and a test runs each line on the demo.
"""


def text() -> str:
    """The page as it has to be."""
    from cvdops.api.curl import calls, curl  # noqa: PLC0415 — after Django is set up
    from cvdops.api.urls import described  # noqa: PLC0415

    parts, last = [HEAD], ""
    for name, method, path, call in calls(described()):
        if (tag := call["tags"][0]) != last:
            parts.append(f"\n## {tag.capitalize()}\n")
            last = tag
        scope = f" ({call['x-scope']})" if call.get("x-scope") else ""
        lines = indent(curl(name, method, path), "    ")
        parts.append(f"\n{call['summary']}{scope}:\n\n{lines}\n")
    return "".join(parts)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"
    import django

    django.setup()
    PLACE.write_text(text(), encoding="utf-8")
