// The console's story: find a session, revoke it, see the sample app lose it; and what each role sees.
import { anotherBrowser, openConsole, openSampleApp } from "./console.mjs";
import { expect, logIn, look, test, user } from "./demo.mjs";

test("line 4: an operator finds a session, revokes it, and the sample app loses it; it stays listed with who, when and why", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  const app = await openSampleApp(theirs, demo);

  await page.goto(demo.console);
  await expect(page.getByRole("heading", { name: "Sign in to Cloakroom" })).toBeVisible();
  await look(page, "console-signed-out");
  await openConsole(page, demo, "operator");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("Live sessions", { exact: true })).toBeVisible();
  await look(page, "console-overview");

  await page.getByRole("link", { name: "Sessions" }).first().click();
  const row = page.getByRole("row").filter({ hasText: "Alice Anders" }).first();
  await expect(row).toBeVisible();
  await look(page, "console-sessions");

  await row.getByRole("link", { name: "Alice Anders" }).click();
  await expect(page).toHaveURL(/\/admin\/sessions\/[0-9a-f-]{36}/);
  await expect(page.locator("#drawer-title")).toContainText("Alice Anders");
  await expect(page.getByRole("button", { name: "Revoke session" })).toBeVisible();
  await expect(page.locator(".drawer")).not.toContainText("eyJ");
  await look(page, "console-session");

  // A pasted link shows the same.
  await page.goto(page.url());
  await expect(page.locator("#drawer-title")).toContainText("Alice Anders");

  await page.getByRole("button", { name: "Revoke session" }).click();
  await expect(page.locator("#revoke-title")).toBeVisible();
  await look(page, "console-revoke");
  await page.locator("#revoke-reason").fill("lost laptop");
  await page.locator(".dialog-actions").getByRole("button", { name: "Revoke session" }).click();
  await expect(page.locator(".dialog[open]")).toContainText(/ended|revoked/i);
  await look(page, "console-revoked");

  // The app notices by itself, and says why.
  await expect(app.locator("#outside")).toBeVisible({ timeout: 20_000 });
  await expect(app.locator("#notice")).toContainText("administrator");

  // The ended session stays listed, with who and why.
  await page.goto(`${demo.console}sessions?state=ended`);
  const ended = page.getByRole("row").filter({ hasText: "Alice Anders" }).first();
  await expect(ended).toContainText("lost laptop");
  await expect(ended).toContainText("Olga Orlova");
  await look(page, "console-ended");
  await theirs.close();
});

test("a viewer sees what an operator could do, and which role it needs", async ({ page, browser, demo }) => {
  const theirs = await anotherBrowser(browser);
  await openSampleApp(theirs, demo);
  await openConsole(page, demo, "viewer");
  await page.goto(`${demo.console}sessions`);
  await page.getByRole("row").filter({ hasText: "Alice Anders" }).first().getByRole("link", { name: "Alice Anders" }).click();
  const revoke = page.getByRole("button", { name: "Revoke session" });
  await expect(revoke).toHaveAttribute("aria-disabled", "true");
  await expect(page.locator("#revoke-needs")).toContainText("operator");
  await revoke.click({ force: true });
  await expect(page.locator("#revoke-title")).toHaveCount(0);
  await look(page, "console-viewer");
  await theirs.close();
});

test("somebody without a role is told which one is needed, and can sign out", async ({ page, demo }) => {
  await page.goto(demo.console);
  await page.getByRole("link", { name: "Sign in" }).click();
  await logIn(page, user(demo));
  await expect(page.getByRole("heading", { name: "No access to the console" })).toBeVisible();
  await expect(page.locator("main.entrance")).toContainText("viewer");
  await look(page, "console-no-role");
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.waitForURL(/signed-out/);
});

test("a03: hostile names, user agents and reasons are shown as text", async ({ page, browser, demo }) => {
  const agent = "Evil<script>alert(1)</script>\"><img src=x onerror=alert(2)>=cmd()";
  const theirs = await browser.newContext({ userAgent: agent, reducedMotion: "reduce" });
  await openSampleApp(theirs, demo);
  const dialogs = [];
  page.on("dialog", (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
  await openConsole(page, demo, "operator");
  await page.goto(`${demo.console}sessions?q=${encodeURIComponent("Evil<script>")}`);
  const row = page.getByRole("row").filter({ hasText: "Alice Anders" }).first();
  await row.getByRole("link", { name: "Alice Anders" }).click();
  await expect(page.locator(".drawer")).toContainText("Evil<script>alert(1)</script>");
  await page.getByRole("button", { name: "Revoke session" }).click();
  const reason = '<img src=x onerror=alert(3)>\u202e=HYPERLINK("x")';
  await page.locator("#revoke-reason").fill(reason);
  await page.locator(".dialog-actions").getByRole("button", { name: "Revoke session" }).click();
  await expect(page.locator(".dialog[open]")).toContainText(/ended|revoked/i);
  await page.goto(demo.console);
  await expect(page.getByText("<img src=x onerror=alert(3)>").first()).toBeVisible();
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(dialogs).toEqual([]);
  await theirs.close();
});
