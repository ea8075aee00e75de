// The simulated phone's whole story, by real OAuth calls, as a person sees it.
import { expect, logIn, look, test, user } from "./demo.mjs";

test("a phone signs in, calls, refreshes, loses to a thief, and signs out", async ({ page, demo }) => {
  const alice = user(demo);
  await page.goto(demo.phone);
  await expect(page.locator("#outside")).toBeVisible();
  await look(page, "phone-signed-out");

  const signIn = async () => {
    await page.locator("#sign-in").click();
    // Any app can claim a loopback port: so a page names it first.
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Sign in to Sample phone app?");
    await page.getByRole("button", { name: /Sign in/ }).click();
  };
  await signIn();
  await logIn(page, alice);
  await page.waitForURL(demo.phone);
  await expect(page.locator("#mail")).toHaveText("alice@example.com");
  // No code stays in the address bar.
  expect(page.url()).not.toContain("code=");

  await page.locator("#call").click();
  await expect(page.locator("#answer")).toContainText("The API answered.");
  await page.locator("#refresh").click();
  await expect(page.locator("#answer")).toContainText("Fresh tokens.");
  await page.locator("#log summary").first().click();
  await expect(page.locator("#log pre").first()).toContainText("grant_type: refresh_token");
  await look(page, "phone-signed-in");

  // Whoever shows a spent token ends the session, everywhere.
  await page.locator("#replay").click();
  await expect(page.locator("#said")).toContainText("ended the session");
  await expect(page.locator("#log")).toContainText("401");

  await signIn();
  await page.waitForURL(demo.phone);
  await expect(page.locator("#mail")).toHaveText("alice@example.com");
  await page.locator("#sign-out").click();
  await expect(page.locator("#said")).toContainText("signed out on this phone");
  expect(await page.evaluate(() => sessionStorage.getItem("phone"))).toBeNull();
});

test("who says no on the page that names the app comes back to it", async ({ page, demo }) => {
  await page.goto(demo.phone);
  await page.locator("#sign-in").click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.waitForURL(demo.phone);
  await expect(page.locator("#said")).toContainText("You said no");
});
