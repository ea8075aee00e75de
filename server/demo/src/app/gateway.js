// Every call goes to this page's own origin. The browser adds the cookie, which no script can read;
// the header X-CSRF shows that the call comes from here. That is all a web app has to know.

/** An answer that is not a success (problem+json, RFC 9457), or no answer at all (status 0). */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(sentence(detail || title || `the answer was ${status}`));
    this.status = status;
    this.title = title;
  }
}

/** Details of problems are half sentences: they may be put into another one. */
function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

let refused = () => {};

/** `listener` hears of every 401: the session may have ended. */
export function onRefused(listener) {
  refused = listener;
}

/**
 * Calls the gateway and reads JSON.
 * `csrf: false` leaves the anti-forgery header out, to show what happens then.
 * `expected: true` means that a 401 is an answer like any other.
 */
export async function call(path, { method = "GET", json, csrf = true, expected = false } = {}) {
  const headers = { Accept: "application/json" };
  if (csrf) headers["X-CSRF"] = "1";
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  let response;
  try {
    response = await fetch(path, { method, headers, body, cache: "no-store" });
  } catch {
    throw new Problem(0, "No answer", "The gateway does not answer. Is the demo still running?");
  }
  const content = await read(response);
  if (response.ok) return content;
  const problem = new Problem(response.status, content?.title, content?.detail);
  if (response.status === 401 && !expected) refused(problem);
  throw problem;
}

async function read(response) {
  if (!/\bjson\b/.test(response.headers.get("Content-Type") ?? "")) return null;
  try {
    return await response.json();
  } catch {
    return null;
  }
}
