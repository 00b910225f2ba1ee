// Builds the dashboard: one bundle, a part that is loaded when the first chart is drawn, one style
// sheet. Names carry a hash of the content, so that they may be cached for ever; only gzipped
// files are left in dist/, because the engine embeds and serves them as they are.
//
// SPDX-License-Identifier: MIT
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(here, "dist");

function leave(name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  const path = resolve(dist, `${name}.gz`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, packed);
  console.log(`${String(packed.length).padStart(8)}  ${name}`);
}

const result = await build({
  absWorkingDir: here,
  entryPoints: { main: "src/main.tsx", style: "style/index.css" },
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  metafile: true,
  write: false,
});

rmSync(dist, { recursive: true, force: true });
const names = result.outputFiles.map((file) => relative(dist, file.path));
result.outputFiles.forEach((file, i) => leave(names[i], file.contents));

const page = readFileSync(resolve(here, "index.html"), "utf8")
  .replace("{style}", `/${names.find((name) => /style-.*\.css$/.test(name))}`)
  .replace("{main}", `/${names.find((name) => /main-.*\.js$/.test(name))}`);
leave("index.html", page);
