// Every page in both themes, into docs/images/console.
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { anotherBrowser, openConsole, openSampleApp, row, rows, signInOnceMore } from "../tests/console.mjs";
import { expect, logIn, startDemo, test as base } from "../tests/demo.mjs";

// A week of people, as an administrator meets it.
const test = base.extend({
  demo: [
    async ({}, use) => {
      const demo = await startDemo(["--seed", "320"]);
      await use(demo);
      await demo.stop();
    },
    { scope: "worker" },
  ],
});

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../../docs/images/console");
// What a page of documentation can bear.
const BYTES_MAX = 180_000;
const AGENTS = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
];

async function shoot(page, name) {
  await page.evaluate(() => {
    document.activeElement?.blur();
    window.scrollTo(0, 0);
  });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const path = join(FOLDER, `${name}-${colorScheme}.png`);
    await page.screenshot({ path });
    expect((await stat(path)).size, path).toBeLessThan(BYTES_MAX);
  }
}

// People of the demo on several devices, some of whom come again.
async function fill(browser, demo) {
  for (const [i, agent] of AGENTS.entries()) {
    const theirs = await anotherBrowser(browser, { userAgent: agent });
    if (i % 2 === 0) {
      const app = await openSampleApp(theirs, demo);
      await signInOnceMore(app, demo);
    } else {
      const page = await theirs.newPage();
      await page.goto(`${demo.gateway}/bff/login?return_to=/`);
      await logIn(page, demo.users[(i + 1) % demo.users.length]);
      await expect(page.locator("#inside")).toBeVisible();
    }
    await theirs.close();
  }
}

test("every page in both themes", async ({ page, browser, demo }) => {
  await fill(browser, demo);
  await page.setViewportSize({ width: 1120, height: 700 });
  await page.goto(demo.console);
  await shoot(page, "sign-in");
  await openConsole(page, demo, "owner");
  await expect(page.getByText("Live sessions", { exact: true })).toBeVisible();
  await shoot(page, "overview");
  await page.goto(`${demo.console}sessions`);
  await row(page, "Alice Anders").getByRole("link").first().click();
  await expect(page.getByRole("button", { name: "Revoke session" })).toBeVisible();
  await shoot(page, "session");
  await page.getByRole("button", { name: "Revoke session" }).click();
  await page.locator("#revoke-reason").fill("Lost or stolen device");
  await shoot(page, "revoke");
  await page.locator(".dialog-actions").getByRole("button", { name: "Revoke session" }).click();
  await expect(page.locator(".dialog[open]")).toContainText("Session revoked");
  await page.goto(`${demo.console}sessions?state=all`);
  await expect(rows(page).first()).toBeVisible();
  await shoot(page, "sessions");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Search or jump to" })).toBeFocused();
  await page.keyboard.type("ali");
  await expect(page.getByRole("option", { name: /User Alice/ })).toBeVisible();
  await shoot(page, "palette");
  await page.keyboard.press("Escape");
  await page.goto(`${demo.console}users`);
  await expect(rows(page).first()).toBeVisible();
  await shoot(page, "users");
  await row(page, "Alice Anders").getByRole("link", { name: "Alice Anders" }).click();
  await expect(page.locator("table.of-user tbody tr").first()).toBeVisible();
  await shoot(page, "user");
  await page.goto(`${demo.console}audit`);
  await page.getByRole("button", { name: "Verify now" }).click();
  await expect(page.locator(".strip")).toContainText("Chain is whole");
  await shoot(page, "audit");
  await page.goto(`${demo.console}routes?method=GET&url=${encodeURIComponent(`${demo.gateway}/api/notes`)}&caller=anonymous`);
  await expect(page.locator(".verdict")).toBeVisible();
  await shoot(page, "routes");
  for (const [name, path, there] of [
    ["clients", "clients", "table.clients tbody tr"],
    ["client", "clients/app?for=react", ".code-block"],
    ["providers", "providers", ".provider"],
    ["keys", "keys", "table.keys tbody tr"],
    ["settings", "settings", ".whole"],
  ]) {
    await page.goto(`${demo.console}${path}`);
    await expect(page.locator(there).first()).toBeVisible();
    await shoot(page, name);
  }
  await page.goto(`${demo.console}incident?client=app`);
  await expect(page.getByRole("heading", { name: /sessions? would end/ })).toBeVisible();
  await page.locator("#incident-reason").fill("Credential stuffing, ticket 4711");
  await shoot(page, "incident");
  await page.getByLabel("Confirm", { exact: true }).fill(await page.locator(".confirm strong").innerText());
  await page.locator(".decide").getByRole("button", { name: /^End \d+ sessions?/ }).click();
  await expect(page.locator(".report-head")).toContainText("Finished");
  await shoot(page, "report");
});
