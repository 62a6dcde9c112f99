"""What a product manager does, in a browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.conftest import shoot, sign_in
from desks import DeskProcesses

pytestmark = pytest.mark.slow


def settled(page: Page, subject: str) -> None:
    """Wait until this serves and nothing is going on, without a reload."""
    place = page.locator("#places section").first
    expect(place.locator(".subject")).to_have_text(subject, timeout=60_000)
    expect(place.locator(".steps")).to_have_count(0, timeout=60_000)


def put(page: Page, row: str) -> None:
    line = page.locator(".ready li").filter(has_text=row)
    line.get_by_role("link", name="Put on staging").click()
    page.get_by_role("button", name="Put it on staging").click()
    page.wait_for_url("**/shop")


def test_two_clicks_put_a_branch_on_and_one_takes_it_back(
    desk: DeskProcesses, ana: Page
) -> None:
    errors: list[str] = []
    ana.on("console", lambda one: errors.append(one.text) if one.type == "error" else 0)
    shoot(ana, "1-empty")
    put(ana, "feat: main")
    settled(ana, "feat: main")
    ana.locator(".ready li").filter(has_text="feat: feat/seats").get_by_role(
        "link", name="Put on staging"
    ).click()
    expect(ana.locator(".in li")).to_have_text(["feat: feat/seats"])
    ana.get_by_label("Why").fill("demo for ACME")
    shoot(ana, "2-confirm")
    ana.get_by_role("button", name="Put it on staging").click()
    expect(ana.locator(".steps .now")).to_be_visible(timeout=30_000)
    shoot(ana, "3-running")
    settled(ana, "feat: feat/seats")
    assert desk.shop.get()["text"] == "feat/seats"
    expect(ana).to_have_title("staging: feat: feat/seats · shop")
    shoot(ana, "4-serving")
    ana.get_by_role("button", name="Take it back").click()
    settled(ana, "feat: main")
    assert desk.shop.get()["text"] == "main"
    assert errors == []


def test_it_works_without_javascript(desk: DeskProcesses, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(desk, context, "ana")
    page.get_by_label("Find").fill("seats feat")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".ready .subject")).to_have_text(["feat: feat/seats"])
    put(page, "feat: feat/seats")
    desk.serves("feat/seats")
    page.reload()
    expect(page.locator("#places .subject").first).to_have_text("feat: feat/seats")
    context.close()


def test_another_sees_whose_it_is_and_takes_over_with_a_reason(
    desk: DeskProcesses, ana: Page, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    ben = sign_in(desk, context, "ben")
    expect(ben.locator(".held").first).to_contain_text(re.compile(r"ana.s\s+until"))
    width = ben.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    shoot(ben, "5-phone")
    ben.get_by_text("Take over from ana…").click()
    ben.get_by_label("Why?").fill("she is away")
    ben.get_by_role("button", name="Take over").click()
    expect(ben.locator(".held").first).to_contain_text("Yours until")
    # Her page was open all the time.
    held = ana.locator(".held").first
    expect(held).to_contain_text(re.compile(r"ben.s\s+until"), timeout=10_000)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(desk: DeskProcesses, browser: Browser, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = sign_in(desk, context, "kim")
    addresses = ["/shop", "/shop/history", "/shop/staging/put?ref=main"]
    for address in addresses:
        page.goto(desk.url + address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.goto(f"{desk.url}/shop")
    shoot(page, f"6-{scheme}")
    context.close()


def test_a_page_that_lost_its_stream_says_so(desk: DeskProcesses, ana: Page) -> None:
    desk.kill("serve")
    expect(ana.locator("#not-live")).to_be_visible(timeout=30_000)
    desk.start("serve")
    expect(ana.locator("#not-live")).to_be_hidden(timeout=90_000)
