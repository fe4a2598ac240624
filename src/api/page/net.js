// The service's API and its stream of changes.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { ...options, signal: AbortSignal.timeout(20000) });
  } catch (cause) {
    throw new ApiError(0, cause.message);
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new ApiError(response.ok ? 502 : response.status, body?.detail ?? body?.title ?? response.statusText);
}

export function get(path, query = {}) {
  const wanted = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const text = new URLSearchParams(wanted).toString();
  return request(text ? `${path}?${text}` : path);
}

export const post = (path, body) =>
  request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const del = (path) => request(path, { method: "DELETE" });

const EVENTS = ["windows", "vintages", "alert", "status"];
const BACKOFF_MAX_MS = 30000;

/**
 * Follows /stream for as long as the page lives. `onEvent(name, data)`; `onState("live" | "connecting" |
 * "waiting", seconds)`. Reconnects by itself: EventSource gives up for good after an HTTP error.
 */
export function follow(onEvent, onState) {
  let wait = 1000;
  function connect() {
    onState("connecting");
    const source = new EventSource("/api/v1/stream");
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
      // A little chance, so that a room full of pages does not come back at once.
      const pause = wait * (0.75 + Math.random() / 2);
      wait = Math.min(wait * 2, BACKOFF_MAX_MS);
      onState("waiting", Math.max(1, Math.round(pause / 1000)));
      setTimeout(connect, pause);
    };
  }
  connect();
}

/** Calls `run` soon, but never twice within `gap` milliseconds nor while it is still running. */
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
  function ask() {
    if (timer === null) timer = setTimeout(go, Math.max(0, last + gap - performance.now()));
  }
  return ask;
}
