// The service's API and its stream of changes. Both answer in the page's language.
import { setText } from "./dom.js";
import { langCode, t } from "./i18n.js";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The path of this service, with a `/` at its end: it may lie below a proxy's prefix. */
export const BASE = new URL("..", import.meta.url).pathname;

async function request(path, options = {}, links = []) {
  const response = await answer(path, options, links);
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new ApiError(response.ok ? 502 : response.status, body?.detail ?? body?.title ?? response.statusText);
}

/** The response; `links` gets the query of the next page. */
async function answer(path, options, links) {
  let response;
  const headers = { ...options.headers, "accept-language": langCode() };
  try {
    response = await fetch(`${BASE}api/v1${path}`, { ...options, headers, signal: AbortSignal.timeout(20000) });
  } catch (cause) {
    throw new ApiError(0, cause.message);
  }
  if (response.status === 401) location.assign(`${BASE}login`);
  const next = /<[^>?]*\?([^>]*)>; *rel="next"/.exec(response.headers.get("link") ?? "");
  if (next) links.push(next[1]);
  return response;
}

function queryOf(query) {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value != null && value !== "")).toString();
}

/** A list as CSV: the text of each of its pages. With a limit only the first one. */
export async function getCsv(path, query) {
  const pages = [];
  const links = [queryOf(query)];
  while (links.length) {
    const response = await answer(`${path}?${links.pop()}`, { headers: { accept: "text/csv" } }, links);
    if (!response.ok) {
      const problem = await response.json().catch(() => null);
      throw new ApiError(response.status, problem?.detail ?? response.statusText);
    }
    pages.push(await response.text());
    if (query.limit != null) break;
  }
  return pages;
}

/** The answer; of a list all pages, unless the query limits it. */
export async function get(path, query = {}) {
  const text = queryOf(query);
  const links = [];
  const found = await request(text ? `${path}?${text}` : path, {}, links);
  if (query.limit != null || !Array.isArray(found)) return found;
  let rows = found;
  while (links.length) {
    const more = await request(`${path}?${links.pop()}`, {}, links);
    rows = rows.concat(more);
  }
  return rows;
}

export const post = (path, body) =>
  request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const put = (path, body, kind) => request(path, { method: "PUT", headers: { "content-type": kind }, body });

export const del = (path) => request(path, { method: "DELETE" });

const FAULTS = { 0: "network", 401: "sign_in", 403: "forbidden", 404: "missing", 409: "conflict", 429: "busy", 502: "busy", 503: "busy", 504: "busy" };
/** Kinds of failure whose detail helps the reader. */
const DETAILED = ["input", "conflict", "internal"];

/** Shows in `node` why a request failed. The API's details are English: in other languages they are only a tooltip. */
export function sayFault(node, { status, message }) {
  const kind = FAULTS[status] ?? (status < 500 ? "input" : "internal");
  const text = t(`fault_${kind}`, { status });
  setText(node, langCode() === "en" && DETAILED.includes(kind) ? `${text} (${message})` : text);
  node.title = message;
}

const EVENTS = ["windows", "vintages", "alert", "status"];
const BACKOFF_MAX_MS = 30000;

/**
 * Follows /stream for as long as the page lives. `onEvent(name, data)`; `onState("live" | "connecting" |
 * "waiting", seconds)`. Reconnects by itself: EventSource gives up for good after an HTTP error. Returns a function that
 * connects anew, for another language.
 */
export function follow(onEvent, onState) {
  let wait = 1000;
  let source = null;
  let timer = null;
  function connect() {
    source?.close();
    clearTimeout(timer);
    onState("connecting");
    source = new EventSource(`${BASE}api/v1/stream?language=${langCode()}`);
    source.onopen = () => {
      wait = 1000;
      onState("live");
    };
    for (const name of EVENTS) {
      source.addEventListener(name, (message) => {
        try {
          onEvent(name, JSON.parse(message.data));
        } catch {
          onEvent(name, null);
        }
      });
    }
    source.onerror = () => {
      source.close();
      // A random part, so that many pages do not reconnect at the same time.
      const pause = wait * (0.75 + Math.random() / 2);
      wait = Math.min(wait * 2, BACKOFF_MAX_MS);
      onState("waiting", Math.max(1, Math.round(pause / 1000)));
      timer = setTimeout(connect, pause);
    };
  }
  connect();
  return connect;
}

/**
 * Calls `run` soon, but never twice within `gap` milliseconds nor while it is still running. With `now`, the gap since the
 * last run does not count.
 */
export function throttled(run, gap) {
  let last = -Infinity;
  let timer = null;
  let busy = false;
  let again = false;
  async function go() {
    timer = null;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    last = performance.now();
    try {
      await run();
    } finally {
      busy = false;
      if (again) {
        again = false;
        ask();
      }
    }
  }
  function ask({ now = false } = {}) {
    if (now) {
      clearTimeout(timer);
      timer = null;
      last = -Infinity;
    }
    if (timer === null) timer = setTimeout(go, Math.max(0, last + gap - performance.now()));
  }
  return ask;
}
