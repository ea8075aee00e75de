// The sample app: two faces, signed in and signed out, and the way between them.

import { cloakroom } from "/bff/client.js";
import { $, el, icon } from "./dom.js";
import { call, onRefused } from "./gateway.js";
import { nameOf, showAccount } from "./account.js";
import { forgetCalls, startCalling } from "./call.js";
import { forgetNotes, showNotes, startNotes } from "./notes.js";
import { forgetSafe, showSafe, startSafe } from "./safe.js";
import { forgetDevices, showDevices, startDevices } from "./devices.js";

const LOOK_EVERY_MS = 10_000;
const OUTSIDE = {
  title: $("#title").textContent,
  lead: $("#lead").textContent,
};

/** The session shown, or null. */
let session = null;
/** Stops listening to the session's events. */
let stopListening = () => {};

startCalling();
startNotes();
startDevices();
startSafe();
onRefused(look);
surroundings();
await look();
setInterval(lookIfSeen, LOOK_EVERY_MS);
document.addEventListener("visibilitychange", lookIfSeen);

function lookIfSeen() {
  if (document.visibilityState === "visible") look();
}

/**
 * Asks who is signed in, without making the session last longer.
 * `cause` is the 401 that made us ask: it says best why the session is over.
 */
async function look(cause) {
  try {
    const user = await call("/bff/user?slide=false", { expected: true });
    if (!user) return leave(cause);
    enter(user);
    if (cause) signInAgain(cause);
  } catch (problem) {
    if (problem.status === 401) leave(cause ?? problem);
    else if (session === null) trouble(problem);
  }
}

function enter(user) {
  const id = user.session?.id ?? user.sub;
  showAccount(user);
  if (session === id) return;
  session = id;
  stopListening();
  stopListening = cloakroom.onSessionEvent(hear);
  forget();
  $("#notice").replaceChildren();
  $("#title").textContent = `Hello, ${nameOf(user)}`;
  $("#lead").textContent =
    "You hold a ticket: one cookie that no script can read. Your tokens hang in the cloakroom, and the API gets one with each call.";
  $("#sign-out").href = user.logout_url ?? "/bff/logout";
  face(true);
  showNotes();
  showDevices();
  showSafe();
}

/** Every tab hears at once when the session is over, whoever ended it. */
function hear(event) {
  if (event.type === "ended") look();
}

/** The session lives, but a call needs a token that only a new sign-in can bring. */
function signInAgain(cause) {
  if ($("#again")) return;
  $("#notice").replaceChildren(
    notice(
      "info",
      "Sign in again to call the API",
      `${cause.message} `,
      el("a", { id: "again", href: "/bff/login?return_to=/" }, "Sign in again"),
    ),
  );
}

/** `problem` is the 401 that told us. Calm, with the reason, and with the way back in. */
function leave(problem) {
  const wasInside = session !== null;
  session = null;
  stopListening();
  $("#title").textContent = OUTSIDE.title;
  $("#lead").textContent = OUTSIDE.lead;
  face(false);
  forget();
  if (!wasInside) {
    $("#notice .cross")?.remove();
    return;
  }
  $("#flow").classList.remove("pulse");
  $("#notice").replaceChildren(
    notice(
      "info",
      "You are signed out",
      `${problem?.message ?? "The session has ended."} Sign in to go on.`,
    ),
  );
  $("#title").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

/** Nothing of one session is shown in another. */
function forget() {
  forgetCalls();
  forgetNotes();
  forgetDevices();
  forgetSafe();
}

function face(inside) {
  $("#main").dataset.face = inside ? "inside" : "outside";
  $("#inside").hidden = !inside;
  $("#outside").hidden = inside;
  $("#enter").hidden = inside;
  $("#sign-in-top").hidden = inside;
  $("#sign-out").hidden = !inside;
}

function trouble(problem) {
  face(false);
  $("#notice").replaceChildren(notice("cross", "This did not work", problem.message));
}

function notice(sign, title, ...words) {
  return el(
    "div",
    { class: `notice ${sign}` },
    icon(sign),
    el("div", {}, el("p", { class: "strong" }, title), el("p", {}, ...words)),
  );
}

/** Where the other parts of the demo are. The page works without knowing. */
async function surroundings() {
  try {
    const config = await call("/config.json");
    link("#console-link", config.console_url);
    link("#provider-link", config.provider_url);
  } catch {
    // No link, then.
  }
}

function link(selector, url) {
  if (!url) return;
  $(selector).href = url;
  $(selector).hidden = false;
}
