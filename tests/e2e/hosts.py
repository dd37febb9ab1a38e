"""What people do with the hosts of an environment."""

from playwright.sync_api import Page, expect

from tests.sshd import Sshd
from tests.stack.launching import Launched


def add(page: Page, system: Launched, server: Sshd, name: str) -> None:
    """Fill in the form for a host, whose private key the portal has; its page is open afterwards."""
    server.installation(system.data / "ssh")
    page.goto("/environments/development/add/hosts/")
    page.fill("[name=name]", name)
    page.select_option("[name=transport]", "ssh")
    place(page, server)
    page.goto(f"/environments/development/hosts/{name}/")


def move(page: Page, system: Launched, server: Sshd, name: str) -> None:
    """Say that it is somewhere else; its page is open afterwards."""
    server.installation(system.data / "ssh")
    page.goto(f"/environments/development/hosts/{name}/")
    page.get_by_role("link", name="Change").click()
    place(page, server)
    page.goto(f"/environments/development/hosts/{name}/")


def place(page: Page, server: Sshd) -> None:
    page.fill("[name=address]", "127.0.0.1")
    page.fill("[name=port]", str(server.port))
    page.fill("[name=user]", server.login.user)
    page.fill("[name=key]", "test")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("is saved.")


def tested(page: Page, says: str) -> None:
    """Press the button, and wait for a sentence of the result."""
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#test")).to_contain_text(says)
