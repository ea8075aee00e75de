// The audit log: followed, searched, verified, taken out.
import { readFile } from "node:fs/promises";

import { expect, look, test } from "./demo.mjs";
import { anotherBrowser, openConsole, openSampleApp, rows } from "./console.mjs";

test("a viewer follows the log, finds an event, verifies the chain and takes the events out, by keyboard", async ({ page, browser, demo }) => {
  await openConsole(page, demo, "viewer", "audit");
  await expect(rows(page).filter({ hasText: "Victor Vance signed in" }).first()).toBeVisible();

  // The tail: what happens now waits above the list until it is asked for.
  const before = await rows(page).count();
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  const news = page.getByRole("button", { name: "1 new event" });
  await expect(news).toBeVisible();
  expect(await rows(page).count()).toBe(before);
  await news.focus();
  await page.keyboard.press("Enter");
  const event = rows(page).filter({ hasText: "Alice Anders signed in" }).first();
  await expect(event).toBeVisible();
  await expect(news).toHaveCount(0);
  await theirs.close();

  // The chain is walked, and says what it found.
  await page.getByRole("button", { name: "Verify now" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".strip")).toContainText("Chain is whole");
  await look(page, "console-audit");

  // An event has an address of its own.
  await event.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#event-title")).toBeFocused();
  await expect(page.locator(".drawer[open]")).toContainText("demo-alice");
  await look(page, "console-event");
  await page.reload();
  await expect(page.locator("#event-title")).toContainText("Alice Anders signed in");
  await page.keyboard.press("Escape");
  await expect(page.locator(".drawer[open]")).toHaveCount(0);

  // Filters stand in the address, and narrow.
  await page.getByRole("combobox", { name: "What happened" }).selectOption("session.started");
  await expect(page).toHaveURL(/kind=session.started/);
  await page.keyboard.press("/");
  await page.getByRole("searchbox").focus();
  await page.keyboard.type("demo-alice");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/kind=session.started&subject=demo-alice/);
  await expect(rows(page).filter({ hasText: "Victor" })).toHaveCount(0);
  await expect(rows(page).filter({ hasText: "Alice Anders" }).first()).toBeVisible();

  // What matches, as a file.
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "NDJSON, for programs" }).click()]);
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\n").map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.every((line) => line.kind === "session.started" && line.subject.sub === "demo-alice")).toBe(true);

  await page.goto(`${demo.console}audit?knd=session.started`);
  await expect(page.getByText("a filter that the log does not know")).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
});
