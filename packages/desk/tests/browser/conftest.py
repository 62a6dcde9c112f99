"""Debian's chromium, signed in to a desk over a real service."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)

from desks import DeskProcesses, running_desk


@pytest.fixture
def new_desk(tmp_path: Path) -> Iterator[DeskProcesses]:
    """A desk that has put nothing on yet, and that no other test gets."""
    with running_desk(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "chromium is missing; .ci/prepare installs it on Debian"
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        with chromium.launch(executable_path=program, args=["--no-sandbox"]) as one:
            yield one


def sign_in(url: str, context: BrowserContext, name: str) -> Page:
    """Open the page as a person."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(f"{name}'s password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/shop")
    return page


@pytest.fixture
def ana(desk: DeskProcesses, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield sign_in(desk.url, context, "ana")
    context.close()


def settled(page: Page, subject: str) -> None:
    """Wait until this serves and nothing is going on, without a reload."""
    place = page.locator("#places section").first
    expect(place.locator(".subject")).to_have_text(subject, timeout=60_000)
    expect(place.locator(".steps")).to_have_count(0, timeout=60_000)


def put(page: Page, row: str) -> None:
    """Put a branch on by two clicks."""
    line = page.locator(".ready li").filter(has_text=row)
    line.get_by_role("link", name="Put on staging").click()
    page.get_by_role("button", name="Put it on staging").click()
    page.wait_for_url("**/shop")


def shoot(page: Page, name: str) -> None:
    """Keep a picture where CI collects it."""
    folder = Path(os.environ.get("DESK_SCREENSHOTS", "build/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
