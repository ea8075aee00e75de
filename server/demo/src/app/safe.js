// A call that asks for more than a password: the gateway refuses it, says what would help, and the page steps up.

import { CloakroomError, cloakroom } from "/bff/client.js";
import { $, alertBox, el, icon } from "./dom.js";

const PATH = "/api/safe";
/** The page comes back here after the step-up, and opens the safe at once. */
const OPEN = "#safe";

/** Wires the card up. */
export function startSafe() {
  $("#open-safe").addEventListener("click", open);
}

/** After a sign-in: the person who left to confirm wants to see what is inside. */
export function showSafe() {
  if (location.hash !== OPEN) return;
  history.replaceState(null, "", location.pathname + location.search);
  open();
}

/** Shut again, when a session ends or another one starts. */
export function forgetSafe() {
  $("#safe").replaceChildren();
}

async function open() {
  try {
    const answer = await cloakroom.fetch(PATH);
    if (!answer.ok) throw new Error(`The API answered ${answer.status}.`);
    const { words } = await answer.json();
    $("#safe").replaceChildren(el("p", { class: "good" }, icon("check"), el("span", {}, words)));
  } catch (error) {
    if (error instanceof CloakroomError && error.stepUpUrl) ask(error);
    else $("#safe").replaceChildren(alertBox(error.message));
  }
}

function ask(refusal) {
  const confirm = () => cloakroom.stepUp({ url: refusal.stepUpUrl, returnTo: `/${OPEN}` });
  $("#safe").replaceChildren(
    el("p", {}, "Your password is not enough for this. The gateway refused the call and said what would help."),
    el("button", { id: "step-up", class: "button primary", type: "button", onclick: confirm }, "Confirm with a one-time code"),
  );
}
