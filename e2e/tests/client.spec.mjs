// /bff/client.js in a real browser, used as a web app uses it.
import { expect, logIn, test, user } from "./demo.mjs";

test("client.js: who, login, calls, events, logout", async ({ page, browser, demo }) => {
  const there = `${demo.gateway}/?draft=1#there`;
  await page.goto(there);
  const anonymous = await page.evaluate(async () => {
    const { cloakroom, CloakroomError } = await import("/bff/client.js");
    const user = await cloakroom.user();
    const error = await cloakroom.fetch("/api/echo").catch((error) => error);
    return [user, error instanceof CloakroomError, error.status, error.code, error.loginUrl];
  });
  expect(anonymous).toEqual([null, true, 401, "sign-in-needed", "/bff/login"]);

  // A half-filled form is kept before the page leaves; the login comes back to the page, query and fragment too.
  await page.evaluate(async () => {
    const { cloakroom } = await import("/bff/client.js");
    cloakroom.onBeforeLeave(() => sessionStorage.setItem("draft", "half a letter"));
    cloakroom.fetch("/api/echo", { signIn: true });
  });
  await logIn(page, user(demo));
  await page.waitForURL(there);
  const known = await page.evaluate(async () => {
    const { cloakroom } = await import("/bff/client.js");
    const user = await cloakroom.user({ slide: false });
    const echo = await (await cloakroom.fetch("/api/echo")).json();
    return [sessionStorage.getItem("draft"), user.claims.name, echo.headers.authorization.slice(0, 7)];
  });
  expect(known).toEqual(["half a letter", "Alice Anders", "Bearer "]);

  // Ended from another device: this tab hears it at once, with the reason.
  await page.evaluate(async () => {
    const { cloakroom } = await import("/bff/client.js");
    window.heard = [];
    cloakroom.onSessionEvent((event) => window.heard.push(event));
  });
  await expect.poll(() => page.evaluate(() => window.heard[0]?.type)).toBe("session");
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto(`${demo.gateway}/bff/login?return_to=/`);
  await logIn(other, user(demo));
  await expect(other.locator("#inside")).toBeVisible();
  await other.evaluate(() => fetch("/bff/sessions/revoke-others", { method: "POST", headers: { "X-CSRF": "1" } }));
  await expect.poll(() => page.evaluate(() => window.heard.at(-1)?.reason_code)).toBe("ended_by_user");

  // Signing out leaves for the page where the browser rests.
  await other.evaluate(() => void import("/bff/client.js").then(({ cloakroom }) => cloakroom.logout()));
  await other.waitForURL(/signed-out/);
  await elsewhere.close();
});

test("u11: every tab of a session hears its end, and many tabs do not use the connections up", async ({ context, browser, demo }) => {
  const first = await context.newPage();
  await first.goto(`${demo.gateway}/bff/login?return_to=/`);
  await logIn(first, user(demo));
  await expect(first.locator("#inside")).toBeVisible();
  const tabs = [first];
  for (let i = 0; i < 8; i += 1) {
    const tab = await context.newPage();
    await tab.goto(`${demo.gateway}/?tab=${i}`);
    await expect(tab.locator("#inside")).toBeVisible();
    tabs.push(tab);
  }
  // The tab that listens for all is closed: another takes over.
  await tabs.shift().close();
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto(`${demo.gateway}/bff/login?return_to=/`);
  await logIn(other, user(demo));
  await expect(other.locator("#inside")).toBeVisible();
  await other.evaluate(() => fetch("/bff/sessions/revoke-others", { method: "POST", headers: { "X-CSRF": "1" } }));
  for (const tab of tabs) await expect(tab.locator("#outside")).toBeVisible({ timeout: 5000 });
  await elsewhere.close();
});
