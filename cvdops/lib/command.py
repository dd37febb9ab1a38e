"""What all commands of `manage.py` have in common: help that teaches, `--json`, and errors as sentences."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any, ClassVar, cast

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.core.management.color import no_style
from django.db import InterfaceError, OperationalError, ProgrammingError

from cvdops.lib.console import Console, coloured
from cvdops.lib.errors import Invalid, Problem, Refused, UserError
from cvdops.lib.lessons import LessonFormatter, lesson

REFUSED = 2  # bad input, or not allowed
_AWAY = "The portal cannot reach its database. Start it, or correct DATABASE_URL."
_OTHER_TABLES = "The program and its tables do not fit together. Run manage.py migrate."


class Error(CommandError):
    """A command could not do what it was asked. `printed`: with what it did is its result on stdout."""

    def __init__(self, text: str, returncode: int = REFUSED, *, printed: bool = False) -> None:
        super().__init__(text, returncode=returncode)
        self.printed = printed


class _Formatter(LessonFormatter, DjangoHelpFormatter):
    """What is asked of this command before what all commands of Django know."""


class PortalCommand(BaseCommand):
    """A command. `examples`: what is typed, and what it does; `exits`: code → what it says.

    `handle` raises UserErrors as services do, or `Error`: with `--json` they are JSON on stdout, too.
    """

    examples: ClassVar[Sequence[tuple[str, str]]] = ()
    exits: ClassVar[Sequence[tuple[int, str]]] = ((0, "done"), (2, "not done: bad input"))
    colours: bool | None = None  # as --force-color and --no-color say
    requires_system_checks = ()  # they load every page; CI, migrate and workers run them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not coloured(sys.stderr):  # Django does not know NO_COLOR
            self.style, self.stderr.style_func = no_style(), None

    def run_from_argv(self, argv: list[str]) -> None:
        if "--json" in argv:
            try:  # an error is only raised, and not printed, until super() takes over
                self.create_parser(argv[0], argv[1]).parse_args(argv[2:])
            except CommandError as error:
                text = str(error).removeprefix("Error: ")
                self.console.say_json({"error": {"code": "usage", "detail": text}})
        super().run_from_argv(argv)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs = {"formatter_class": _Formatter, "epilog": lesson(self.examples, self.exits)}
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        if options["force_color"] or options["no_color"]:
            self.colours = bool(options["force_color"])
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # said below in one sentence
        try:
            return super().execute(*args, **options)
        except UserError as error:
            raise self._told(options, sentence(error), problem(error)) from error
        except CommandError as error:
            raise self._told(options, str(error), None, error) from error
        except (OperationalError, InterfaceError) as error:
            raise self._told(options, f"{_AWAY} It says: {error}".rstrip()) from error
        except ProgrammingError as error:
            raise self._told(options, f"{_OTHER_TABLES} It says: {error}".rstrip()) from error

    def _told(
        self,
        options: Any,
        text: str,
        document: dict[str, object] | None = None,
        error: CommandError | None = None,
    ) -> CommandError:
        """The error to end with; with `--json` it is printed for programs before."""
        if options.get("json") and not getattr(error, "printed", False):
            self.console.say_json({"error": document or {"code": "error", "detail": text}})
        return error or Error(text)

    @property
    def console(self) -> Console:
        """Where it prints. Nobody is there to answer when another program has given the streams."""
        out, err = (cast(IO[str], stream._out) for stream in (self.stdout, self.stderr))
        return Console(out, err, sys.stdin if err is sys.stderr else None, self.colours)


def sentence(error: UserError) -> str:
    """An error with everything that it says, for people: reasons with their remedies, fields by name."""
    if isinstance(error, Refused):
        return "\n".join(f"{r.text} {r.remedy}".strip() for r in error.reasons)
    if isinstance(error, Invalid):
        return "\n".join(_problem(found) for found in error.problems)
    return str(error)


def problem(error: UserError) -> dict[str, object]:
    """The same for programs, as the API tells it."""
    told: dict[str, object] = {"code": error.code, "detail": str(error)}
    if isinstance(error, Refused):
        told["reasons"] = [asdict(reason) for reason in error.reasons]
    if isinstance(error, Invalid):
        told["problems"] = [asdict(found) for found in error.problems]
    return told


def _problem(found: Problem) -> str:
    return found.message if found.field in found.message else f"{found.field}: {found.message}"
