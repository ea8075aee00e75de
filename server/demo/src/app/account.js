// Who is signed in, as /bff/user tells it: claims, never tokens.

import { $, clock, el, facts, middle, span } from "./dom.js";

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

/** The name to greet a person with. */
export const nameOf = (user) =>
  user.claims?.name ?? user.claims?.preferred_username ?? user.claims?.email ?? user.sub;

/** Fills the card. */
export function showAccount(user) {
  const claims = user.claims ?? {};
  const session = user.session ?? {};
  const name = nameOf(user);
  $("#avatar").textContent = Array.from(name)[0]?.toUpperCase() ?? "?";
  $("#name").textContent = name;
  $("#mail").textContent = claims.email ?? user.sub;
  const roles = list(claims.roles);
  $("#roles").replaceChildren(
    ...(roles.length ? roles : ["no role"]).map((role) => el("span", { class: "chip" }, role)),
  );
  facts($("#session"), [
    ["Session", session.id && el("span", { class: "mono", title: session.id }, middle(session.id, 8))],
    ["Signed in", session.auth_time && clock(session.auth_time)],
    ["By", list(session.amr).join(", ").replace("pwd", "password")],
    ["Ends in", session.expires_in != null ? span(session.expires_in) : null],
    ["Idle limit", session.idle_expires_in != null ? span(session.idle_expires_in) : null],
  ]);
  facts(
    $("#claims"),
    Object.entries({ sub: user.sub, ...claims }).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
