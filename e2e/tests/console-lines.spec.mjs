// What makes the console great and not a toy, line by line, against a gateway with more than a page of sessions.
import { expect, expectAccessible, test as base } from "./demo.mjs";
import { anotherBrowser, ids, openConsole, openSampleApp, row, rows, signInOnceMore } from "./console.mjs";

// More than one page of fifty.
const MANY = 56;

const test = base.extend({
  crowd: [
    async ({ browser, demo }, use) => {
      const theirs = await anotherBrowser(browser);
      const app = await openSampleApp(theirs, demo);
      for (let i = 1; i < MANY; i += 1) await signInOnceMore(app, demo);
      await theirs.close();
      await use();
    },
    { scope: "worker", auto: true },
  ],
});

test("lines 1, 2, 3: the address is the state, pages neither repeat nor skip, and a count says whether it is exact", async ({ page, demo }) => {
  await openConsole(page, demo, "operator", "sessions?sort=-created");
  const first = await ids(page);
  expect(first).toHaveLength(50);
  await expect(page.locator(".pager")).toContainText(/^\d+ live sessions/);
  const total = Number((await page.locator(".pager p").innerText()).match(/\d+/)[0]);
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page).toHaveURL(/sort=-created.*cursor=/);
  await expect(rows(page)).toHaveCount(total - 50);
  const second = await ids(page);
  expect(new Set([...first, ...second]).size, "no row twice, none missed").toBe(total);

  // A reload and a pasted link show the same page; a filter goes to the first.
  await page.reload();
  await expect(rows(page)).toHaveCount(total - 50);
  expect(await ids(page)).toEqual(second);
  await page.getByRole("link", { name: "All", exact: true }).click();
  await expect(page).toHaveURL(/state=all/);
  expect(page.url()).toContain("sort=-created");
  expect(page.url()).not.toContain("cursor=");

  // Back: the page before, then the first one, where it was scrolled.
  await page.goto(`${demo.console}sessions`);
  await expect(rows(page)).toHaveCount(50);
  await page.evaluate(() => window.scrollTo(0, 1400));
  await page.locator("tbody a.user-link").nth(30).click();
  await expect(page.locator("#drawer-title")).toContainText("Alice Anders");
  await page.reload();
  await expect(page.locator("#drawer-title")).toContainText("Alice Anders");
  await page.goBack();
  await expect(page.locator(".drawer[open]")).toHaveCount(0);
  await page.evaluate(() => window.scrollTo(0, 1400));
  await page.getByRole("link", { name: "Routes" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Routes" })).toBeFocused();
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  await page.goBack();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(1400);
});

test("a filter that is not known shows nothing rather than too much", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "sessions?state=lve");
  await expect(page.getByRole("status").filter({ hasText: "state = “lve”" })).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Show live sessions" }).click();
  await expect(rows(page)).toHaveCount(50);
});

test("line 9: new sessions wait above the list, and nothing moves until they are asked for", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openConsole(page, demo, "viewer", "sessions?sort=-created");
  const before = await ids(page);
  await openSampleApp(theirs, demo);
  const news = page.getByRole("button", { name: "1 new session" });
  await expect(news).toBeVisible();
  expect(await ids(page)).toEqual(before);
  await expectAccessible(page, "a list with news", ".live-bar");
  await news.focus();
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await ids(page)).slice(1)).toEqual(before.slice(0, 49));
  await expect(news).toHaveCount(0);

  const pause = page.getByRole("button", { name: "Pause looking for news" });
  await pause.click();
  await expect(pause).toHaveAttribute("aria-pressed", "true");
  await theirs.close();
});

test("line 11: an error keeps the old rows, says as of when, and what to try", async ({ page, context, demo }) => {
  await openConsole(page, demo, "viewer", "sessions");
  await expect(rows(page)).toHaveCount(50);
  await context.setOffline(true);
  await page.keyboard.press("r");
  const failed = page.getByRole("alert");
  await expect(failed).toContainText("The gateway does not answer");
  await expect(failed).toContainText("as of");
  await expect(rows(page)).toHaveCount(50);
  await context.setOffline(false);
  await failed.getByRole("button", { name: "Try again" }).click();
  await expect(failed).toHaveCount(0);

  // A refusal has an id that finds it in the log.
  await page.goto(`${demo.console}sessions?cursor=forged`);
  await expect(page.getByRole("button", { name: "Copy the request id" })).toBeVisible();
});

test("line 12: a session that ends in the middle of work is signed in again in place; drawer and draft stay", async ({ page, context, demo }) => {
  await openConsole(page, demo, "operator", "sessions");
  await row(page, "Alice Anders").getByRole("link").first().click();
  await page.getByRole("button", { name: "Revoke session" }).click();
  await page.locator("#revoke-reason").fill("half a reason");
  const there = page.url();
  await context.clearCookies({ domain: new URL(demo.console).hostname });
  await page.locator(".dialog-actions").getByRole("button", { name: "Revoke session" }).click();
  const again = page.getByRole("link", { name: "Sign in again" });
  await expect(again).toBeFocused();
  await expectAccessible(page, "signing in again", ".dialog[open]");
  const [tab] = await Promise.all([context.waitForEvent("page"), again.click()]);
  await expect(tab.getByText("You are signed in")).toBeVisible();
  await tab.close();
  await expect(again).toHaveCount(0);
  expect(page.url()).toBe(there);
  await expect(page.locator("#revoke-reason")).toHaveValue("half a reason");
  await page.locator(".dialog-actions").getByRole("button", { name: "Revoke session" }).click();
  await expect(page.locator(".dialog[open]")).toContainText("Session revoked");
});

test("line 13: a viewer meets no 403, whatever is enabled", async ({ page, demo }) => {
  const refused = [];
  page.on("response", (answer) => answer.status() === 403 && refused.push(answer.url()));
  await openConsole(page, demo, "viewer");
  // From the last to the first: the first is where the tour begins.
  for (const link of (await page.locator(".sidebar nav a").all()).reverse()) {
    await link.click();
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    await page.keyboard.press("r");
  }
  await page.goto(`${demo.console}sessions`);
  await row(page, "Alice Anders").getByRole("link").first().click();
  for (const button of await page.locator(".drawer[open] button:not([aria-disabled=true]):not([aria-label=Close])").all()) {
    await button.click();
  }
  const revoke = page.getByRole("button", { name: "Revoke session" });
  await revoke.focus();
  await page.keyboard.press("Enter");
  await expect(revoke).toHaveAccessibleDescription(/operator/);
  expect(refused).toEqual([]);
});

test("line 14: Ctrl K finds pages, people, clients and a pasted session id; keys are letters while typing", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "sessions");
  const [id] = await ids(page);
  const palette = page.getByRole("combobox", { name: "Search or jump to" });
  const find = async (typed, entry) => {
    await page.keyboard.press("Control+k");
    await expect(palette).toBeFocused();
    await page.keyboard.type(typed);
    await expect(page.getByRole("option", { name: entry })).toBeVisible();
  };
  await find("alice", "User Alice Anders · demo-alice");
  await expectAccessible(page, "the palette", ".palette");
  await page.keyboard.press("Escape");
  await find("sample", "Client Sample app");
  await page.getByRole("option", { name: "Client Sample app" }).click();
  await expect(page).toHaveURL(/client=/);
  await find("rou", "Go to Routes");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Routes" })).toBeVisible();
  await find(id, `Open session ${id}`);
  await page.keyboard.press("Enter");
  await expect(page.locator("#drawer-title")).toContainText(/\w+ \w+/);
  await page.keyboard.press("Escape");

  // `?`, `r` and `g` in a field are letters.
  const field = page.getByRole("searchbox");
  await field.fill("");
  await page.keyboard.press("Escape");
  await field.pressSequentially("?gsr");
  await expect(page.getByRole("heading", { name: "Keyboard shortcuts" })).toHaveCount(0);
  await expect(field).toHaveValue("?gsr");
  await page.locator("#main h1").focus();
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeFocused();
  await page.keyboard.press("?");
  await expect(page.getByRole("heading", { name: "Keyboard shortcuts" })).toBeFocused();
  await expectAccessible(page, "the shortcuts", ".dialog[open]");
});

test("line 15: a cell offers its value elsewhere, by keyboard", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "sessions?state=all");
  const open = row(page, "Alice Anders").getByRole("button", { name: /^User Alice Anders/ });
  await open.focus();
  await page.keyboard.press("Enter");
  const offer = page.getByRole("link", { name: "All sessions of this person" });
  await expect(page.getByRole("link", { name: "Show only this person here" })).toBeFocused();
  await expectAccessible(page, "a cell's menu", "#cell-menu");
  await page.keyboard.press("Escape");
  await expect(open).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "About this person" }).press("Enter");
  await expect(page).toHaveURL(/\/admin\/users\?state=all&sub=demo-alice/);
  await expect(rows(page)).toHaveCount(1);
  await page.goBack();
  await open.focus();
  await page.keyboard.press("Enter");
  await offer.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/state=all&sub=demo-alice/);
  await expect(page.locator(".chip")).toContainText("demo-alice");
  await page.getByRole("link", { name: "Take off the filter User: demo-alice" }).click();
  await expect(page.locator(".chip")).toHaveCount(0);
});

test("nothing is left after a sign-out: not by Back, not in another tab, not in a frozen page", async ({ page, context, demo }) => {
  await openConsole(page, demo, "viewer", "sessions");
  await expect(rows(page)).toHaveCount(50);
  const other = await context.newPage();
  await other.goto(`${demo.console}sessions`);
  await expect(rows(other)).toHaveCount(50);
  await page.getByRole("button", { name: /account and settings/ }).click();
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.waitForURL(/signed-out/);
  await expect(other.getByRole("heading", { name: "Sign in to Cloakroom" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Sign in to Cloakroom" })).toBeVisible();
  expect(await page.content()).not.toContain("Alice Anders");
  const left = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state]));
  expect(left).not.toMatch(/alice|eyJ|crs/i);
  // What Back would thaw is hidden when it is frozen.
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  await expect(page.locator("#app")).toBeHidden();
});

test("a crash says so, keeps the focus, and lets the administrator go on at the same address", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "sessions?state=all");
  await page.evaluate(() => dispatchEvent(new CustomEvent("cloakroom:crash")));
  await expect(page.getByRole("heading", { name: "The console stopped" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Reload" })).toBeFocused();
  await expectAccessible(page, "the crash screen");
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(50);
  expect(page.url()).toContain("state=all");
});

test("forced colours, print and wide text keep the list whole", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "sessions");
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await expectAccessible(page, "forced colours", ".toolbar");
  await page.emulateMedia({ forcedColors: "none", media: "print" });
  await expect(page.locator(".sidebar")).toBeHidden();
  await expect(page.locator(".toolbar")).toBeHidden();
  await expect(rows(page).first()).toBeVisible();
  await page.emulateMedia({ media: "screen" });
  // Text spacing as WCAG 2.2, 1.4.12 has it, through the DOM: the page's policy allows no other style.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }");
    document.adoptedStyleSheets = [sheet];
  });
  for (const width of [320, 1366]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${width} px`).toBeLessThanOrEqual(0);
  }
});
