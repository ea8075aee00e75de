// People: one page for each, with what can be done about them.
import { readFile } from "node:fs/promises";

import { EVERYWHERE, expect, expectAccessible, look, test } from "./demo.mjs";
import { anotherBrowser, openConsole, openSampleApp, row, rows } from "./console.mjs";

const button = (page, name) => page.locator(".panel-acts").getByRole("button", { name, exact: true });

// From the list to one person's page, by keyboard.
async function openPerson(page, name) {
  await page.locator(".sidebar").getByRole("link", { name: "Users", exact: true }).press("Enter");
  await row(page, name).getByRole("link", { name }).press("Enter");
  await expect(page.getByRole("heading", { level: 1, name })).toBeFocused();
}

test("line 8: an operator locks a person, who is told why; unlock stands where lock was", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  const app = await openSampleApp(theirs, demo);
  await openConsole(page, demo, "operator");
  await page.locator(".sidebar").getByRole("link", { name: "Users", exact: true }).press("Enter");
  await expect(row(page, "Alice Anders")).toBeVisible();
  await look(page, "console-users", EVERYWHERE);
  await page.getByRole("searchbox").fill("nobody at all");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nobody matches")).toBeVisible();
  await page.getByRole("searchbox").fill("alice");
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await openPerson(page, "Alice Anders");
  await expect(page.locator("table.of-user tbody tr").first()).toContainText("Sample app");
  await look(page, "console-user", EVERYWHERE);

  await button(page, "Lock…").press("Enter");
  await expect(page.locator("#lock-reason")).toBeFocused();
  await page.keyboard.type("Phishing, ticket 4711");
  await page.getByRole("combobox", { name: "Holds" }).selectOption({ label: "One day" });
  await expectAccessible(page, "the lock's dialog", ".dialog[open]");
  await page.getByRole("button", { name: "Lock", exact: true }).press("Enter");
  await expect(button(page, "Unlock…")).toBeVisible();
  await expect(button(page, "Lock…")).toHaveCount(0);
  const lock = page.locator(".lock-row").first();
  await expect(lock).toContainText("Phishing, ticket 4711");
  await expect(lock).toContainText("until in");

  // The app is refused, and the person reads why.
  await app.goto(`${demo.gateway}/bff/login?return_to=/`);
  await expect(app.locator("body")).toContainText("Phishing, ticket 4711");

  await button(page, "Unlock…").press("Enter");
  await page.keyboard.type("it was a drill");
  await page.getByRole("button", { name: "Unlock", exact: true }).press("Enter");
  await expect(button(page, "Lock…")).toBeVisible();
  await expect(page.locator(".lock-row").first()).toContainText("Over");
  await theirs.close();
});

test("line 13: a viewer sees each deed, and which role it needs", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  await openConsole(page, demo, "viewer");
  await openPerson(page, "Alice Anders");
  for (const [name, role] of [["Lock…", "operator"], ["Export", "operator"], ["Erase…", "owner"]]) {
    await button(page, name).focus();
    await page.keyboard.press("Enter");
    await expect(button(page, name)).toHaveAttribute("aria-disabled", "true");
    await expect(button(page, name)).toHaveAccessibleDescription(new RegExp(role));
  }
  await expect(page.locator("dialog[open]")).toHaveCount(0);
  await page.goto(`${demo.console}users?stat=all`);
  await expect(page.getByText("a filter that the list does not know")).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await theirs.close();
});

test("an owner takes out all that is kept of a person, then has it erased", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  const app = await openSampleApp(theirs, demo);
  await openConsole(page, demo, "owner");
  await openPerson(page, "Alice Anders");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Export").press("Enter")]);
  const kept = JSON.parse(await readFile(await download.path(), "utf8"));
  expect(kept.sub).toBe("demo-alice");
  expect(kept.sessions.length).toBeGreaterThan(0);

  await button(page, "Erase…").press("Enter");
  await page.keyboard.type("asked for by the person");
  await page.getByRole("button", { name: "Erase", exact: true }).press("Enter");
  await expect(page.getByText("Type exactly the id above.")).toBeVisible();
  await page.getByLabel("Confirm", { exact: true }).fill("demo-alice");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Users" })).toBeFocused();
  await expect(row(page, "Alice Anders")).toHaveCount(0);
  await expect(app.locator("#outside")).toBeVisible({ timeout: 20_000 });
  await theirs.close();
});
