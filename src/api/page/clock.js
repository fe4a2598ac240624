// The service's clock. It runs fast in the demo, so the page does not use the browser's clock.
import { recall, remember } from "./dom.js";
import { hm as plain, offset, zoneShift } from "./i18n.js";

const state = { status: null, at: 0, viewers: recall("zone") === "viewer" };

export function take(status) {
  state.status = status;
  state.at = performance.now();
}

export const status = () => state.status;

/** The service's time in milliseconds since the epoch. Before the first status it is the browser's time. */
export function now() {
  if (!state.status) return Date.now();
  const speed = state.status.speed || 1;
  // While history is being read, the clock does not run at `speed`.
  const passed = state.status.catching_up == null ? (performance.now() - state.at) * speed : 0;
  const stops = state.status.stops_at ? Date.parse(state.status.stops_at) : Infinity;
  return Math.min(Date.parse(state.status.now) + passed, stops);
}

/** Whether times are shown in the viewer's zone, and no longer in that of each region. */
export const isViewers = () => state.viewers;
export function setViewers(yes) {
  state.viewers = yes;
  remember("zone", yes ? "viewer" : "region");
}
const viewers = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

/** The zone in which times of a region are shown. For several regions: the zone that most of them have. */
export function zoneOf(region, known = null) {
  if (isViewers()) return viewers();
  if (known) return known;
  const regions = state.status?.regions ?? {};
  const usual = state.status?.time_zone ?? "UTC";
  if (region !== "_all") return regions[region] ?? usual;
  const count = new Map();
  for (const zone of Object.values(regions)) count.set(zone, (count.get(zone) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? usual;
}

/** Time of day (or the result of `format`) in `zone`, with its offset from UTC if this differs from the header's. */
export function hm(at, zone, format = plain) {
  const when = Date.parse(at);
  const same = offset(when, zone) === offset(when, zoneOf("_all"));
  return same ? format(at, zone) : `${format(at, zone)} ${zoneShift(zone, when)}`;
}
