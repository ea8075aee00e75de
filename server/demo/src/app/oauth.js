// What any OAuth library of a phone does, written out: authorization code with PKCE (RFC 7636, RFC 8252), refresh,
// revocation (RFC 7009). Every call is told to a listener, so that it can be looked at.

/** The server said no, or nothing. `error` is OAuth's code, or empty. */
export class Refused extends Error {
  constructor(status, error, text) {
    super(text);
    this.status = status;
    this.error = error;
  }
}

let tell = () => {};

/** `listener({ verb, path, why, sent, status, got })` hears of every call. */
export function onCall(listener) {
  tell = listener;
}

/** Reads what the server says of itself (RFC 8414). */
export function discover(issuer) {
  return send("GET", `${issuer}/.well-known/oauth-authorization-server`, { why: "Where the endpoints are" });
}

/** Where the system browser goes, and what the app must remember until it comes back. */
export async function authorization(server, app) {
  const [state, verifier] = [random(), random()];
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: app.client_id,
    redirect_uri: app.redirect_uri,
    scope: app.scope,
    state,
    code_challenge: await challenge(verifier),
    code_challenge_method: "S256",
  });
  tell({ verb: "GET", path: url.pathname, why: "In the system browser", sent: shown(url.searchParams), status: 0 });
  return { url: url.href, state, verifier };
}

/** What came back to the redirect URI: the code, if it is ours (state; the issuer by RFC 9207). */
export function codeOf(params, began, server) {
  if (params.get("state") !== began.state) throw new Refused(0, "", "This answer is not to this app’s question.");
  if (params.get("iss") !== server.issuer) throw new Refused(0, "", "This answer is another server’s.");
  if (params.get("error")) {
    throw new Refused(0, params.get("error"), params.get("error_description") ?? params.get("error"));
  }
  return params.get("code");
}

export const redeem = (server, app, code, verifier) =>
  form(server.token_endpoint, "The code, once, for tokens", {
    grant_type: "authorization_code",
    client_id: app.client_id,
    redirect_uri: app.redirect_uri,
    code,
    code_verifier: verifier,
  });

export const refresh = (server, app, token, why = "A spent token for the next one") =>
  form(server.token_endpoint, why, { grant_type: "refresh_token", client_id: app.client_id, refresh_token: token });

export const revoke = (server, app, token) =>
  form(server.revocation_endpoint, "This device is signed out", { client_id: app.client_id, token });

/** A call with the access token: of the API, of userinfo. */
export const ask = (url, token, why) =>
  send("GET", url, { why, headers: { Authorization: `Bearer ${token}` } });

function form(url, why, fields) {
  const body = new URLSearchParams(fields);
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  return send("POST", url, { why, headers, body });
}

async function send(verb, url, { why, headers = {}, body }) {
  const path = new URL(url, location.href).pathname;
  const sent = body ? shown(body) : shown(Object.entries(headers));
  let response;
  try {
    // A phone has no cookies of this site.
    response = await fetch(url, { method: verb, headers, body, credentials: "omit", cache: "no-store" });
  } catch {
    tell({ verb, path, why, sent, status: 0, got: "no answer" });
    throw new Refused(0, "", "Nobody answers. Is the demo still running?");
  }
  const text = await response.text();
  let got = text;
  try {
    got = JSON.parse(text);
  } catch {
    // Not every answer is JSON.
  }
  const asked = response.headers.get("WWW-Authenticate");
  tell({ verb, path, why, sent, status: response.status, got: said(got, asked) });
  if (response.ok) return got;
  const error = got.error ?? /error="([^"]+)"/.exec(asked ?? "")?.[1] ?? "";
  throw new Refused(response.status, error, got.error_description ?? got.detail ?? `The answer was ${response.status}.`);
}

function said(got, asked) {
  const text = typeof got === "string" ? got : JSON.stringify(got, null, 2);
  return asked ? `WWW-Authenticate: ${asked}\n${text}` : text;
}

const shown = (pairs) => [...pairs].map(([name, value]) => `${name}: ${value}`).join("\n");

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function challenge(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}
