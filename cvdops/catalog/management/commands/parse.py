"""`manage.py parse PATH`: the parsed runbook as JSON. Needs no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from cvdops.lib.command import Error, PortalCommand
from cvdops.spec.parser import MAX_BYTES, parse
from cvdops.spec.serialise import to_json


class Command(PortalCommand):
    help = (
        "Print how a runbook is understood, as JSON: its sections, procedures, steps, variables, and what the "
        "parser found. Needs no database. (--json is what it does anyway.)"
    )
    examples: ClassVar = (
        ("manage.py parse runbooks/DEPLOYMENT_RUNBOOK.md", "everything"),
        (
            "manage.py parse runbooks/DEPLOYMENT_RUNBOOK.md | python3 -c 'import json, sys; "
            'print(*[s["id"] for s in json.load(sys.stdin)["steps"]], sep="\\n")\'',
            "the ids of its steps",
        ),
    )
    exits: ClassVar = ((0, "it was read, whatever was found"), (2, "the file cannot be read"))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *_args: object, path: Path, **_options: Any) -> None:
        try:
            with path.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}."
            raise Error(message) from None
        self.console.say_json(to_json(parse(source, path.name)))
