"""The stand-in for `systemctl`: it controls cvd and nginx of the practice CVD, for real."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.units import DESCRIPTIONS, Unit, UnitError

_VALUED = ("-p", "--property", "-n", "--lines", "-t", "--type", "--state")


def main(root: str, arguments: list[str]) -> int:
    """The exit codes are those of systemctl: 3 not active, 4 no such unit, 5 cannot be loaded."""
    options, words = _split(arguments)
    if not words:
        sys.stderr.write(f"systemctl: say what to do, one of: {', '.join(_VERBS)}\n")
        return 1
    verb, names = words[0], words[1:]
    if verb == "daemon-reload":
        return 0
    if verb not in _VERBS:
        sys.stderr.write(f"Unknown command verb {verb}.\n")
        return 1
    if not names:
        sys.stderr.write("Too few arguments: name a unit, cvd or nginx.\n")
        return 1
    layout = Layout(Path(root))
    codes = [_one(layout, verb, name.removesuffix(".service"), options) for name in names]
    if verb in ("is-active", "is-enabled"):
        return 0 if 0 in codes else codes[-1]
    return next((code for code in codes if code), 0)


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-"):
            name, equals, value = argument.partition("=")
            options[name] = value if equals or name not in _VALUED else next(rest, "")
        else:
            words.append(argument)
    return options, words


def _one(layout: Layout, verb: str, name: str, options: dict[str, str]) -> int:
    if name not in DESCRIPTIONS:
        sys.stderr.write(f"Unit {name}.service could not be found.\n")
        return 4 if verb == "status" else 5
    try:
        return _VERBS[verb](Unit(layout, name), options)
    except UnitError as error:
        unit = Unit(layout, name)
        sys.stderr.write(
            f"Job for {name}.service failed: {error}. Its last words: {unit.last_words()}\n"
        )
        return 1


def _start(unit: Unit, _options: dict[str, str]) -> int:
    unit.start()
    return 0


def _stop(unit: Unit, _options: dict[str, str]) -> int:
    unit.stop()
    return 0


def _restart(unit: Unit, _options: dict[str, str]) -> int:
    unit.stop()
    unit.start()
    return 0


def _reload(unit: Unit, _options: dict[str, str]) -> int:
    if not unit.running():
        raise UnitError(f"{unit.name} is not active, so it cannot be reloaded")
    unit.note(f"Reloaded {unit.name}.service")
    return 0


def _is_active(unit: Unit, options: dict[str, str]) -> int:
    active = unit.running() is not None
    _say("active" if active else "inactive", options)
    return 0 if active else 3


def _is_enabled(unit: Unit, options: dict[str, str]) -> int:
    _say("enabled" if unit.enabled else "disabled", options)
    return 0 if unit.enabled else 1


def _enable(unit: Unit, options: dict[str, str]) -> int:
    unit.enable(True)
    if "--now" in options:
        unit.start()
    return 0


def _disable(unit: Unit, options: dict[str, str]) -> int:
    unit.enable(False)
    if "--now" in options:
        unit.stop()
    return 0


def _status(unit: Unit, _options: dict[str, str]) -> int:
    process = unit.running()
    enabled = "enabled" if unit.enabled else "disabled"
    lines = [
        f"● {unit.name}.service - {DESCRIPTIONS[unit.name]}",
        f"     Loaded: loaded ({enabled})",
    ]
    if process:
        since = datetime.fromtimestamp(process.since, UTC)
        lines.append(f"     Active: active (running) since {since:%a %Y-%m-%d %H:%M:%S} UTC")
        lines.append(f"   Main PID: {process.pid}")
    else:
        lines.append("     Active: inactive (dead)")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if process else 3


def _show(unit: Unit, options: dict[str, str]) -> int:
    process = unit.running()
    values = {
        "Id": f"{unit.name}.service",
        "ActiveState": "active" if process else "inactive",
        "SubState": "running" if process else "dead",
        "MainPID": str(process.pid if process else 0),
        "UnitFileState": "enabled" if unit.enabled else "disabled",
    }
    wanted = options.get("-p") or options.get("--property") or ",".join(values)
    for name in wanted.split(","):
        if name in values:
            sys.stdout.write(values[name] if "--value" in options else f"{name}={values[name]}")
            sys.stdout.write("\n")
    return 0


def _say(word: str, options: dict[str, str]) -> None:
    if not options.keys() & {"-q", "--quiet"}:
        sys.stdout.write(word + "\n")


_VERBS: dict[str, Callable[[Unit, dict[str, str]], int]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "reload": _reload,
    "status": _status,
    "is-active": _is_active,
    "is-enabled": _is_enabled,
    "enable": _enable,
    "disable": _disable,
    "show": _show,
}
