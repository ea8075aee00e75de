// The sample app's whole story, as a person lives it.
import { expect, logIn, look, test, user } from "./demo.mjs";

test("sign in, call the API, see a refresh, add a note, sign out", async ({ page, demo }) => {
  const alice = user(demo);
  await page.goto(`${demo.gateway}/`);
  await expect(page.locator("#sign-in")).toBeVisible();
  await look(page, "sample-signed-out");

  await page.locator("#sign-in").click();
  await expect(page.locator('input[name="username"]')).toBeVisible();
  expect(new URL(page.url()).origin).toBe(demo.provider);
  await look(page, "provider-login");
  await logIn(page, alice);

  await page.waitForURL(`${demo.gateway}/`);
  await expect(page.locator("#inside")).toBeVisible();

  await page.locator("#call").click();
  await expect(page.locator("#arrived")).toBeVisible();
  await expect(page.locator("#headers")).toContainText("authorization");
  await expect(page.locator("#headers")).toContainText("Bearer ");
  await expect(page.locator("#headers")).not.toContainText("__Host-Http-crs");

  await page.locator("#note-text").fill("The tokens stay at the cloakroom");
  await page.locator("#add-note").click();
  await expect(page.locator("#notes")).toContainText("The tokens stay at the cloakroom");
  await look(page, "sample-signed-in");

  // The cookie is out of reach of scripts, and no storage holds a token.
  const reachable = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  expect(reachable).not.toContain("crs");
  expect(reachable).not.toContain("eyJ");

  await page.locator("#sign-out").click();
  await page.waitForURL(/signed-out/);
  await expect(page.getByRole("heading")).toContainText("signed out");
  await look(page, "signed-out");

  // It rests there, and the app asks to sign in again.
  await page.goto(`${demo.gateway}/`);
  await expect(page.locator("#sign-in")).toBeVisible();
});

test("u05: ten tabs that sign in at once all end signed in at their own addresses, fragments included", async ({ context, demo }) => {
  const alice = user(demo);
  const tabs = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
  for (const [i, tab] of tabs.entries()) {
    const returnTo = encodeURIComponent(`/?tab=${i}#part-${i}`);
    await tab.goto(`${demo.gateway}/bff/login?return_to=${returnTo}`);
  }
  for (const [i, tab] of tabs.entries()) {
    if (new URL(tab.url()).origin === demo.provider) await logIn(tab, alice);
    await tab.waitForURL(`${demo.gateway}/?tab=${i}#part-${i}`);
    await expect(tab.locator("#inside")).toBeVisible();
  }
});

test("step-up: the safe asks for a one-time code and opens after it", async ({ page, demo }) => {
  await page.goto(`${demo.gateway}/bff/login?return_to=/`);
  await logIn(page, user(demo));
  await expect(page.locator("#inside")).toBeVisible();
  await page.locator("#open-safe").click();
  await expect(page.locator("#safe")).toContainText("not enough");
  await look(page, "sample-step-up");
  await page.locator("#step-up").click();
  await expect(page.locator('input[name="code"]')).toBeVisible();
  await look(page, "provider-second-factor");
  const code = await page.locator("#phone strong").innerText();
  await page.locator('input[name="code"]').fill(code);
  await logIn(page, user(demo));
  await page.waitForURL(`${demo.gateway}/`);
  await expect(page.locator("#safe")).toContainText("The safe is open");
});
