"""The stand-in for `systemctl`: it controls cvd and nginx of the practice CVD, for real."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.units import DESCRIPTIONS, Unit, UnitError

_LONG = {"-p": "--property", "-n": "--lines", "-t": "--type", "-q": "--quiet"}
_VALUED = ("--property", "--lines", "--type", "--state")
_SUB_STATES = {"active": "running", "failed": "failed", "inactive": "dead"}


def main(root: str, arguments: list[str]) -> int:
    """The exit codes are those of systemctl: 3 not active, 4 no such unit, 5 cannot be loaded."""
    options, words = _split(arguments)
    verb, names = (words or ["list-units"])[0], words[1:]
    layout = Layout(Path(root))
    if verb == "daemon-reload":
        return 0
    if verb == "list-units":
        return _list_units(layout, options)
    if verb not in _VERBS:
        sys.stderr.write(f"Unknown command verb {verb}; the practice CVD has {_known()}.\n")
        return 1
    if not names:
        sys.stderr.write("Too few arguments: name a unit, cvd or nginx.\n")
        return 1
    codes = [_one(layout, verb, name.removesuffix(".service"), options) for name in names]
    if verb.startswith("is-"):
        return 0 if 0 in codes else codes[-1]
    return next((code for code in codes if code), 0)


def _known() -> str:
    return ", ".join([*_VERBS, "list-units", "daemon-reload"])


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-"):
            name, equals, value = argument.partition("=")
            name = _LONG.get(name, name)
            options[name] = value if equals or name not in _VALUED else next(rest, "")
        else:
            words.append(argument)
    return options, words


def _one(layout: Layout, verb: str, name: str, options: dict[str, str]) -> int:
    if name not in DESCRIPTIONS:
        sys.stderr.write(f"Unit {name}.service could not be found.\n")
        return 4 if verb == "status" else 5
    unit = Unit(layout, name)
    try:
        return _VERBS[verb](unit, options)
    except PermissionError:
        sys.stderr.write(f"Failed to {verb} {name}.service: it belongs to another user.\n")
        return 4
    except UnitError as error:
        said = "".join(f"\n  {line}" for line in unit.last_lines(3))
        sys.stderr.write(f"Job for {name}.service failed: {error}. Its journal ends with:{said}\n")
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
    unit.reload()
    return 0


def _is_active(unit: Unit, options: dict[str, str]) -> int:
    state = unit.state()
    _say(state, options)
    return 0 if state == "active" else 3


def _is_failed(unit: Unit, options: dict[str, str]) -> int:
    state = unit.state()
    _say(state, options)
    return 0 if state == "failed" else 1


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


def _status(unit: Unit, options: dict[str, str]) -> int:
    process, state = unit.running(), unit.state()
    enabled = "enabled" if unit.enabled else "disabled"
    lines = [
        f"● {unit.name}.service - {DESCRIPTIONS[unit.name]}",
        f"     Loaded: loaded (the practice CVD's stand-in; {enabled})",
        f"     Active: {state} ({_SUB_STATES[state]})",
    ]
    if process:
        since = datetime.fromtimestamp(process.since, UTC)
        lines[-1] += f" since {since:%a %Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"   Main PID: {process.pid}")
        lines.append(f"     Memory: {process.memory() / 1024**2:.1f}M")
    wanted = options.get("--lines", "")
    lines += ["", *unit.last_lines(int(wanted) if wanted.isdecimal() and int(wanted) else 10)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if process else 3


def _show(unit: Unit, options: dict[str, str]) -> int:
    process, state = unit.running(), unit.state()
    values = {
        "Id": f"{unit.name}.service",
        "Description": DESCRIPTIONS[unit.name],
        "LoadState": "loaded",
        "ActiveState": state,
        "SubState": _SUB_STATES[state],
        "MainPID": str(process.pid if process else 0),
        "MemoryCurrent": str(process.memory()) if process else "[not set]",
        "UnitFileState": "enabled" if unit.enabled else "disabled",
    }
    wanted = options.get("--property") or ",".join(values)
    for name in wanted.split(","):
        if name in values:
            line = values[name] if "--value" in options else f"{name}={values[name]}"
            sys.stdout.write(f"{line}\n")
    return 0


def _list_units(layout: Layout, options: dict[str, str]) -> int:
    """Those in the state that was asked for; `--failed` is short for one of them."""
    wanted = "failed" if "--failed" in options else options.get("--state", "")
    for name, description in DESCRIPTIONS.items():
        state = Unit(layout, name).state()
        if wanted in ("", state, _SUB_STATES[state]):
            row = f"{name + '.service':15} loaded {state:8} {_SUB_STATES[state]:8} {description}"
            sys.stdout.write(f"{row}\n")
    return 0


def _say(word: str, options: dict[str, str]) -> None:
    if "--quiet" not in options:
        sys.stdout.write(word + "\n")


_VERBS: dict[str, Callable[[Unit, dict[str, str]], int]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "reload": _reload,
    "status": _status,
    "is-active": _is_active,
    "is-failed": _is_failed,
    "is-enabled": _is_enabled,
    "enable": _enable,
    "disable": _disable,
    "show": _show,
}
