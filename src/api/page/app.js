// Boots the page: header, routes, live updates. Views live in overview.js, series.js, staffing.js and accuracy.js.
import { urgent } from "./alerts.js";
import { accuracy } from "./accuracy.js";
import * as clock from "./clock.js";
import { recall, remember, setText } from "./dom.js";
import { hm, hms, joined, lang, langCode, percent, setLang, t, translatePage, zoneLabel } from "./i18n.js";
import { BASE, follow, get, sayFault, throttled } from "./net.js";
import { forgetTexts, home, overview } from "./overview.js";
import { series } from "./series.js";
import { staffing } from "./staffing.js";

const REFRESH_GAP_MS = 2000;
const RETRY_MS = 5000;
const $ = (id) => document.getElementById(id);
const page = { view: null, route: null, loadedAt: null, conn: ["connecting"], known: null, retry: null, reconnect: null };

function parse(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  if (parts[0] === "series" && parts.length === 4) {
    return { make: series, id: path, args: { region: parts[1], service: parts[2], channel: parts[3] }, more: new URLSearchParams(query) };
  }
  if (parts[0] === "alerts" && parts.length === 2) return { make: overview, id: path, args: new URLSearchParams(query), more: parts[1] };
  if (parts[0] === "staffing" && parts.length === 1) return { make: staffing, id: path, args: new URLSearchParams(query) };
  if (parts[0] === "accuracy" && parts.length === 1) return { make: accuracy, id: path };
  return { make: overview, id: "/", args: new URLSearchParams(query) };
}

function show({ focus }) {
  const route = parse(location.hash);
  page.view?.close?.();
  const main = $("main");
  main.replaceChildren();
  page.route = route;
  page.view = route.make(main, route.args, route.more);
  page.view.render();
  setTitle();
  for (const link of document.querySelectorAll("#views a")) {
    const here = link.getAttribute("href") === (route.id === "/" ? "#/" : `#${route.id}`);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (focus) {
    page.view.focus?.();
    if (route.make !== overview) window.scrollTo(0, 0);
  }
  refresh({ now: true });
}

function setTitle() {
  const open = urgent(page.known ?? []).length;
  document.title = `${open ? `(${open}) ` : ""}${page.view.title()} – surgecast`;
}

async function load() {
  const view = page.view;
  try {
    clock.take(await get("/status"));
    const alerts = await get("/alerts", { open: true, limit: 200 });
    // The view or the language may have changed while the request ran.
    if (view !== page.view) return;
    notice(alerts);
    await view.load(alerts);
    page.loadedAt = clock.now();
    banner(null);
  } catch (error) {
    banner(error);
    clearTimeout(page.retry);
    page.retry = setTimeout(refresh, RETRY_MS);
  }
  header();
  if (view === page.view) view.render();
  setTitle();
}

const refresh = throttled(load, REFRESH_GAP_MS);

/** Announces new alerts to screen readers. */
function notice(alerts) {
  const fresh = page.known && urgent(alerts).filter((a) => !page.known.some((k) => k.id === a.id && k.state === "firing"));
  if (fresh?.length) $("live").textContent = joined("sentence", fresh.map((a) => t("new_alert", { title: a.title })));
  page.known = alerts;
}

function banner(error) {
  const node = $("banner");
  node.hidden = !error;
  if (!error) return;
  if (error.status) return sayFault(node, error);
  const at = page.loadedAt && hm(page.loadedAt, clock.zoneOf("_all"));
  setText(node, at ? t("error_down", { at }) : t("error_down_first"));
}

function header() {
  const status = clock.status();
  if (!status) return;
  const zone = clock.zoneOf("_all");
  setText($("zone"), zoneLabel(zone, clock.now()));
  $("mode").hidden = status.mode !== "demo";
  setText($("mode"), t("demo", { speed: status.speed }));
  $("mode").title = t("demo_title", { speed: status.speed });
  const upto = status.settled_upto && { at: hm(status.settled_upto, zone) };
  setText($("settled"), upto ? t("settled", upto) : "");
  $("settled").title = upto ? t("settled_title", upto) : "";
  $("catching").hidden = status.catching_up == null;
  if (status.catching_up != null) {
    $("catch-bar").value = status.catching_up;
    setText($("catch-text"), t("catching", { share: percent(status.catching_up) }));
  }
  for (const id of ["weekly", "full"]) $(id).href = `${BASE}api/v1/reports/${id}?language=${langCode()}`;
  setText($("version"), t("version", { version: status.version }));
}

function tick() {
  const at = clock.now();
  if (clock.status()) {
    const text = hms(at, clock.zoneOf("_all"));
    if ($("clock").textContent !== text) {
      $("clock").textContent = text;
      $("clock").dateTime = new Date(at).toISOString();
    }
  }
}

function connection(state, seconds) {
  page.conn = [state, seconds];
  const node = $("conn");
  node.dataset.state = state;
  setText(node, t(`conn_${state}`, { s: seconds }));
  if (state === "live") refresh();
}

function onEvent(name, data) {
  if (name === "status" && data) {
    clock.take(data);
    header();
    // A heartbeat of the clock brings no new figures, except while history is being read.
    if (data.catching_up == null) return;
  }
  if (name === "windows" && data && clock.status()) {
    clock.status().settled_upto = data.settled_upto;
    header();
  }
  if (!document.hidden) refresh();
}

function texts() {
  translatePage();
  setText($("lang"), t("other_lang"));
  $("lang").lang = lang() === "en" ? "zh-Hans" : "en";
  $("lang").setAttribute("aria-label", t("other_lang_label"));
  header();
  connection(...page.conn);
}

/** A menu of the header closes when something else is chosen; Escape returns to it. */
function closes(menu) {
  addEventListener("click", (event) => {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  });
  addEventListener("focusin", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault(); // Escape alone leads to the overview
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

/** Times in the zone of each region, or in the viewer's: everything is drawn anew. */
function setZone(mode) {
  clock.setViewers(mode === "viewer");
  header();
  show({ focus: false });
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme);
  page.view?.restyle?.();
}

/** Paper is white: a dark page prints in light colours. */
function print(begins) {
  const root = document.documentElement;
  if (begins) {
    root.dataset.printed = root.dataset.theme ?? "auto";
    root.dataset.theme = "light";
  } else {
    if (root.dataset.printed === "auto") delete root.dataset.theme;
    else root.dataset.theme = root.dataset.printed;
    delete root.dataset.printed;
  }
  page.view?.restyle?.();
}

function boot() {
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  $("zones").value = clock.isViewers() ? "viewer" : "region";
  $("zones").addEventListener("change", () => setZone($("zones").value));
  $("theme").value = recall("theme") ?? "auto";
  $("theme").addEventListener("change", () => setTheme($("theme").value));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.view?.restyle?.());
  $("lang").addEventListener("click", () => {
    setLang(lang() === "en" ? "zh-Hans" : "en");
    texts();
    forgetTexts();
    show({ focus: false });
    page.reconnect();
  });
  document.querySelectorAll(".menu").forEach(closes);
  $("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the hash is for routes
    $("main").focus();
  });
  addEventListener("hashchange", () => show({ focus: true }));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && page.route.make !== overview) location.hash = home();
  });
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  texts();
  show({ focus: false });
  page.reconnect = follow(onEvent, connection);
  setInterval(tick, 250);
}

boot();
