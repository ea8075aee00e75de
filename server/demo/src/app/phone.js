// The phone's app: signed out and signed in, and the way between them. Its OAuth stands in oauth.js.

import { $, el, icon, middle } from "./dom.js";
import { call } from "./gateway.js";
import * as oauth from "./oauth.js";

/** Plays the phone's Keychain; no web app should keep tokens so. */
const KEPT = "phone";
/** What the app remembers while the system browser is in front. */
const BEGAN = "phone-began";
const LOG = "phone-log";
const LONGEST_LOG = 30;

let app = null;
let server = null;
/** `{ access, refresh, ends_at, life, spent }`, or null. `spent` is the refresh token before the present one. */
let tokens = read(KEPT);
let log = read(LOG) ?? [];

oauth.onCall(note);
$("#sign-in").addEventListener("click", () => busy(signIn));
$("#call").addEventListener("click", () => busy(callApi));
$("#refresh").addEventListener("click", () => busy(refresh));
$("#replay").addEventListener("click", () => busy(replay));
$("#sign-out").addEventListener("click", () => busy(signOut));
showLog();
tick();
setInterval(tick, 1000);
await busy(start);

async function start() {
  const config = await call("/config.json");
  app = config.phone;
  $("#console-link").href = config.console_url;
  $("#console-link").hidden = false;
  const params = new URLSearchParams(location.search);
  const began = read(BEGAN);
  if (began && (params.has("code") || params.has("error"))) {
    sessionStorage.removeItem(BEGAN);
    history.replaceState(null, "", location.pathname);
    await comeBack(params, began);
  }
  if (tokens) await enter();
  else leave();
}

async function signIn() {
  forgetLog();
  server = await oauth.discover(app.issuer);
  const began = await oauth.authorization(server, app);
  keep(BEGAN, { ...began, server });
  location.assign(began.url);
}

async function comeBack(params, began) {
  server = began.server;
  try {
    const code = oauth.codeOf(params, began, server);
    take(await oauth.redeem(server, app, code, began.verifier));
  } catch (refused) {
    say(refused.error === "access_denied" ? "You said no. Nothing happened." : refused.message);
  }
}

async function enter() {
  server ??= await oauth.discover(app.issuer);
  face(true);
  const person = await withToken((access) => oauth.ask(server.userinfo_endpoint, access, "Who is signed in"));
  if (!person) return;
  const name = person.name ?? person.email ?? person.sub;
  $("#avatar").textContent = Array.from(name)[0].toUpperCase();
  $("#name").textContent = name;
  $("#mail").textContent = person.email ?? person.sub;
}

async function callApi() {
  const echo = await withToken((access) => oauth.ask("/api/echo", access, "Your API"));
  if (!echo) return;
  answer(
    "check",
    "The API answered.",
    `It got a token of the provider (${middle(echo.token?.jti ?? "?", 6)}), which this phone has never seen.`,
  );
}

/** Calls; a token that is over is renewed once. Answers nothing when the session is over, too. */
async function withToken(make) {
  try {
    return await make(tokens.access);
  } catch (refused) {
    if (refused.status !== 401) throw refused;
  }
  if (!(await renew("The access token is over: the next one"))) return null;
  return make(tokens.access);
}

async function refresh() {
  if (await renew()) answer("check", "Fresh tokens.", "The refresh token before is spent.");
}

/** Refreshes; answers whether the session still lives. `invalid_grant` is the end of it. */
async function renew(why) {
  try {
    const spent = tokens.refresh;
    take(await oauth.refresh(server, app, spent, why), spent);
    return true;
  } catch (refused) {
    if (refused.error !== "invalid_grant") throw refused;
    over("This session is over. Sign in again.");
    return false;
  }
}

/** Somebody copied the token before the present one. Once the present one was used, the copy is plainly a theft. */
async function replay() {
  const spent = tokens.spent;
  if (!(await renew("First the owner goes on"))) return;
  try {
    await oauth.refresh(server, app, spent, "Then a thief shows an old copy");
  } catch (refused) {
    if (refused.error !== "invalid_grant") throw refused;
  }
  await withToken((access) => oauth.ask(server.userinfo_endpoint, access, "And the owner again"));
  if (!tokens) say("Someone showed a spent refresh token, so Cloakroom ended the session: for the thief, and for you.");
}

async function signOut() {
  await oauth.revoke(server, app, tokens.refresh);
  over("You are signed out on this phone.");
}

function take(answered, spent) {
  const life = answered.expires_in;
  const ends_at = Date.now() + life * 1000;
  tokens = { access: answered.access_token, refresh: answered.refresh_token, ends_at, life, spent };
  keep(KEPT, tokens);
  tick();
}

function over(words) {
  tokens = null;
  sessionStorage.removeItem(KEPT);
  leave();
  say(words);
}

function leave() {
  face(false);
  for (const id of ["#avatar", "#name", "#mail"]) $(id).textContent = "";
  $("#answer").replaceChildren(el("p", { class: "quiet" }, "Nothing called yet."));
}

function face(inside) {
  $("#inside").hidden = !inside;
  $("#outside").hidden = inside;
  if (inside) $("#said").replaceChildren();
}

function say(words) {
  $("#said").replaceChildren(words);
}

function answer(sign, title, words) {
  const mood = sign === "check" ? "good" : "bad";
  $("#answer").replaceChildren(
    el("p", { class: `verdict strong ${mood}` }, icon(sign), el("span", {}, title)),
    el("p", { class: "quiet" }, words),
  );
}

/** One thing at a time; what goes wrong is said where the person looks. */
async function busy(act) {
  const buttons = [...document.querySelectorAll(".glass button")];
  for (const button of buttons) button.disabled = true;
  try {
    await act();
  } catch (refused) {
    if (tokens) answer("cross", "This did not work.", refused.message);
    else {
      leave();
      say(refused.message);
    }
  }
  for (const button of buttons) button.disabled = false;
  tick();
}

function tick() {
  const now = new Date();
  $("#clock").textContent = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  $("#clock").dateTime = now.toISOString();
  $("#replay").disabled ||= !tokens?.spent;
  if (!tokens) return;
  const left = Math.max(0, Math.round((tokens.ends_at - now) / 1000));
  $("#seconds").textContent = left;
  $("#life").max = tokens.life;
  $("#life").value = left;
  $("#access").textContent = middle(tokens.access, 14);
}

function note(made) {
  log = [made, ...log].slice(0, LONGEST_LOG);
  keep(LOG, log);
  showLog();
}

function forgetLog() {
  log = [];
  keep(LOG, log);
}

function showLog() {
  $("#try").hidden = log.length > 0;
  $("#log").replaceChildren(...log.map(row));
}

function row({ verb, path, why, sent, status, got }) {
  const chip = status
    ? el("span", { class: `chip ${status < 400 ? "ok" : "bad"}` }, String(status))
    : el("span", { class: "chip" }, "browser");
  const part = (title, text) => text && el("div", {}, el("p", { class: "strong" }, title), el("pre", {}, text));
  return el(
    "li",
    {},
    el(
      "details",
      {},
      el(
        "summary",
        {},
        el("span", { class: "verb" }, verb),
        el("span", { class: "path" }, path),
        chip,
        el("span", { class: "why" }, why),
      ),
      el("div", { class: "both" }, part("Sent", sent), part("Answer", got)),
    ),
  );
}

function keep(name, value) {
  sessionStorage.setItem(name, JSON.stringify(value));
}

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
