"""What a browser shows to the next one who sits down at it."""

from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.web.world import World


def test_after_the_logout_the_back_button_shows_nothing(
    live_server: LiveServer, world: World, browser: Browser
) -> None:
    page = browser.new_context(base_url=live_server.url).new_page()
    session = world.client("devops-engineer").cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto("/account/")
    page.goto("/runbooks/deployment/")
    assert "About deployment" in page.content()
    page.get_by_role("button", name="Log out").first.click()
    page.wait_for_url("**/login/")
    page.go_back()
    page.wait_for_url("**/login/**")
    assert "About deployment" not in page.content()
    page.go_back()
    assert "Where you are logged in" not in page.content()
    page.context.close()
