// What the first page and the phone cost: everything that index.html and the phone pull in, gzipped, must stay small.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 250_000;
const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const weight = (path) => gzipSync(readFileSync(path), { level: 9 }).length;

const assets = readdirSync(join(dist, "assets")).filter((name) => /\.(js|css)$/.test(name));
// The words of one language are read, not of both: count the larger.
const words = assets.filter((name) => /^(en|zh-CN)-/.test(name)).map((name) => weight(join(dist, "assets", name)));
const rest = assets.filter((name) => !/^(en|zh-CN)-/.test(name)).map((name) => [name, weight(join(dist, "assets", name))]);
const console_ = rest.reduce((sum, [, bytes]) => sum + bytes, 0) + Math.max(0, ...words);
const plugin = weight(join(dist, "phone.js"));
console.log(`console with every page and the phone: ${console_} bytes gzipped; phone.js: ${plugin}; budget ${BUDGET}`);
if (console_ > BUDGET || plugin > BUDGET) {
  for (const [name, bytes] of rest.sort((a, b) => b[1] - a[1])) console.error(`  ${bytes}\t${name}`);
  console.error("Too heavy: load what few people need only when they need it, or do without.");
  process.exit(1);
}
