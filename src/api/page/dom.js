// Builds and updates elements. Data is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "text") node.textContent = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

/** An element: `h("a", {href, text, onclick}, child, …)`. */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Sets text only if it differs, so that live regions stay silent and selections stay. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for text with `code` in backticks. */
export function setCoded(node, text) {
  if (node.textContent === text.replaceAll("`", "")) return;
  node.replaceChildren(...text.split("`").map((part, i) => (i % 2 ? h("code", { text: part }) : part)));
}

/**
 * Makes `parent` hold one child per item, in order, and keeps the child (and focus) of an item that stays.
 * `make(item)` returns an element with an `update(item)` property.
 */
export function keyed(parent, items, keyOf, make) {
  const focused = document.activeElement;
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, i) => {
    const key = keyOf(item);
    let node = old.get(key);
    if (node) old.delete(key);
    else {
      node = make(item);
      node.dataset.key = key;
    }
    node.update(item);
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
  for (const node of old.values()) node.remove();
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

export function remember(key, value) {
  try {
    localStorage.setItem(`surgecast.${key}`, value);
  } catch {
    // Private windows may refuse. The choice then lasts as long as the page.
  }
}

export function recall(key) {
  try {
    return localStorage.getItem(`surgecast.${key}`);
  } catch {
    return null;
  }
}
