"""`manage.py parse PATH`: the parsed runbook as JSON. Needs no database."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.spec.parser import MAX_BYTES, parse
from cvdops.spec.serialise import to_json


class Command(BaseCommand):
    help = "Print how a runbook is understood, as JSON; exit 0 for any readable file, 2 for others."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *_args: object, path: Path, **_options: Any) -> None:
        try:
            with path.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}."
            raise CommandError(message, returncode=2) from None
        self.stdout.write(
            json.dumps(to_json(parse(source, path.name)), indent=2, ensure_ascii=False)
        )
