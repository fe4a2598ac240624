// Writes the page that draws panels, with everything that it needs, into a folder: `node build.mjs FOLDER`.
import { copyFileSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

const folder = process.argv[2];
if (!folder) throw new Error("use: node build.mjs FOLDER");

// Grafana's libraries use React 18 and a version of this table that the registry does not have. The nearest one in the registry gives
// contexts their value as React 19 does.
const tableOfReact18 = {
  name: "table of React 18",
  setup: ({ onLoad }) => onLoad({ filter: /react-data-grid\/lib\/bundle\.js$/ }, ({ path }) => {
    const contents = readFileSync(path, "utf8");
    return { contents: contents.replaceAll(/(jsxs?\(\w+Context)(, \{)/g, "$1.Provider$2"), loader: "js" };
  }),
};

mkdirSync(folder, { recursive: true });
await build({
  entryPoints: ["src/page.jsx"],
  outfile: `${folder}/page.js`,
  bundle: true,
  minify: process.env.PANELS_DEBUG === undefined,
  jsx: "automatic",
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".svg": "dataurl", ".ttf": "empty" },
  plugins: [tableOfReact18],
});
copyFileSync("src/index.html", `${folder}/index.html`);
cpSync("node_modules/@grafana/ui/dist/public/img", `${folder}/public/build/img`, { recursive: true });
mkdirSync(`${folder}/public/fonts/inter`, { recursive: true });
for (const [weight, name] of [[400, "Regular"], [500, "Medium"]]) {
  copyFileSync(`node_modules/@fontsource/inter/files/inter-latin-${weight}-normal.woff2`, `${folder}/public/fonts/inter/Inter-${name}.woff2`);
}
