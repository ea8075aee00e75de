// Calling the sample API and reading what arrived there: the headers, and which token it was.

import { $, alertBox, el, icon, middle } from "./dom.js";
import { call } from "./gateway.js";

const EVERY_MS = 5000;
const LONG = 60;
/** Headers that a gateway sets on the way. */
const GATEWAYS = /^(forwarded|x-forwarded-.*|x-request-id|traceparent|tracestate|via|host)$/;

let calls = 0;
let refreshes = 0;
/** The token of the last call: its `jti`, and when it ends on this page's clock. */
let token = null;
let timer = 0;
let busy = false;

/** Wires the card up. */
export function startCalling() {
  $("#call").addEventListener("click", once);
  $("#keep-calling").addEventListener("change", (event) => {
    clearInterval(timer);
    if (!event.target.checked) return;
    timer = setInterval(once, EVERY_MS);
    once();
  });
  setInterval(tick, 1000);
}

/** Back to the beginning, when a session ends or another one starts. */
export function forgetCalls() {
  clearInterval(timer);
  calls = refreshes = 0;
  token = null;
  $("#keep-calling").checked = false;
  $("#arrived").hidden = true;
  $("#verdicts").replaceChildren();
  $("#call-error").replaceChildren();
  $("#refresh-note").textContent =
    "A refresh shows when two calls arrive with different tokens.";
  count();
  tick();
}

async function once() {
  if (busy) return;
  busy = true;
  try {
    pulse();
    const echo = await call("/api/echo");
    calls += 1;
    $("#call-error").replaceChildren();
    notice(echo.token ?? {});
    showVerdicts(echo);
    showRequest(echo);
  } catch (problem) {
    // A 401 has already turned the page to its signed-out face.
    if (problem.status !== 401) $("#call-error").replaceChildren(alertBox(problem.message));
  } finally {
    busy = false;
    count();
  }
}

/** A new `jti` under an unchanged session: the gateway has refreshed on its own. */
function notice(arrived) {
  if (!arrived.valid) return;
  if (token && token.jti !== arrived.jti) {
    refreshes += 1;
    const left = Math.max(0, Math.round((token.endsAt - performance.now()) / 1000));
    const time = new Date().toLocaleTimeString();
    $("#refresh-note").replaceChildren(
      el("span", { class: "fresh" }, icon("refresh"), `Refreshed by itself at ${time}`),
      ` The one before had ${left} s left. This page did nothing.`,
    );
  }
  token = { jti: arrived.jti, endsAt: performance.now() + arrived.expires_in * 1000 };
  tick();
}

function showVerdicts({ headers, token: arrived }) {
  const verdict = (good, yes, no) =>
    el("li", { class: good ? "good" : "bad" }, icon(good ? "check" : "cross"), el("span", {}, good ? yes : no));
  $("#verdicts").replaceChildren(
    verdict(
      arrived?.valid,
      "The access token was attached. This page never had it.",
      `The API found no valid token: ${arrived?.reason ?? "none arrived"}.`,
    ),
    verdict(
      !("cookie" in headers),
      "Your cookie was not passed on. It stops at Cloakroom.",
      "A cookie reached the API, which must not happen.",
    ),
  );
}

function showRequest({ method, path, query, headers }) {
  $("#request-line").textContent = `${method} ${path}${query ? `?${query}` : ""}`;
  const { authorization, cookie, ...others } = headers;
  const rest = Object.entries(others).sort(([a], [b]) => a.localeCompare(b));
  const gateways = rest.filter(([name]) => GATEWAYS.test(name));
  const browsers = rest.filter(([name]) => !GATEWAYS.test(name));
  showHeaders($("#headers"), [["authorization", authorization], ["cookie", cookie], ...gateways]);
  showHeaders($("#more-headers"), browsers);
  $("#more-name").textContent = `${browsers.length} more headers, from your browser`;
  $("#arrived").hidden = false;
}

/** Rows that did not change stay as they are: whoever reads or focuses one is not disturbed. */
function showHeaders(list, headers) {
  const before = new Map(Array.from(list.children, (row) => [row.dataset.header, row]));
  const rows = headers.map(([name, value]) => {
    const text = value === undefined ? "" : [value].flat().join(", ");
    const old = before.get(name);
    return old?.dataset.text === text ? old : headerRow(name, text);
  });
  rows.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
  while (list.children.length > rows.length) list.lastElementChild.remove();
}

function headerRow(name, text) {
  const token = name === "authorization" && text;
  const kind = text ? (token ? "token" : false) : "absent";
  return el(
    "div",
    { class: kind, "data-header": name, "data-text": text },
    el("dt", {}, name),
    el(
      "dd",
      {},
      text ? (text.length > LONG ? folded(name, text) : text) : "did not arrive",
      token ? el("span", { class: "chip accent" }, "added by Cloakroom") : null,
    ),
  );
}

/** A long value, cut until somebody wants it whole. */
function folded(name, text) {
  const shown = el("span", {}, middle(text, 22));
  const verb = el("span", {}, "show all");
  const button = el(
    "button",
    { type: "button", class: "text", "aria-expanded": "false" },
    verb,
    el("span", { class: "unseen" }, ` of the header ${name}`),
  );
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    verb.textContent = open ? "show less" : "show all";
    shown.textContent = open ? text : middle(text, 22);
  });
  return el("span", {}, shown, " ", button);
}

function count() {
  $("#calls").textContent = calls;
  $("#refreshes").textContent = refreshes;
}

function tick() {
  const left = token ? Math.max(0, Math.ceil((token.endsAt - performance.now()) / 1000)) : null;
  $("#seconds").textContent = left ?? "–";
  $("#life").value = left ?? 0;
}

/** One look at the way of a call, in the drawing. */
function pulse() {
  const flow = $("#flow");
  flow.classList.remove("pulse");
  // Reading a measure makes the browser see the class gone, so that the animation starts anew.
  void flow.offsetWidth;
  flow.classList.add("pulse");
}
