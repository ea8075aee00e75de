// Small means to build the page from data. Text is always set as text, never as markup.

export const $ = (selector) => document.querySelector(selector);

/** An element with attributes, listeners (`onclick: fn`) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the page's sprite; words stand beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Rows of a `<dl>`: `[name, value]`, where a value may be a node. Empty ones are left out. */
export function facts(list, rows) {
  list.replaceChildren(
    ...rows
      .filter(([, value]) => value != null && value !== "")
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

/** `3 h 5 min`, `12 min`, `40 s`. */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${Math.floor(minutes / 60)} h`;
}

/** Seconds since the epoch, or a date as text. */
export const instant = (value) => new Date(typeof value === "number" ? value * 1000 : value);

/** `now`, `12 min ago`: a `<time>` whose exact value shows on hover. */
export function ago(value) {
  const when = instant(value);
  if (Number.isNaN(when.getTime())) return null;
  const seconds = (Date.now() - when.getTime()) / 1000;
  const words = seconds < 10 ? "now" : `${span(seconds)} ago`;
  return el("time", { datetime: when.toISOString(), title: when.toLocaleString() }, words);
}

/** Clock time of an instant in this browser's zone. */
export function clock(value) {
  const when = instant(value);
  return el(
    "time",
    { datetime: when.toISOString(), title: when.toLocaleString() },
    when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  );
}

/** Cuts a long word in its middle. */
export const middle = (text, keep = 12) =>
  text.length <= keep * 2 + 1 ? text : `${text.slice(0, keep)}…${text.slice(-keep)}`;

/** A message inside a card. */
export function alertBox(text) {
  return el("p", { class: "alert" }, icon("cross"), el("span", {}, text));
}
