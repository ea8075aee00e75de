// How the gateway is set up: clients with the code that connects them, providers, keys, the node and its configuration.
import { EVERYWHERE, expect, look, test } from "./demo.mjs";
import { openConsole } from "./console.mjs";

const open = async (page, name) => {
  await page.locator(".sidebar").getByRole("link", { name, exact: true }).press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
};

test("a viewer opens a client by keyboard, and the code shown there connects an app as it stands", async ({ page, context, demo }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openConsole(page, demo, "viewer");
  await open(page, "Clients");
  const rows = page.locator("table.clients tbody tr");
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: "Sample app" })).toContainText(demo.gateway);
  await look(page, "console-clients", EVERYWHERE);

  await rows.filter({ hasText: "Sample app" }).getByRole("link", { name: "Sample app" }).press("Enter");
  await expect(page).toHaveURL(/\/admin\/clients\/app$/);
  await expect(page.getByRole("heading", { level: 1, name: "Sample app" })).toBeFocused();
  await expect(page.locator(".file-mark")).toContainText("[clients.app]");
  await look(page, "console-client", EVERYWHERE);
  const code = page.getByRole("region", { name: "this code" });
  const shown = await code.first().innerText();
  await page.getByRole("button", { name: "Copy this code" }).first().press("Enter");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown.endsWith("\n") ? shown : `${shown}\n`);
  expect(shown).toContain('from "/bff/client.js"');
  expect(shown).toContain('cloakroom.fetch("/api/');

  // Each framework stands in the address; a reload shows the same.
  for (const [name, words] of [["React", "useEffect"], ["Vue", "<script setup>"], ["Angular", "HttpInterceptorFn"], ["Next.js", "next/headers"]]) {
    await page.getByRole("navigation", { name: "Framework" }).getByRole("link", { name }).press("Enter");
    await expect(page.locator(".code-blocks")).toContainText(words);
    await page.reload();
    await expect(page.locator(".code-blocks")).toContainText(words);
  }
  await page.getByRole("link", { name: "Vue" }).press("Enter");
  const session = await code.first().innerText();

  // The code runs: nobody is signed in, so it leaves for the login; then it knows who is there, and calls.
  const app = await context.newPage();
  const said = [];
  app.on("console", (message) => said.push(message.text()));
  // As a file of the app's own, under the app's own policy.
  const put = (name, text) => app.route(`**/${name}`, (route) => route.fulfill({ contentType: "text/javascript", body: text }));
  await put("pasted.js", shown);
  await put("session.js", session);
  const run = () => app.evaluate(() => import("/pasted.js"));
  await app.goto(`${demo.gateway}/`);
  await run().catch(() => {});
  // The viewer has a session at the provider.
  await expect(app.locator("#inside")).toBeVisible();
  await run();
  expect(said.filter((words) => /^Victor Vance \d+$/.test(words))).toHaveLength(1);
  const told = await app.evaluate(async () => {
    const { call, who } = await import("/session.js");
    return [(await who()).claims.name, (await call("/api/notes")).status];
  });
  expect(told).toEqual(["Victor Vance", 200]);
  await app.close();

  // From here to its sessions, and up.
  await page.getByRole("link", { name: "End its sessions…" }).press("Enter");
  await expect(page).toHaveURL(/\/admin\/incident\?client=app/);
  await page.goBack();
  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "Clients" }).press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Clients" })).toBeFocused();
});

test("a mobile client's code names its issuer and its redirect URI; a client that is not there says so", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "clients/phone");
  const blocks = page.locator(".code-blocks");
  await expect(blocks).toContainText("OIDAuthorizationService");
  for (const name of ["AppAuth, iOS", "AppAuth, Android", "React Native"]) {
    await page.getByRole("link", { name }).press("Enter");
    await expect(blocks).toContainText(demo.gateway);
    await expect(blocks).toContainText("com.example.sample:/callback");
  }
  // What it names is there.
  const there = await page.context().newPage();
  await there.goto(`${demo.gateway}/.well-known/oauth-authorization-server`);
  expect(JSON.parse(await there.locator("body").innerText()).issuer).toBe(demo.gateway);
  await there.close();
  await page.goto(`${demo.console}clients/nobody`);
  await expect(page.getByRole("alert")).toBeVisible();
});

test("a viewer reads how a provider answers and what its registrations ask for", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer");
  await open(page, "Providers");
  const demoProvider = page.locator(".provider").filter({ hasText: demo.provider });
  await expect(demoProvider).toContainText("Answers");
  await expect(demoProvider.locator("table.registrations tbody tr")).toContainText("offline_access");
  await expect(page.locator("#main")).not.toContainText("client_secret =");
  await look(page, "console-providers", EVERYWHERE);
  await page.getByRole("link", { name: /^End the sessions of the provider/ }).press("Enter");
  await expect(page.getByRole("heading", { name: /would end/ })).toBeAttached();
  await expect(page.getByRole("combobox", { name: "Provider" })).toHaveValue("demo");
});

test("a viewer sees what each key seals, and copies the command that makes a new one", async ({ page, context, demo }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openConsole(page, demo, "viewer");
  await open(page, "Keys");
  await expect(page.locator("table.keys tbody tr")).toHaveCount(1);
  await expect(page.locator("table.keys tbody tr")).toContainText("Seals");
  await expect(page.locator(".ring")).toContainText(/All \d+ stored values/);
  await look(page, "console-keys", EVERYWHERE);
  await page.getByRole("button", { name: "Copy this command" }).press("Enter");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^cloakroom keys rotate --config \S+cloakroom\.toml$/);
});

test("a viewer reads the node's health and the configuration, with every secret masked", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer");
  await open(page, "Settings");
  await expect(page.locator(".panel").first()).toContainText("its store takes writes");
  const text = page.getByRole("region", { name: "the configuration" });
  await expect(text).toContainText("[providers.demo.registrations.cloakroom]");
  await expect(text).not.toContainText(/client_secret = "(?!file:|\*\*\*)/);
  await text.focus();
  await page.keyboard.press("End");
  await look(page, "console-settings", EVERYWHERE);
});
