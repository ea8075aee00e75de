// Routes, and "try a request", by keyboard alone.
import { expect, look, test } from "./demo.mjs";
import { openConsole } from "./console.mjs";

test("a viewer learns where a call goes and why another is refused, by keyboard, and the link says the same", async ({ page, demo }) => {
  await openConsole(page, demo, "viewer", "routes");
  await expect(page.locator("table.routes tbody tr").first()).toBeVisible();
  await look(page, "console-routes");

  // From a row into the form.
  const api = page.locator("table.routes tbody tr").filter({ hasText: "/api/" }).first();
  await api.getByRole("button", { name: /^Try a request to/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("combobox", { name: "Address" })).toBeFocused();
  await expect(page.getByRole("combobox", { name: "Address" })).toHaveValue(`${demo.gateway}/api/`);
  await page.keyboard.press("Enter");
  await expect(page.locator(".verdict")).toContainText("Allowed");
  await expect(page).toHaveURL(/url=.*caller=session/);
  await look(page, "console-explained");

  await page.getByRole("combobox", { name: "Caller" }).selectOption("anonymous");
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.locator(".verdict")).toContainText("Refused");
  await expect(page.locator(".verdict")).toContainText("401");
  const answer = await page.locator(".try-answer").innerText();
  await page.reload();
  await expect(page.locator(".try-answer")).toHaveText(answer, { useInnerText: true });

  // What cannot be asked is said before it is asked.
  await page.getByRole("combobox", { name: "Address" }).fill("/api/");
  await page.keyboard.press("Enter");
  await expect(page.locator(".try-form").getByRole("alert")).toContainText("whole address");
});
