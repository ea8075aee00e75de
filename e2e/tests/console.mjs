// What the console's stories share: people at the console, people at the sample app, and what is done with a row.
import { expect, logIn, user } from "./demo.mjs";

export async function openConsole(page, demo, role, path = "") {
  await page.goto(demo.console + path);
  await page.getByRole("link", { name: "Sign in" }).click();
  await logIn(page, user(demo, role));
  await page.waitForURL((url) => url.href.startsWith(demo.console));
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

export async function openSampleApp(context, demo) {
  const page = await context.newPage();
  await page.goto(`${demo.gateway}/bff/login?return_to=/`);
  await logIn(page, user(demo));
  await expect(page.locator("#inside")).toBeVisible();
  return page;
}

// A person's own browser: cookies of its own, the same watch on its console.
export async function anotherBrowser(browser, options = {}) {
  return browser.newContext({ reducedMotion: "reduce", ...options });
}

// One more session of the person that the browser is signed in as at the provider.
export async function signInOnceMore(page, demo) {
  const { hostname } = new URL(demo.gateway);
  await page.context().clearCookies({ domain: hostname });
  await page.goto(`${demo.gateway}/bff/login?return_to=/`);
  await page.waitForURL(`${demo.gateway}/`);
}

export const rows = (page) => page.locator("tbody tr:not(.outline)");

export const row = (page, name) => rows(page).filter({ hasText: name }).first();

// Ids of the sessions on the page, in order.
export async function ids(page) {
  await expect(page.locator(".table-frame")).toHaveAttribute("aria-busy", "false");
  const links = await page.locator("tbody a.user-link").evaluateAll((links) => links.map((link) => link.pathname));
  return links.map((path) => path.split("/").pop());
}
