// The service's clock. In the demo it runs fast, so the browser's own clock means nothing here.

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

/** The zone of a region; of the whole service where a roll-up spans regions of one zone, else UTC. */
export function zoneOf(region) {
  const regions = state.status?.regions ?? {};
  if (regions[region]) return regions[region];
  const zones = new Set(Object.values(regions));
  return zones.size === 1 ? [...zones][0] : "UTC";
}
