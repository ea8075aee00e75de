// Incident response: which sessions, what would end, why, and what became of it. By keyboard, against the real gateway.
import { readFile } from "node:fs/promises";

import { EVERYWHERE, expect, expectAccessible, look, test } from "./demo.mjs";
import { anotherBrowser, openConsole, openSampleApp, row, rows } from "./console.mjs";

const sampleSessions = (page) => page.locator("table.sample tbody tr");

test("lines 5, 6, 7: an owner sees what would end, ends exactly that, and reads what became of it", async ({ page, browser, demo }) => {
  const browsers = [await anotherBrowser(browser), await anotherBrowser(browser)];
  const apps = [];
  for (const one of browsers) apps.push(await openSampleApp(one, demo));
  await openConsole(page, demo, "owner", "sessions");

  // A cell leads there, with the form filled and the preview made.
  await row(page, "Alice Anders").getByRole("button", { name: /^User Alice Anders/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "End sessions of this person" }).focus();
  await page.keyboard.press("Enter");
  // Other stories' sessions of the same person are among them.
  const title = page.getByRole("heading", { level: 2, name: /\d+ sessions would end/ });
  const count = Number((await title.innerText()).match(/\d+/)[0]);
  expect(count).toBeGreaterThanOrEqual(2);
  await expect(page.getByRole("combobox", { name: "Person" })).toHaveValue("demo-alice");
  await expect(sampleSessions(page)).toHaveCount(Math.min(count, 10));
  await look(page, "console-incident", EVERYWHERE);

  // Nothing without a reason.
  const end = page.getByRole("button", { name: `End ${count} sessions` });
  await end.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#incident-reason")).toBeFocused();
  await expect(page.locator("#incident-reason-error")).toContainText("Write a reason");
  await page.keyboard.type("Suspicious activity, ticket 4711");
  await end.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/admin\/incident\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { level: 1, name: "Revocation" })).toBeFocused();
  await expect(page.locator(".report-head")).toContainText(`${count} of ${count} ended`);
  await expect(page.locator(".report-head")).toContainText("Finished");
  await expect(page.getByText("refresh tokens were revoked at their providers")).toBeVisible();
  await look(page, "console-report", EVERYWHERE);

  // The apps lose their sessions, and the list keeps who and why; the report is there for whoever has the link.
  for (const app of apps) await expect(app.locator("#outside")).toBeVisible({ timeout: 20_000 });
  const report = page.url();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).press("Enter")]);
  const file = JSON.parse(await readFile(await download.path(), "utf8"));
  expect(download.suggestedFilename()).toBe(`revocation-${file.id}.json`);
  expect([file.ended, file.reason, file.filter.user.sub]).toEqual([count, "Suspicious activity, ticket 4711", "demo-alice"]);
  await page.goto(`${demo.console}sessions?state=ended`);
  await expect(row(page, "Alice Anders")).toContainText("ticket 4711");
  await page.goto(report);
  await expect(page.locator(".report-head")).toContainText(`${count} of ${count} ended`);
  await page.getByRole("link", { name: "New revocation" }).click();
  await expect(rows(page).filter({ hasText: "ticket 4711" })).toContainText("Finished");
  for (const one of browsers) await one.close();
});

test("line 5: many people at once take the words to be typed, and spare one's own session", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  await openConsole(page, demo, "owner", "incident");

  // Nothing is asked for: nothing is previewed.
  await page.getByRole("button", { name: "Show what would end" }).click();
  await expect(page.getByRole("alert")).toContainText("Say which sessions");
  await page.getByLabel("Every session that I may see").check();
  await page.getByRole("button", { name: "Show what would end" }).click();
  await expect(page).toHaveURL(/all=true/);
  await expect(page.getByRole("heading", { name: /sessions? would end/ })).toBeVisible();
  const own = page.getByLabel("End the session that I am using, too");
  await expect(own).not.toBeChecked();
  await page.locator("#incident-reason").fill("drill");
  const end = page.locator(".decide").getByRole("button", { name: /^End \d+ sessions?/ });
  await end.click();
  await expect(page.getByText("Type exactly the words above.")).toBeVisible();
  await expectAccessible(page, "a decision that is not confirmed");
  await page.getByLabel("Confirm", { exact: true }).fill(await page.locator(".confirm strong").innerText());
  await end.click();
  await expect(page.locator(".report-head")).toContainText("Finished");
  // One's own session goes on.
  await page.reload();
  await expect(page.locator(".report-head")).toContainText("Finished");
  await theirs.close();
});

test("line 13: a viewer previews, and reads which role may end", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  await openConsole(page, demo, "viewer", "incident?client=app");
  const end = page.locator(".decide").getByRole("button", { name: /^End \d+ sessions?/ });
  await expect(end).toHaveAttribute("aria-disabled", "true");
  await end.focus();
  await page.keyboard.press("Enter");
  await expect(end).toHaveAccessibleDescription(/Needs the role (operator|owner)/);
  await page.goto(`${demo.console}incident?clinet=app`);
  await expect(page.getByText("a filter that is not known")).toBeVisible();
  await expect(page.locator(".decide")).toHaveCount(0);
  await theirs.close();
});

test("line 5: everything issued before now ends, and what began after the preview goes on", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  const app = await openSampleApp(theirs, demo);
  await openConsole(page, demo, "owner", "incident");

  // Half a moment is not left out: that would end more than was meant.
  await page.getByLabel("Issued before").focus();
  await page.keyboard.type("11");
  await page.getByLabel("Address range").fill("127.0.0.0/8");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/admin\/incident$/);
  await expect(page.getByLabel("Issued before")).toBeFocused();

  await page.getByRole("button", { name: "Everything issued before now" }).press("Enter");
  await page.getByRole("combobox", { name: "Client" }).selectOption({ label: "Sample app" });
  await page.getByRole("button", { name: "Show what would end" }).press("Enter");
  await expect(page).toHaveURL(/client=.*network=127.*started_before=/);
  await expect(page.getByRole("heading", { name: /sessions? would end/ })).toBeVisible();
  // "Now" is said in whole seconds, rounded up.
  const before = Date.parse(new URL(page.url()).searchParams.get("started_before"));
  await expect.poll(() => Date.now()).toBeGreaterThan(before);
  const later = await anotherBrowser(browser);
  const stays = await openSampleApp(later, demo);
  await page.locator("#incident-reason").fill("signing key leaked");
  await page.getByLabel("Confirm", { exact: true }).fill(await page.locator(".confirm strong").innerText());
  await page.locator(".decide").getByRole("button", { name: /^End \d+ sessions?/ }).press("Enter");
  await expect(page.locator(".report-head")).toContainText("Finished");
  await expect(app.locator("#outside")).toBeVisible({ timeout: 20_000 });
  await stays.reload();
  await expect(stays.locator("#inside")).toBeVisible();
  await theirs.close();
  await later.close();
});

test("a provider's sessions are previewed too, and a link brings the whole form back", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  await openConsole(page, demo, "viewer", "incident");
  await page.getByRole("combobox", { name: "Provider" }).selectOption({ index: 1 });
  await page.getByLabel("User agent").fill("headless");
  await page.getByLabel("Issued at or after").fill("2026-01-02T03:04:05");
  await page.getByRole("button", { name: "Show what would end" }).press("Enter");
  const title = page.getByRole("heading", { name: /sessions? would end/ });
  await expect(title).toBeVisible();
  await page.reload();
  await expect(title).toBeVisible();
  await expect(page.getByLabel("User agent")).toHaveValue("headless");
  await expect(page.getByLabel("Issued at or after")).toHaveValue(/^2026-01-02T03:04:05/);
  await expect(page.getByRole("combobox", { name: "Provider" })).not.toHaveValue("");
  await theirs.close();
});

test("line 5: sessions are picked from the list by keyboard, and exactly those end", async ({ page, browser, demo }) => {
  const browsers = [await anotherBrowser(browser), await anotherBrowser(browser), await anotherBrowser(browser)];
  const apps = [];
  for (const one of browsers) apps.push(await openSampleApp(one, demo));
  await openConsole(page, demo, "operator", "sessions?sort=-created&client=app");
  const ticks = rows(page).getByRole("checkbox", { name: /^Select the session of Alice Anders/ });
  await ticks.nth(0).focus();
  await page.keyboard.press("Space");
  await ticks.nth(1).focus();
  await page.keyboard.press("Space");
  const bar = page.locator(".bulk-bar");
  await expect(bar).toContainText("2 sessions selected");
  await expect(bar).toContainText(/End all \d+ at this client/);
  await look(page, "console-selected");

  // All of the page and back; what was picked stays over a reading anew.
  const all = page.getByRole("checkbox", { name: "Select every live session of this page" });
  await all.press("Space");
  await expect(bar).toContainText(`${await ticks.count()} sessions selected`);
  await all.press("Space");
  await expect(bar).toHaveCount(0);
  await ticks.nth(0).press("Space");
  await ticks.nth(1).press("Space");
  await page.keyboard.press("r");
  await expect(bar).toContainText("2 sessions selected");

  await bar.getByRole("link", { name: "End them…" }).press("Enter");
  await expect(page.getByRole("heading", { name: "2 sessions would end" })).toBeVisible();
  await expect(page.locator(".incident-form .chip")).toContainText("2 sessions by their ids");
  await page.locator("#incident-reason").fill("picked by hand");
  await page.getByRole("button", { name: "End 2 sessions" }).press("Enter");
  await expect(page.locator(".report-head")).toContainText("2 of 2 ended");
  // The newest two were picked; the first of the three goes on.
  await expect(apps[2].locator("#outside")).toBeVisible({ timeout: 20_000 });
  await expect(apps[1].locator("#outside")).toBeVisible({ timeout: 20_000 });
  await apps[0].reload();
  await expect(apps[0].locator("#inside")).toBeVisible();
  for (const one of browsers) await one.close();
});
