"use strict";
// Tells the page that made this frame what came of it; no page of another origin hears it, or may frame it.
{
  const { signedIn, error } = document.documentElement.dataset;
  const message = { source: "bff-silent-login", isLoggedIn: signedIn === "true", error: error || null };
  if (window.parent !== window) window.parent.postMessage(message, location.origin);
}
