// Before the first paint: the theme. Then: start the console, and say so when that fails or when it crashes.
(() => {
  "use strict";

  // The page's policy demands Trusted Types. Views are made from templates as HTML: let that through, but nothing
  // that could run.
  if (window.trustedTypes) {
    window.trustedTypes.createPolicy("default", {
      createHTML: (html) => {
        if (/<(script|iframe|object|embed|base|form|meta|link|style)\b|\son\w+\s*=|javascript:/i.test(html)) {
          throw new TypeError("refused as HTML");
        }
        return html;
      },
    });
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    let choice = null;
    try {
      choice = localStorage.getItem("cloakroom.theme");
    } catch {
      // No storage: the system decides.
    }
    const theme = choice === "light" || choice === "dark" ? choice : dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
  };
  paint();
  dark.addEventListener("change", paint);
  window.addEventListener("storage", paint);
  window.addEventListener("cloakroom:theme", paint);

  let over = false;
  const say = (title, text) => {
    const boot = document.getElementById("boot");
    if (!boot || over) return;
    over = true;
    document.getElementById("app").hidden = true;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    boot.hidden = false;
    document.getElementById("boot-title").textContent = title;
    const words = document.getElementById("boot-text");
    words.textContent = text;
    words.hidden = false;
    const reload = document.getElementById("boot-reload");
    reload.hidden = false;
    reload.addEventListener("click", () => location.reload());
    reload.focus();
  };
  window.addEventListener("cloakroom:crash", () =>
    say("The console stopped", "Something in this page went wrong; the gateway goes on. Reload to continue. The browser’s log has the details."),
  );

  // Nothing of the page is kept for Back: what the browser froze is hidden, and loaded anew when it thaws.
  window.addEventListener("pagehide", () => {
    document.getElementById("app").hidden = true;
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // A sign-out in one tab empties the others.
  const signedOut = new BroadcastChannel("cloakroom.signed-out");
  signedOut.addEventListener("message", () => {
    document.getElementById("app").hidden = true;
    // By then the other tab's request is answered.
    setTimeout(() => location.reload(), 1000);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("a[href^='/bff/logout']")) signedOut.postMessage(true);
  });

  document.addEventListener("DOMContentLoaded", async () => {
    try {
      const loader = await import("/admin/@JS@");
      await loader.default({ module_or_path: "/admin/@WASM@" });
      if (!over) document.getElementById("boot").hidden = true;
    } catch (error) {
      console.error(error);
      const reason = typeof WebAssembly === "object" ? "The network or the gateway may be away." : "This browser has no WebAssembly.";
      say("The console did not load", `${reason} Reload to try again.`);
    }
  });
})();
