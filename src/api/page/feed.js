// Events that were rejected, or counted as `unknown`: for those who operate the feeds.
import { h, setCoded, setText } from "./dom.js";
import { joined, num, t } from "./i18n.js";

const total = (counts) => Object.values(counts ?? {}).reduce((sum, n) => sum + n, 0);
const listed = (counts, prefix) => joined("list", Object.entries(counts ?? {})
  .filter(([, n]) => n > 0)
  .map(([key, n]) => t("feed_count", { what: t(`${prefix}_${key}`), n: num(n) })));

/** Hidden while there are none. `update(status)` takes the answer of `/status`. */
export function feed() {
  const rejected = h("p");
  const unmapped = h("p");
  const help = h("p", { class: "muted" });
  const node = h("section", { "aria-labelledby": "feed", hidden: true }, h("h2", { id: "feed", text: t("feed") }), rejected, unmapped, help);
  node.update = (status) => {
    const [lost, nowhere] = [total(status?.dead_letters), total(status?.unmapped)];
    node.hidden = lost + nowhere === 0;
    rejected.hidden = lost === 0;
    unmapped.hidden = nowhere === 0;
    setText(rejected, t("feed_rejected", { n: lost, list: listed(status?.dead_letters, "reason") }));
    setCoded(unmapped, t("feed_unmapped", { list: listed(status?.unmapped, "without") }));
    setCoded(help, t("feed_help"));
  };
  return node;
}
