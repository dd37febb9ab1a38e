"""The container files: they agree with the settings, and their commands start the system."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
PORTAL = ["migrate", "web", "worker"]
IMAGE = (PROJECT / "Dockerfile").read_text()


def known_settings() -> set[str]:
    source = (PROJECT / "cvdops/settings.py").read_text()
    return {*re.findall(r'(?:env|environ\.get|_number)\("([A-Z_]+)"', source)}


@pytest.mark.parametrize("service", PORTAL)
def test_every_variable_is_one_the_settings_know(service: str) -> None:
    names = {name.removesuffix("_FILE") for name in COMPOSE["services"][service]["environment"]}
    assert names - {"PORTAL_LOGIN"} <= known_settings()  # of the command of `migrate` alone


def test_every_variable_of_the_image_is_one_the_settings_know() -> None:
    assert set(re.findall(r"\b(CVDOPS_[A-Z_]+)=", IMAGE)) <= known_settings()


@pytest.mark.parametrize("service", PORTAL)
def test_no_secret_stands_in_the_environment(service: str) -> None:
    given = COMPOSE["services"][service]["environment"]
    assert not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} & given.keys()


def test_every_secret_that_a_service_reads_is_defined() -> None:
    used = {name for service in COMPOSE["services"].values() for name in service["secrets"]}
    assert used == set(COMPOSE["secrets"])


@pytest.mark.parametrize("service", PORTAL)
def test_the_portal_writes_in_its_volume_only(service: str) -> None:
    described = COMPOSE["services"][service]
    assert described["read_only"]
    assert described["cap_drop"] == ["ALL"]


def test_the_image_runs_as_an_ordinary_user() -> None:
    assert re.findall(r"^USER (\S+)", IMAGE, re.MULTILINE) == ["cvdops"]


def test_the_image_has_everything_it_copies() -> None:
    copied = [
        w
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", IMAGE, re.MULTILINE)
        for w in line.split()
    ]
    listed = (PROJECT / ".dockerignore").read_text().splitlines()
    assert all((PROJECT / name).exists() and f"!{name}" in listed for name in copied)


def test_secrets_are_written_once(tmp_path: Path) -> None:
    script = str(PROJECT / ".ci/secrets")
    assert subprocess.run([script], cwd=tmp_path, check=False).returncode == 0
    written = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(written) == set(COMPOSE["secrets"])
    assert subprocess.run([script], cwd=tmp_path, check=False).returncode == 2
    assert {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()} == written
