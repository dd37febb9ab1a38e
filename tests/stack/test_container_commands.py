"""The commands of the containers in production mode, against real servers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from cvdops.stack.portal import PROJECT, answers
from tests.ports import free_port
from tests.waiting import until

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
HOST = "runbooks.example.org"
LIMIT = 180  # seconds


@pytest.fixture(scope="module")
def environment(tables_of_all: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What compose gives to a container of the portal, with the secrets in files."""
    database, role = f"container_{os.getpid()}", f"portal_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database} TEMPLATE {tables_of_all}")
    folder = tmp_path_factory.mktemp("container")
    owner = os.environ["DATABASE_URL"].replace("/cvdops?", f"/{database}?")
    secrets = {
        "owner_url": owner,
        "database_url": owner.replace("cvdops@", f"{role}:secret@"),
        "redis_url": os.environ["REDIS_URL"],
        "secret_key": "".join(chr(97 + n % 26) + str(n) for n in range(40)),
    }
    for name, value in secrets.items():
        (folder / name).write_text(value)
    given = {
        name: re.sub(
            r"\$\{\w+:-(.*?)\}", r"\1", str(value)
        )  # what is so where nobody says otherwise
        for name, value in COMPOSE["services"]["web"]["environment"].items()
    }
    given |= {
        name: str(folder / Path(path).name) for name, path in given.items() if "_FILE" in name
    }
    given |= {"ALLOWED_HOSTS": HOST, "CSRF_TRUSTED_ORIGINS": f"https://{HOST}"}
    given |= {"CVDOPS_PROXIES": "127.0.0.1"}
    given |= {"CVDOPS_DATA_DIR": str(folder), "CVDOPS_STATIC": str(folder / "static")}
    return given | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def migrated(environment: dict[str, str]) -> dict[str, str]:
    """After the image's build step and the one-shot migration."""
    build = ["python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    login = Path(environment["DATABASE_URL_FILE"])
    as_owner = environment | {
        "DATABASE_URL_FILE": str(login.with_name("owner_url")),
        "PORTAL_LOGIN": str(login),
    }
    migrate = [word.replace("$$", "$") for word in COMPOSE["services"]["migrate"]["command"]]
    for command in (build, migrate):
        done = subprocess.run(
            command, cwd=PROJECT, env=as_owner, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, done.stderr
    return environment


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def web_command(port: int) -> list[str]:
    """The image's own command on another port."""
    image = (PROJECT / "Dockerfile").read_text()
    found = re.findall(r"^CMD (\[.*?\])$", image, re.MULTILINE | re.DOTALL)[-1]
    words: list[str] = json.loads(found.replace("\\\n", ""))
    return [str(port) if word == "8000" else word for word in words]


def worker_command() -> list[str]:
    words: list[str] = COMPOSE["services"]["worker"]["command"]
    return [word.replace("$$", "$") for word in words]


@pytest.fixture(scope="module")
def web(migrated: dict[str, str]) -> Iterator[int]:
    """The port of a web server that answers."""
    port = free_port()
    with running(web_command(port), migrated):
        until(lambda: answers(port, "/healthz", HOST), what="the web server")
        yield port


def test_web_and_worker_make_the_portal_ready(migrated: dict[str, str], web: int) -> None:
    assert not answers(web, "/readyz", HOST)
    with running(worker_command(), migrated):
        until(lambda: answers(web, "/readyz", HOST), what="the worker")


def test_an_unknown_host_is_refused(web: int) -> None:
    assert not answers(web, "/healthz", "evil.example.org")


def test_production_refuses_the_demo(migrated: dict[str, str]) -> None:
    command = ["python", "manage.py", "demo"]
    done = subprocess.run(
        command, cwd=PROJECT, env=migrated, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode != 0
    assert "Production" in done.stderr


def test_production_refuses_to_start_without_its_own_key(environment: dict[str, str]) -> None:
    without = {name: value for name, value in environment.items() if name != "SECRET_KEY_FILE"}
    command = ["python", "manage.py", "check"]
    done = subprocess.run(
        command, cwd=PROJECT, env=without, capture_output=True, text=True, timeout=LIMIT
    )
    assert "SECRET_KEY is not set" in done.stderr


def test_production_refuses_a_redis_on_the_network_without_a_password(
    environment: dict[str, str],
) -> None:
    given = environment | {"REDIS_URL": "redis://redis:6379/0"}
    command = ["python", "manage.py", "check"]
    done = subprocess.run(
        command, cwd=PROJECT, env=given, capture_output=True, text=True, timeout=LIMIT
    )
    assert "REDIS_URL has no password" in done.stderr


def test_the_deployment_check_is_clean(migrated: dict[str, str]) -> None:
    command = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=PROJECT, env=migrated, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
