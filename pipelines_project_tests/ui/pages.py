"""The pages of Dagster's UI, as somebody uses them in a browser."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Error, Locator, Page, expect, sync_playwright
from tenacity import retry, retry_if_exception_type, stop_after_attempt

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""The browser of the system; Playwright's own is not downloaded."""

# Of whatever must appear: a run may wait for its turn, on a machine that does much else.
_MILLISECONDS = 600_000
_LOCATION = "locations/pipelines_project.definitions"


@contextmanager
def browser_page() -> Iterator[Page]:
    """Open the system's browser; skip where there is none."""
    if not CHROMIUM:
        pytest.skip("there is no chromium: apt-get install chromium")
    expect.set_options(timeout=_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Root, as in a container, has no sandbox of the browser; what it opens is this test's.
            args=["--no-sandbox"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(_MILLISECONDS)
        yield page
        browser.close()


@dataclass(frozen=True)
class Ui:
    """The UI at an address, in one tab of a browser."""

    url: str
    page: Page

    def asset(self, key: str, tab: str = "overview") -> Page:
        """Open the page of an asset."""
        self.page.goto(f"{self.url}/assets/{key}?view={tab}")
        return self.page

    def materialize(self, key: str, months: str = "") -> None:
        """Materialize months of an asset from its page, or an asset without, whatever it reads."""
        self.asset(key).get_by_role("button", name=re.compile("Materialize")).first.click()
        if months:
            dialog = self.page.get_by_role("dialog")
            chosen = dialog.get_by_placeholder(re.compile("^ex: "))
            chosen.fill(months)
            chosen.press("Tab")
            dialog.get_by_role("button", name=re.compile("^Launch ")).last.click()
        else:
            # It asks because some of what the asset reads is not there yet.
            self.page.get_by_role("button", name="Confirm").click()

    def follow_run(self) -> None:
        """Open the run that was launched just now, from the message that says so."""
        self.page.get_by_text("Launched run").wait_for()
        self.page.get_by_text("View", exact=True).last.click()
        self.page.wait_for_url("**/runs/*")

    def run_job(self, job: str, month: str, config: str) -> None:
        """Run a job from its launchpad, with a month and the config that is typed."""
        self.page.goto(f"{self.url}/{_LOCATION}/jobs/{job}/playground")
        editor = self.page.locator(".CodeMirror").first
        expect(editor).to_contain_text("config")
        months = self.page.get_by_placeholder("Partition")
        # What is typed before the list is there finds nothing in it.
        _open(months, self.page.get_by_text(re.compile(r"^\d{4}-\d{2}$")).first)
        months.fill(month)
        self.page.get_by_text(month, exact=True).last.click()
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(config)
        self.page.get_by_role("button", name="Launch Run").click()
        self.page.wait_for_url("**/runs/*")

    def automation(self, kind: str, name: str) -> Locator:
        """Open the page of a schedule or sensor, and return whether it is on as a checkbox."""
        self.page.goto(f"{self.url}/{_LOCATION}/{kind}/{name}")
        return self.page.get_by_role("checkbox").first

    def flip(self) -> None:
        """Click the switch of the page that is open; the checkbox itself is not to be seen."""
        self.page.locator("label", has=self.page.get_by_role("checkbox")).first.click()


@retry(retry=retry_if_exception_type(Error), stop=stop_after_attempt(10), reraise=True)
def _open(field: Locator, choice: Locator) -> None:
    """Click a field until its list is there: a page that is still being drawn can lose a click."""
    field.blur()
    field.click()
    choice.wait_for(timeout=20_000)
