// How people arrive: from other sites, with deep links and fragments, in many tabs; and the pages that they meet.
import { expect, expectAccessible, expectReflow, test as base } from "./demo.mjs";
import { startGateway } from "./gateway.mjs";

const test = base.extend({
  gateway: [
    async ({}, use) => {
      const gateway = await startGateway();
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],
});

async function logIn(page, name = "alice") {
  await page.locator('input[name="username"]').fill(name);
  await page.locator('input[name="password"]').fill(`${name}-password`);
  await page.locator('button[type="submit"]').click();
}

async function signedIn(context, gateway, name) {
  const page = await context.newPage();
  await page.goto(`${gateway.origin}/bff/login?return_to=/pages/home`);
  await logIn(page, name);
  await page.waitForURL(`${gateway.origin}/pages/home`);
  return page;
}

test("x08: a link from another site finds its page, signed in, with its fragment", async ({ context, gateway }) => {
  const page = await signedIn(context, gateway);
  const deep = "/pages/deep?a=b%20c#/part/2?x=y";
  await page.goto(`${gateway.evil}/?to=${encodeURIComponent(deep)}`);
  const before = await page.evaluate(() => history.length);
  await page.getByRole("link").click();
  await page.waitForURL(gateway.origin + deep);
  await expect(page.locator("h1")).toHaveText(/deep/);
  expect(await page.evaluate(() => history.length), "the hop leaves no entry of its own").toBe(before + 1);
  await page.goBack();
  await expect(page).toHaveTitle("Elsewhere");
});

test("x08: an anonymous visitor from another site comes back to the same place after the login", async ({ context, gateway }) => {
  const page = await context.newPage();
  const deep = "/pages/deep?a=b#part";
  await page.goto(`${gateway.evil}/?to=${encodeURIComponent(deep)}`);
  await page.getByRole("link").click();
  await logIn(page);
  await page.waitForURL(gateway.origin + deep);
});

test("u05: typed addresses keep their fragments over a login, whatever stands in them", async ({ browser, gateway }) => {
  for (const deep of ["/pages/a#b", "/pages/a?x=1#/route/2?y=%20z", "/pages/a#back\\slash", "/pages/a#" + "x".repeat(500)]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(gateway.origin + deep);
    await logIn(page);
    await page.waitForURL((url) => url.href === gateway.origin + deep.replaceAll("\\", "%5C"));
    await context.close();
  }
});

test("u05: ten restored tabs land on their own addresses, fragments too", async ({ context, gateway }) => {
  const paths = Array.from({ length: 10 }, (_, i) => `/pages/tab-${i}?n=${i}#section-${i}`);
  const tabs = await Promise.all(paths.map(() => context.newPage()));
  await Promise.all(tabs.map((tab, i) => tab.goto(gateway.origin + paths[i])));
  // Each waits at the provider's form; each is signed in there on its own.
  for (const [i, tab] of tabs.entries()) {
    await logIn(tab);
    await tab.waitForURL(gateway.origin + paths[i]);
  }
  for (const [i, tab] of tabs.entries()) {
    await tab.reload();
    expect(tab.url()).toBe(gateway.origin + paths[i]);
    await expect(tab.locator("h1")).toHaveText(new RegExp(`tab-${i}`));
  }
});

test("u05: ten tabs find a session at the provider and need no form", async ({ context, gateway }) => {
  await signedIn(context, gateway);
  await context.clearCookies({ domain: "app.localhost" });
  const paths = Array.from({ length: 10 }, (_, i) => `/pages/tab-${i}#section-${i}`);
  const tabs = await Promise.all(paths.map(() => context.newPage()));
  await Promise.all(tabs.map((tab, i) => tab.goto(gateway.origin + paths[i])));
  await Promise.all(tabs.map((tab, i) => tab.waitForURL(gateway.origin + paths[i])));
});

test("x08: without scripts the way still leads there, only the fragment is lost", async ({ browser, gateway }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${gateway.evil}/?to=${encodeURIComponent("/pages/deep?a=b")}`);
  await page.getByRole("link").click();
  await logIn(page);
  await page.waitForURL(`${gateway.origin}/pages/deep?a=b`);
  await context.close();
});

test("x06: no page of the gateway can be framed by another site", async ({ browser, gateway }) => {
  const paths = ["/pages/deep", "/bff/login?return_to=//evil", "/bff/signed-out", "/bff/silent-login"];
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${gateway.evil}/?${paths.map((path) => `frame=${encodeURIComponent(path)}`).join("&")}`);
  await page.waitForLoadState("networkidle");
  const frames = page.frames().slice(1);
  expect(frames).toHaveLength(paths.length);
  for (const frame of frames) {
    expect(frame.url(), "a blocked frame shows an error page of the browser's").toMatch(/^chrome-error:/);
  }
  await context.close();
});

// What a page of the own origin hears from a frame of its own.
const silently = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const frame = document.createElement("iframe");
        addEventListener("message", ({ data, origin, source }) => {
          if (source !== frame.contentWindow) return;
          frame.remove();
          resolve({ ...data, own: origin === location.origin });
        });
        frame.src = "/bff/silent-login";
        document.body.append(frame);
      }),
  );

test("x07: a silent login in a frame tells its own page what came of it", async ({ browser }) => {
  // Browsers keep another site's cookies out of frames: the provider is of the app's site here.
  const gateway = await startGateway("idp.app.localhost");
  const context = await browser.newContext();
  const page = await context.newPage();
  const source = "bff-silent-login";
  await page.goto(`${gateway.origin}/`);
  expect(await silently(page)).toEqual({ source, isLoggedIn: false, error: "login_required", own: true });
  await page.goto(`${gateway.origin}/bff/login?return_to=/`);
  await logIn(page);
  await page.waitForURL(`${gateway.origin}/`);
  await context.clearCookies({ domain: "app.localhost" });
  expect(await silently(page)).toEqual({ source, isLoggedIn: true, error: null, own: true });
  const user = await page.evaluate(() => fetch("/bff/user", { headers: { "X-CSRF": "1" } }).then((answer) => answer.json()));
  expect(user.sub).toBe("alice");
  // Once more, with a session: it is renewed, and the window stays where it is.
  expect(await silently(page)).toEqual({ source, isLoggedIn: true, error: null, own: true });
  expect(page.url()).toBe(`${gateway.origin}/`);
  // Another person at the provider takes nobody's place (L17).
  await context.clearCookies({ domain: "idp.app.localhost" });
  const other = await context.newPage();
  await other.goto(`${gateway.issuer}/auth?client_id=stories&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=${"x".repeat(43)}&redirect_uri=${encodeURIComponent(`${gateway.origin}/bff/callback`)}`);
  await logIn(other, "bob");
  await other.waitForURL(`${gateway.origin}/`);
  expect(await silently(page)).toEqual({ source, isLoggedIn: false, error: "login-other-person", own: true });
  await context.close();
  await gateway.stop();
});

// Looked at by people: `.artifacts/pages` has them all.
const PAGES = [
  ["hop", "/pages/deep", "cross-site"],
  ["login", "/bff/login?return_to=/pages/x&keep=fragment", "same-origin"],
  ["callback", "/bff/callback?code=x&state=y", "cross-site"],
  ["late", "/bff/callback/finish?t=00000000", "same-origin"],
  ["signed-out", "/bff/signed-out", "none"],
  ["signed-out-here-only", "/bff/signed-out?provider=signed-in", "none"],
  ["bad-address", "/bff/login?return_to=//evil", "none"],
];

for (const scheme of ["light", "dark"]) {
  test(`the gateway's own pages are accessible and fit narrow screens, ${scheme}`, async ({ browser, gateway }) => {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 900, height: 620 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    for (const [name, path, site] of PAGES) {
      await page.setViewportSize({ width: 900, height: 620 });
      await page.setContent(await gateway.still(path, site));
      await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finish())));
      await expectAccessible(page, `${name} ${scheme}`);
      await page.screenshot({ path: `.artifacts/pages/${name}-${scheme}.png` });
      await page.setViewportSize({ width: 320, height: 620 });
      await expectReflow(page, name);
    }
    await context.close();
  });
}
