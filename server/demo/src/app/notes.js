// A call that changes something, with and without the anti-forgery header.

import { $, el } from "./dom.js";
import { call } from "./gateway.js";

const path = "/api/notes";

/** Wires the form up. */
export function startNotes() {
  $("#note-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = $("#note-text");
    try {
      await call(path, { method: "POST", json: { text: field.value } });
      field.value = "";
      result("good", "Added: the header was there and the API knew you.");
      await showNotes();
    } catch (problem) {
      result("bad", problem.message);
    }
  });
  $("#forge").addEventListener("click", async () => {
    try {
      await call(path, { method: "POST", json: { text: "forged" }, csrf: false });
      result("bad", "It was accepted, which must not happen.");
      await showNotes();
    } catch (problem) {
      if (problem.status === 403) {
        result("good", `Refused with 403, as it should be. ${problem.message}`);
      } else if (problem.status !== 401) {
        result("bad", problem.message);
      }
    }
  });
}

/** Reads the list anew. */
export async function showNotes() {
  try {
    const { items } = await call(path);
    $("#notes").replaceChildren(...items.map((note) => el("li", {}, note.text)));
  } catch (problem) {
    if (problem.status !== 401) result("bad", problem.message);
  }
}

/** For the next person. */
export function forgetNotes() {
  $("#notes").replaceChildren();
  $("#note-form").reset();
  result("", "");
}

function result(kind, text) {
  $("#note-result").className = `result ${kind}`;
  $("#note-result").textContent = text;
}
