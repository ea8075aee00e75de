// `npm run screenshots`: pictures of every page for docs/console.md, from a demo with people in it.
import base from "./playwright.config.mjs";

export default { ...base, testDir: "screenshots", reporter: [["line"]] };
