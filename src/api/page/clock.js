// The service's clock. In the demo it runs fast, so the browser's own clock means nothing here.
import { hm as plain, offset, zoneShift } from "./i18n.js";

const state = { status: null, at: 0 };

export function take(status) {
  state.status = status;
  state.at = performance.now();
}

export const status = () => state.status;

/** The service's now, milliseconds since the epoch; the browser's until the first status arrives. */
export function now() {
  if (!state.status) return Date.now();
  const speed = state.status.speed || 1;
  // While history is caught up the clock's pace means nothing yet.
  const passed = state.status.catching_up == null ? (performance.now() - state.at) * speed : 0;
  return Date.parse(state.status.now) + passed;
}

/** The zone of a region; for what spans regions, the zone that most of them share. */
export function zoneOf(region) {
  const regions = state.status?.regions ?? {};
  if (regions[region]) return regions[region];
  const count = new Map();
  for (const zone of Object.values(regions)) count.set(zone, (count.get(zone) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? "UTC";
}

/** Time of day (or what `format` makes) in `zone`, with its shift from UTC where that is not the header's. */
export function hm(at, zone, format = plain) {
  const when = Date.parse(at);
  const same = offset(when, zone) === offset(when, zoneOf("_all"));
  return same ? format(at, zone) : `${format(at, zone)} ${zoneShift(zone, when)}`;
}
