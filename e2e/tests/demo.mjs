// What the stories share: a running demo, people who sign in, pages that are checked while they are looked at.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";

export { expect };

// A demo of one's own; `args` beside those that every story needs.
export async function startDemo(args = []) {
  const bin = process.env.CLOAKROOM_BIN;
  if (!bin) throw new Error("CLOAKROOM_BIN must name the cloakroom binary; `cargo xtask test` sets it");
  const data = await mkdtemp(join(tmpdir(), "cloakroom-e2e-"));
  const child = spawn(bin, ["demo", "--json", "--port", "0", "--data", data, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const line = await new Promise((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`cloakroom demo ended with ${code}:\n${log}`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  return { ...JSON.parse(line), stop };
}

export const test = base.extend({
  // One demo for all stories of a worker.
  demo: [
    async ({}, use) => {
      const demo = await startDemo();
      await use(demo);
      await demo.stop();
    },
    { scope: "worker" },
  ],
  // Every page of every story: no console error, no uncaught exception, no policy violation.
  context: async ({ context }, use) => {
    const wrong = [];
    context.on("weberror", (error) => wrong.push(String(error.error())));
    context.on("console", (message) => {
      // A refusal or a lost connection that a page handles is still logged by the browser as a failed load.
      const expected = /Failed to load resource: (the server responded with a status of 40[0134]|net::ERR_INTERNET_DISCONNECTED)/.test(message.text());
      if (message.type() === "error" && !expected) wrong.push(`${message.page()?.url()}: ${message.text()}`);
    });
    await use(context);
    expect(wrong, "the browser's console").toEqual([]);
  },
});

export function user(demo, role) {
  const found = demo.users.find((one) => (role ? one.roles.includes(role) : one.roles.length === 0));
  if (!found) throw new Error(`the demo has no user for ${role ?? "no role"}`);
  return found;
}

// Fills the provider's form; the page is on it, or on its way.
export async function logIn(page, person) {
  await page.locator('input[name="username"]').fill(person.name);
  await page.locator('input[name="password"]').fill(person.password);
  await page.locator('button[type="submit"]').first().click();
}

// `within` a part of the page: axe takes twenty seconds over fifty rows.
export async function expectAccessible(page, what, within) {
  const axe = new AxeBuilder({ page });
  if (within) axe.include(within);
  const { violations } = await axe.options({ rules: { "target-size": { enabled: true } } }).analyze();
  const found = violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.html}`).join("\n")}`);
  expect(found, `${what}: axe`).toEqual([]);
}

// No sideways scrolling at 320 CSS pixels (WCAG 2.2, 1.4.10).
export async function expectReflow(page, what) {
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
  }));
  expect(scroll, `${what} at ${client} px`).toBeLessThanOrEqual(client);
}

// Themes and widths in pairs: each with each other over the pages together; axe where the layout differs.
const LOOKS = [
  ["light", 1366, true],
  ["dark", 320, true],
  ["light", 768, false],
  ["dark", 2560, false],
];

// Each width in each theme, with axe: for a page that is new.
export const EVERYWHERE = [320, 768, 1366, 2560].flatMap((width) => [["light", width, true], ["dark", width, true]]);

// Looks at a page as it is now in both themes, from a phone's to a wall's width.
export async function look(page, name, looks = LOOKS) {
  await page.evaluate(() => window.scrollTo(0, 0));
  for (const [colorScheme, width, isChecked] of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: width < 720 ? 720 : 900 });
    await page.screenshot({ path: `.artifacts/shots/${name}-${width}-${colorScheme}.png`, fullPage: true });
    await expectReflow(page, `${name} ${colorScheme}`);
    if (isChecked) await expectAccessible(page, `${name} ${width} ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1366, height: 900 });
}
