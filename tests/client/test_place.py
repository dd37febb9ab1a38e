"""Which portal is asked, and with which token."""

from pathlib import Path

import pytest

from cvdops.client.place import Unset, place

HTTPS = "https://ops.example.com"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose file names a portal and a token."""
    folder = tmp_path / ".config" / "cvdops"
    folder.mkdir(parents=True)
    file = folder / "config"
    file.write_text(f"# mine\nCVDOPS_URL = {HTTPS}/\n\nCVDOPS_TOKEN='cvdops_file'\n")
    file.chmod(0o600)
    return {"HOME": str(tmp_path)}


def test_the_file(home: dict[str, str]) -> None:
    found = place(home)
    assert (found.url, found.token) == (HTTPS, "cvdops_file")
    assert "cvdops_file" not in repr(found)


def test_the_environment_comes_first(home: dict[str, str]) -> None:
    assert place({**home, "CVDOPS_TOKEN": "cvdops_env"}).token == "cvdops_env"


@pytest.mark.parametrize(
    "line", ["cvdops_secret", "export CVDOPS_URL=x", "CVDOPS_TOKNE=cvdops_secret"]
)
def test_a_line_that_says_nothing_is_named_and_not_quoted(home: dict[str, str], line: str) -> None:
    with (Path(home["HOME"]) / ".config/cvdops/config").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(Unset, match=r"^Line 5 of .* says neither") as error:
        place(home)
    assert line not in str(error.value)


def test_the_token_of_the_file_goes_to_no_other_portal(home: dict[str, str]) -> None:
    assert place({**home, "CVDOPS_URL": HTTPS}).token == "cvdops_file"
    with pytest.raises(Unset, match="Set CVDOPS_TOKEN"):
        place({**home, "CVDOPS_URL": "https://other.example.com"})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(home: dict[str, str], mode: int) -> None:
    (Path(home["HOME"]) / ".config/cvdops/config").chmod(mode)
    with pytest.raises(Unset, match="chmod 600"):
        place(home)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Where is the portal"),
        ("ops.example.com", "is no address"),
        ("ftp://ops.example.com", "is no address"),
        ("https://me:secret@ops.example.com", "is no address"),
        ("http://ops.example.com", "not encrypted"),
    ],
)
def test_addresses_that_are_none(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Unset, match=says):
        place({"HOME": str(tmp_path), "CVDOPS_URL": url, "CVDOPS_TOKEN": "cvdops_x"})


def test_this_machine_needs_no_encryption(tmp_path: Path) -> None:
    given = {"HOME": str(tmp_path), "CVDOPS_URL": "http://localhost:8000", "CVDOPS_TOKEN": "x"}
    assert place(given).url == "http://localhost:8000"
