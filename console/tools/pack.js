// After a build: writes each text file compressed beside itself, and refuses a bundle that is too heavy.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Bytes of script and style, gzipped, of the console with every page and the phone; of phone.js; and of the web app. */
const BUDGET = 250_000;

const dist = process.argv[2] ?? "dist";
const weights = new Map();
const app = new Map();
function pack(folder, into) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) pack(path, entry.name === "app" ? app : into);
    else if (/\.(js|css|svg|html)$/.test(entry.name)) {
      const packed = gzipSync(readFileSync(path), { level: 9 });
      writeFileSync(`${path}.gz`, packed);
      into.set(entry.name, packed.length);
    }
  }
}
pack(dist, weights);

const language = /^(en|zh-CN)-.*\.js$/;
// A reader loads the words of one language: the heavier counts.
const words = [...weights].filter(([name]) => language.test(name)).map(([, bytes]) => bytes);
const rest = [...weights].filter(([name]) => /\.(js|css)$/.test(name) && name !== "phone.js" && !language.test(name));
const whole = rest.reduce((sum, [, bytes]) => sum + bytes, 0) + Math.max(0, ...words);
const plugIn = weights.get("phone.js") ?? 0;
const webApp = [...app].filter(([name]) => /\.(js|css)$/.test(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
console.error(
  `console: ${whole} bytes gzipped with every page and the phone, phone.js ${plugIn}, web app ${webApp}; at most ${BUDGET}`,
);
if ([whole, plugIn, webApp].some((weight) => weight > BUDGET || weight === 0)) {
  for (const [name, bytes] of rest.sort((a, b) => b[1] - a[1])) console.error(`  ${bytes}\t${name}`);
  console.error("console: too heavy; load what few people need only when they need it, or do without");
  process.exit(1);
}
