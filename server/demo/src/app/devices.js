// "My devices": the sessions of this person, as the gateway lists them.

import { $, ago, el, icon } from "./dom.js";
import { call } from "./gateway.js";

const path = "/bff/sessions";

/** Wires the card up. */
export function startDevices() {
  $("#end-others").addEventListener("click", () =>
    act(() => call(`${path}/revoke-others`, { method: "POST" }), "All other sessions are ended."),
  );
}

/** Reads the list anew. */
export async function showDevices() {
  try {
    const { items } = await call(path);
    items.sort((a, b) => Number(b.current) - Number(a.current));
    $("#devices").replaceChildren(...items.map(row));
    $("#end-others").hidden = items.every((item) => item.current);
  } catch (problem) {
    if (problem.status !== 401) say(problem.message);
  }
}

/** For the next person. */
export function forgetDevices() {
  $("#devices").replaceChildren();
  $("#end-others").hidden = true;
  say("");
}

function row(item) {
  const device = item.device || "Unknown device";
  const seen = item.current ? null : ago(item.last_seen_at);
  const began = ago(item.created_at);
  return el(
    "li",
    { class: "device", "data-session": item.id },
    icon("device"),
    el(
      "div",
      { class: "grow" },
      el("p", { class: "strong" }, el("bdi", {}, device)),
      el(
        "p",
        { class: "quiet pair" },
        item.address ? el("span", {}, item.address) : null,
        seen ? el("span", {}, "seen ", seen) : el("span", {}, "since ", began ?? "–"),
      ),
    ),
    item.current
      ? el("span", { class: "chip ok" }, "this one")
      : el(
          "button",
          {
            type: "button",
            class: "button small",
            "aria-label": `End the session on ${device}`,
            onclick: () =>
              act(
                () => call(`${path}/${encodeURIComponent(item.id)}`, { method: "DELETE" }),
                "The session is ended.",
              ),
          },
          "End",
        ),
  );
}

async function act(deed, done) {
  try {
    await deed();
    say(done);
  } catch (problem) {
    if (problem.status === 401) return;
    say(problem.message);
  }
  await showDevices();
  // The button that was pressed is gone with its row.
  if (document.activeElement === document.body) $("#title").focus({ preventScroll: true });
}

function say(text) {
  $("#devices-note").textContent = text;
}
