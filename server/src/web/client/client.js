// Cloakroom's helper for web apps. No token ever comes here: the browser holds one cookie that no script can read.
//
//   import { cloakroom } from "/bff/client.js";
//   const user = await cloakroom.user();          // null when nobody is signed in
//   if (!user) cloakroom.login();                 // leaves the page, and comes back to it
//   const orders = await cloakroom.fetch("/api/orders").then((answer) => answer.json());

/** The base path of this very file: /bff, or what the site's `base_path` says. */
const BASE = new URL(".", import.meta.url).pathname.replace(/\/$/, "");

/** A refusal: problem+json (RFC 9457) as an error. */
export class CloakroomError extends Error {
  constructor(response, problem) {
    super(problem.detail ?? `the answer was ${response.status}`);
    this.name = "CloakroomError";
    this.status = response.status;
    this.code = String(problem.type ?? "").split(":").pop();
    this.requestId = problem.request_id ?? null;
    this.loginUrl = problem.login_url ?? null;
    this.stepUpUrl = problem.step_up_url ?? null;
    this.problem = problem;
    this.response = response;
  }
}

const here = () => location.pathname + location.search + location.hash;

function loginUrl({ returnTo = here(), ...parameters } = {}, base = `${BASE}/login`) {
  const url = new URL(base, location.origin);
  url.searchParams.set("return_to", returnTo);
  const names = { acrValues: "acr_values", maxAge: "max_age", loginHint: "login_hint", uiLocales: "ui_locales" };
  for (const [name, value] of Object.entries(parameters)) {
    if (value != null) url.searchParams.set(names[name] ?? name, value);
  }
  return url.href;
}

async function problemOf(response) {
  if (!/\bjson\b/.test(response.headers.get("Content-Type") ?? "")) return {};
  try {
    return (await response.clone().json()) ?? {};
  } catch {
    return {};
  }
}

/** Before a page leaves for a sign-in, it may keep what was typed: see `onBeforeLeave`. */
const leaving = new Set();

function leave(url) {
  for (const keep of leaving) keep();
  location.assign(url);
  // The page is going away: whoever waits for an answer gets none.
  return new Promise(() => {});
}

async function call(path, options = {}) {
  const { signIn = false, ...init } = options;
  const headers = new Headers(init.headers);
  headers.set("X-CSRF", "1");
  if (!headers.has("Accept")) headers.set("Accept", "application/json, */*;q=0.5");
  const response = await fetch(path, { credentials: "same-origin", ...init, headers });
  if (response.status !== 401 && response.status !== 403) return response;
  const error = new CloakroomError(response, await problemOf(response));
  if (error.stepUpUrl && signIn) return leave(loginUrl({}, error.stepUpUrl));
  if (response.status === 401 && signIn) return leave(loginUrl());
  if (response.status === 401 || error.code !== "") throw error;
  return response;
}

const EVENTS = ["session", "expiring", "step-up", "ended"];

/** Opens the event stream; `tell` hears each event. Gives back what closes it. */
function stream(tell) {
  const source = new EventSource(`${BASE}/session/events`);
  for (const type of EVENTS) {
    source.addEventListener(type, (message) => {
      tell({ type, ...JSON.parse(message.data) });
      if (type === "ended") source.close();
    });
  }
  return () => source.close();
}

/**
 * Over HTTP/1.1 a browser opens six connections to a host, for all tabs together: so one tab listens, and tells the
 * others. When it is closed, the next one takes over.
 */
function listen(listener) {
  if (!navigator.locks) return stream(listener);
  const name = `cloakroom${BASE}/session/events`;
  const tabs = new BroadcastChannel(name);
  const stopped = new AbortController();
  let last = null;
  let leads = false;
  tabs.onmessage = ({ data }) => {
    if (data !== "what is it?") listener(data);
    else if (leads && last) tabs.postMessage(last);
  };
  const lead = () =>
    new Promise((resolve) => {
      leads = true;
      const close = stream((event) => {
        last = event.type === "session" ? event : last;
        listener(event);
        tabs.postMessage(event);
        if (event.type === "ended") resolve();
      });
      stopped.signal.addEventListener("abort", () => resolve(close()));
    });
  navigator.locks.request(name, { signal: stopped.signal }, lead).catch(() => {});
  tabs.postMessage("what is it?");
  return () => {
    stopped.abort();
    tabs.close();
  };
}

export const cloakroom = {
  /** Who is signed in, or `null`. `{ slide: false }` asks without making the session last longer. */
  async user({ slide = true } = {}) {
    try {
      const response = await call(`${BASE}/user${slide ? "" : "?slide=false"}`, { cache: "no-store" });
      if (!response.ok) throw new CloakroomError(response, await problemOf(response));
      return await response.json();
    } catch (error) {
      if (error instanceof CloakroomError && error.status === 401) return null;
      throw error;
    }
  },

  /** Leaves the page to sign in, and comes back to it. */
  login: (options) => leave(loginUrl(options)),

  /** Leaves the page to sign in anew: with `{ acrValues }`, `{ maxAge }`, or the `stepUpUrl` of a refusal. */
  stepUp: ({ url, ...options } = {}) => leave(loginUrl(options, url)),

  /** Signs out here and at the provider, and leaves the page. */
  async logout() {
    const response = await call(`${BASE}/logout`, { method: "POST" });
    if (!response.ok) throw new CloakroomError(response, await problemOf(response));
    return leave((await response.json()).redirect_to);
  },

  /**
   * `fetch` with the anti-forgery header. A refusal of the gateway (401, 403) is thrown as a `CloakroomError`; with
   * `{ signIn: true }` the page leaves for the sign-in or step-up that it asks for instead.
   */
  fetch: call,

  /** `listener(event)` hears `session`, `expiring`, `step-up` and `ended`; gives back what stops it. */
  onSessionEvent: (listener) => listen(listener),

  /** `keep()` runs before this helper leaves the page, so that a half-filled form is not lost. Gives back its removal. */
  onBeforeLeave(keep) {
    leaving.add(keep);
    return () => leaving.delete(keep);
  },
};

export default cloakroom;
