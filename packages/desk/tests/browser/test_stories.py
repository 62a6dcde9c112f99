"""What a product manager does, in a browser: the stories that need one."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.conftest import put, settled, shoot, sign_in
from desks import DeskProcesses
from trunkline_desk.requests import STEPS

pytestmark = pytest.mark.slow
# Keeps every step that the page shows as going on, in this order.
WATCH = """() => {
    window.seen = new Set();
    new MutationObserver(() => {
        for (const one of document.querySelectorAll(".steps .now"))
            window.seen.add(one.firstChild.textContent);
    }).observe(document.body, { attributes: true, childList: true, subtree: true });
}"""


def test_two_clicks_put_on_what_is_said_to_come_and_go_and_one_takes_it_back(
    new_desk: DeskProcesses, browser: Browser
) -> None:
    desk, errors = new_desk, list[str]()
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    ana = sign_in(desk.url, context, "ana")
    ana.on("console", lambda one: errors.append(one.text) if one.type == "error" else 0)
    shoot(ana, "1-empty")
    put(ana, "feat: main")
    settled(ana, "feat: main")
    desk.shop.git("checkout", "--quiet", "main")
    pushed = desk.shop.branch("feat/seats")
    ana.locator(".ready li").filter(has_text="feat: feat/seats").get_by_role(
        "link", name="Put on staging"
    ).click()
    expect(ana.locator(".in li")).to_have_text(["feat: feat/seats"])
    ana.get_by_label("Why").fill("demo for ACME")
    # What was pushed a moment ago arrives on the open page, beside what was typed.
    expect(ana.locator("#what code")).to_have_text(pushed[:7], timeout=60_000)
    expect(ana.get_by_label("Why")).to_have_value("demo for ACME")
    shoot(ana, "2-confirm")
    ana.get_by_role("button", name="Put it on staging").click()
    expect(ana.locator(".steps .now")).to_be_visible(timeout=30_000)
    shoot(ana, "3-running")
    settled(ana, "feat: feat/seats")
    assert desk.shop.get()["text"] == "feat/seats"
    assert desk.shop.get("/version")["commit"] == pushed
    expect(ana).to_have_title("staging: Serving · feat: feat/seats · shop")
    shoot(ana, "4-serving")
    gone = desk.shop.git("log", "--format=%s", "main..feat/seats").splitlines()
    ana.goto(f"{desk.url}/shop/staging/put?ref=main")
    expect(ana.locator(".out li")).to_have_text(gone)
    ana.get_by_role("link", name="Not now").click()
    ana.get_by_role("button", name="Take it back").click()
    settled(ana, "feat: main")
    assert desk.shop.get()["text"] == "main"
    assert errors == []
    context.close()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has this text has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == text:
            return
    raise AssertionError(f"no Tab leads to {text}")


# What browsers call slow 3G: seconds there and back, and bytes in a second.
SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}


def heard(page: Page) -> tuple[set[str], int]:
    """Return what a screen reader reads, and how many regions it reads by itself."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = [one for one in tree["nodes"] if not one["ignored"]]
    names = {str(one["name"]["value"]).strip() for one in nodes if "name" in one}
    polite = {"name": "live", "value": {"type": "token", "value": "polite"}}
    return names, sum(polite in one.get("properties", ()) for one in nodes)


def test_from_the_train_a_phone_and_the_keyboard_put_a_branch_on_and_take_it_back(
    desk: DeskProcesses, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    page = sign_in(desk.url, context, "ana")
    for part in ("health", "subject", "meta", "held"):
        shown = page.locator(f".place .{part}").first.bounding_box()
        assert shown
        assert shown["y"] + shown["height"] < 600
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW_3G)
    # The button behind the words to look for.
    tab_to(page, "Find")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("seats")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("find=seats"))
    tab_to(page, "Put on staging")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/put"))
    tab_to(page, "Put it on staging")
    page.keyboard.press("Enter")
    page.wait_for_url("**/shop")
    told = page.locator("[aria-live=polite]").get_by_text(re.compile(r"step \d of \d"))
    expect(told).to_be_visible(timeout=30_000)
    settled(page, "feat: feat/seats")
    assert desk.shop.get()["text"] == "feat/seats"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tab_to(page, "Take it back")
    page.keyboard.press("Enter")
    settled(page, "feat: main")
    assert desk.shop.get()["text"] == "main"
    context.close()


# What can be pressed, and is too small for a thumb.
SMALL = """all => all.filter(one => one.checkVisibility() && one.offsetHeight < 44
    && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"""


def test_a_phone_shows_long_words_whole_and_buttons_for_a_thumb(
    desk: DeskProcesses, browser: Browser
) -> None:
    desk.ask("staging", {"action": "reserve", "why": "x" * 400})
    context = browser.new_context(viewport={"width": 360, "height": 640})
    page = sign_in(desk.url, context, "ana")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    pressed = page.locator("a:not(.skip), button, summary, select, [type=search]")
    assert pressed.count() > 5
    assert pressed.evaluate_all(SMALL) == []
    context.close()


def test_a_screen_reader_reads_the_status_as_a_word(
    desk: DeskProcesses, ana: Page
) -> None:
    settled(ana, "feat: main")
    names, told_by_itself = heard(ana)
    assert {"STAGING", "Serving", "feat: main"} <= names
    assert "●" not in names
    assert told_by_itself > 0


def test_production_has_another_colour_than_staging(
    desk: DeskProcesses, ana: Page
) -> None:
    colours = "all => all.map(one => getComputedStyle(one).color)"
    titles = ana.locator("section.place h1")
    assert titles.all_inner_texts() == ["STAGING", "PRODUCTION"]
    staging, production = titles.evaluate_all(colours)
    assert staging != production


@pytest.mark.parametrize("zone", ["Australia/Sydney", "America/Toronto"])
def test_a_time_is_that_of_the_reader_s_zone_and_tells_its_offset(
    desk: DeskProcesses, browser: Browser, zone: str
) -> None:
    context = browser.new_context(timezone_id=zone, locale="en-GB")
    page = sign_in(desk.url, context, "ana")
    page.goto(f"{desk.url}/shop/history")
    told = "all => all.map(one => [one.dateTime, one.textContent, one.title])"
    times = page.locator(".past time").evaluate_all(told)
    assert times
    for instant, text, title in times:
        when = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
        assert when <= datetime.now(UTC)
        assert text.rpartition(" ")[2].zfill(5) == f"{when:%H:%M}"
        assert f"{when:%H:%M:%S} GMT{when:%z}" in title
        assert f"({instant})" in title
    context.close()


def test_a_flag_is_switched_on_staging_by_steps_that_appear_in_order(
    desk: DeskProcesses, ana: Page
) -> None:
    ana.get_by_text("Flags (1)").click()
    ana.get_by_role("button", name="Switch it on").click()
    ana.wait_for_url("**/shop")
    ana.evaluate(WATCH)
    expect(ana.locator(".flags b")).to_have_text("on", timeout=60_000)
    expect(ana.locator(".steps")).to_have_count(0, timeout=60_000)
    names = ana.evaluate("[...window.seen]")
    seen = [STEPS.index(one.lower().split()[0]) for one in names]
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert desk.shop.get("/version")["flags"] == {"ENABLE_SEATS": True}
    expect(ana.locator(".past")).to_contain_text("switched ENABLE_SEATS on on staging")


def test_a_branch_that_fails_says_why_at_an_address_to_send(
    desk: DeskProcesses, ana: Page
) -> None:
    desk.shop.branch("feat/exits")
    ana.get_by_role("button", name="Look again").click()
    put(ana, "feat: feat/exits")
    failed = ana.locator(".failed")
    expect(failed).to_contain_text("Staging still runs", timeout=60_000)
    expect(failed.locator("pre")).to_contain_text("cannot start feat/exits")
    failed.get_by_role("link", name="Why?").click()
    ana.wait_for_url("**/requests/*")
    expect(ana.locator("main")).to_contain_text("cannot start feat/exits")
    assert desk.shop.get()["text"] == "main"


def test_it_works_without_javascript(desk: DeskProcesses, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(desk.url, context, "ana")
    page.get_by_label("Find").fill("seats feat")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".ready .subject")).to_have_text(["feat: feat/seats"])
    page.goto(f"{desk.url}/shop")
    put(page, "feat: feat/seats")
    desk.serves("feat/seats")
    page.reload()
    expect(page.locator("#places .subject").first).to_have_text("feat: feat/seats")
    context.close()


def test_another_sees_whose_it_is_and_takes_over_with_a_reason(
    desk: DeskProcesses, ana: Page, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    ana.get_by_text("Keep it for me…").click()
    ana.locator("details[open]").get_by_label("Why").fill("demo for ACME")
    ana.get_by_role("button", name="Keep it", exact=True).click()
    expect(ana.locator(".held").first).to_contain_text("Yours until")
    ben = sign_in(desk.url, context, "ben")
    held = ben.locator(".held").first
    expect(held).to_contain_text(re.compile(r"ana.s\s+until.*demo for ACME", re.DOTALL))
    width = ben.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    shoot(ben, "5-phone")
    ben.get_by_text("Take over from ana…").click()
    ben.get_by_label("Why?").fill("she is away")
    ana.get_by_role("button", name="Keep longer").click()
    # What changes meanwhile leaves alone what he types.
    expect(held).to_contain_text("7 h 59 min", timeout=10_000)
    expect(ben.get_by_label("Why?")).to_have_value("she is away")
    expect(ben.get_by_label("Why?")).to_be_focused()
    ben.get_by_role("button", name="Take over").click()
    expect(ben.locator(".held").first).to_contain_text("Yours until")
    # Her page was open all the time.
    held = ana.locator(".held").first
    expect(held).to_contain_text(re.compile(r"ben.s\s+until"), timeout=10_000)
    context.close()


def branch(desk: DeskProcesses, name: str, migration: str) -> None:
    """Make a branch with a migration that no other has."""
    desk.shop.git("checkout", "--quiet", "main")
    desk.shop.write(f"src/shop/migrations/{migration}.py", "")
    desk.shop.branch(name, migration)


def test_branches_with_different_migrations_need_a_database_each(
    new_desk: DeskProcesses, browser: Browser
) -> None:
    desk = new_desk
    branch(desk, "feat/tiers", "tiers")
    branch(desk, "feat/other", "other")
    context = browser.new_context()
    ben = sign_in(desk.url, context, "ben")
    ben.get_by_role("button", name="Look again").click()
    put(ben, "feat: feat/tiers")
    settled(ben, "feat: feat/tiers")
    row = ben.locator(".ready li").filter(has_text="feat: feat/other")
    expect(row).to_contain_text("other migration")
    put(ben, "feat: feat/other")
    expect(ben.locator(".failed pre")).to_contain_text("tiers", timeout=30_000)
    assert desk.shop.get()["text"] == "feat/tiers"
    row.get_by_role("link", name="Put on staging").click()
    ben.get_by_label("a database of its own").check()
    ben.get_by_role("button", name="Put it on staging").click()
    settled(ben, "feat: feat/other")
    # The reservation ends with its branch; what serves stays.
    desk.shop.git("checkout", "--quiet", "main")
    desk.shop.git("branch", "--quiet", "-D", "feat/other")
    ben.get_by_role("button", name="Look again").click()
    expect(ben.locator(".held").first).to_contain_text("Free", timeout=30_000)
    assert desk.shop.get()["text"] == "feat/other"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
def test_axe_finds_nothing(desk: DeskProcesses, browser: Browser, scheme: str) -> None:
    colours = {"forced_colors": "active"}
    if scheme != "forced":
        colours = {"color_scheme": scheme}
    context = browser.new_context(**colours)  # type: ignore[arg-type]
    page = sign_in(desk.url, context, "kim")
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


def test_an_open_page_outlives_an_error_and_the_end_of_its_session(
    desk: DeskProcesses, ana: Page
) -> None:
    place = ana.locator("#places section").first
    ana.route("**/shop?*", lambda route: route.fulfill(status=503, body="away"))
    expect(ana.locator("#not-live")).to_be_visible(timeout=40_000)
    expect(place).to_be_visible()
    ana.unroute("**/shop?*")
    expect(ana.locator("#not-live")).to_be_hidden(timeout=40_000)
    expect(place).to_be_visible()
    ana.context.clear_cookies()
    ana.wait_for_url("**/sign-in", timeout=40_000)
