"use strict";
// Asks for this very page once more, now from a page of its own origin, #fragment and all. A second time within a few
// seconds, the browser says of its own page that it is another site's: then a person decides.
{
  const here = location.href;
  const key = "cloakroom.hop";
  const [before, at] = JSON.parse(sessionStorage.getItem(key) ?? '["", 0]');
  if (before !== here || Date.now() - at > 5000) {
    sessionStorage.setItem(key, JSON.stringify([here, Date.now()]));
    // To the same address but for its fragment, a browser would only scroll.
    history.replaceState(null, "", `?${Date.now()}`);
    location.replace(here);
  }
}
