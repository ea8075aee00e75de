// Cloakroom's own pages in a client's look: readable in light and dark, on phones and desks, in English and German.
import { expect, expectAccessible, expectReflow, test as base } from "./demo.mjs";
import { startGateway } from "./gateway.mjs";

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#F2C200"/><circle cx="16" cy="16" r="7" fill="#fff"/></svg>';
const SECOND = `
[providers.partners]
issuer = "https://login.partner.example"
name = "Partner organisations with a rather long name"
mail_domains = ["partner.example"]
callback = "own"

[providers.partners.registrations.web]
client_id = "stories"
client_secret = "env:STORIES_SECRET"
`;

const test = base.extend({
  gateway: [
    async ({}, use) => {
      const client = 'name = "Nordlicht Bank"\nlogo = "file:logo.svg"\ncolour = "#F2C200"\nregistrations = ["main.web", "partners.web"]\n';
      const gateway = await startGateway("idp.localhost", { client, more: SECOND, files: { "logo.svg": LOGO } });
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],
});

const PAGES = [
  ["choose", "/bff/login?return_to=/pages/home", { en: "Sign in to Nordlicht Bank", de: "Bei Nordlicht Bank anmelden" }],
  ["nobodys", "/bff/login?return_to=/&login_hint=ann%40nobody.example&ask=mail", { en: "Sign in to Nordlicht Bank", de: "Bei Nordlicht Bank anmelden" }],
  ["error", "/bff/login?provider=nobody", { en: "Bad request", de: "Ungültige Anfrage" }],
  ["signed-out", "/bff/signed-out?provider=signed-in", { en: "You are signed out", de: "Sie sind abgemeldet" }],
];

for (const [name, path, titles] of PAGES) {
  test(`the page "${name}" is readable everywhere, in both languages`, async ({ browser, gateway }) => {
    for (const [locale, language] of [["en-GB", "en"], ["de-CH", "de"]]) {
      for (const colorScheme of ["light", "dark"]) {
        for (const width of [320, 1366]) {
          const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 760 } });
          const page = await context.newPage();
          const refused = [];
          page.on("console", (message) => /Content.Security.Policy/i.test(message.text()) && refused.push(message.text()));
          await page.goto(gateway.origin + path);
          await expect(page.locator("h1")).toHaveText(titles[language]);
          await expect(page.locator("html")).toHaveAttribute("lang", language);
          await expect(page.locator("header.brand")).toHaveText("Nordlicht Bank");
          expect(await page.locator("header.brand img").evaluate((logo) => logo.naturalWidth)).toBeGreaterThan(0);
          await expectAccessible(page, name);
          await expectReflow(page, `${name} ${language}`);
          expect(refused).toEqual([]);
          if (process.env.CLOAKROOM_SCREENSHOTS) {
            await page.screenshot({ path: `${process.env.CLOAKROOM_SCREENSHOTS}/${name}-${language}-${colorScheme}-${width}.png` });
          }
          await context.close();
        }
      }
    }
  });
}

test("a choice is made by keyboard alone, by button or by mail address", async ({ page, gateway }) => {
  await page.goto(`${gateway.origin}/bff/login?return_to=/pages/home`);
  await page.getByLabel("E-mail address").fill("ann@nobody.example");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("No identity provider is set up");
  await expect(page.getByLabel("E-mail address")).toHaveValue("ann@nobody.example");
  await page.getByRole("link", { name: "main" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.origin === new URL(gateway.issuer).origin);
  await expect(page.locator('input[name="password"]')).toBeVisible();
});
