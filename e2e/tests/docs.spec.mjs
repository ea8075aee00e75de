// Snippets of the documentation, run as they stand.
import { readFile } from "node:fs/promises";

import { expect, test, user } from "./demo.mjs";

async function snippets(page, language) {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map((match) => match[1]);
}

test("u24: testing.md signs in the way it says", async ({ page, demo }) => {
  const [signIn] = await snippets("testing.md", "js");
  const AsyncFunction = (async () => {}).constructor;
  const alice = user(demo);
  const run = new AsyncFunction("page", "demo", `${signIn}; return user;`);
  const told = await run(page, { gateway: demo.gateway, user: alice });
  expect(told.claims.preferred_username).toBe(alice.name);
});
