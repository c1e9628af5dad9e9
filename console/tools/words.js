// The catalogue of words: gathers console/words/*.json and src/pages/*/words.json, and refuses keys that are missing,
// unused, or whose two languages do not have the same {places}. As a Vite plugin it gives one language a module, and the few
// words of one prefix in both languages to what has no page.
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const languages = ["en", "zh-CN"];

function filesBelow(folder, wanted) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, wanted);
    return wanted(entry.name) ? [path] : [];
  });
}

function wordFiles() {
  const shared = filesBelow(join(root, "words"), (name) => name.endsWith(".json"));
  const pages = filesBelow(join(root, "src/pages"), (name) => name === "words.json");
  return [...shared, ...pages].sort();
}

/** All words: key to {en, zh-CN}; faults are pushed to `faults` in sentences. */
export function collect(faults = []) {
  const all = new Map();
  for (const file of wordFiles()) {
    const name = relative(root, file);
    for (const [key, entry] of Object.entries(JSON.parse(readFileSync(file, "utf8")))) {
      if (all.has(key)) faults.push(`${name}: "${key}" stands in another file, too`);
      for (const language of languages) {
        if (typeof entry[language] !== "string" || entry[language].trim() === "") {
          faults.push(`${name}: "${key}" has no ${language}`);
        }
      }
      const extra = Object.keys(entry).filter((tag) => !languages.includes(tag));
      if (extra.length > 0) faults.push(`${name}: "${key}" has unknown languages: ${extra.join(", ")}`);
      const [first, second] = languages.map((language) => places(entry[language] ?? ""));
      if (first !== second) faults.push(`${name}: "${key}" has other {places} in its languages: ${first} and ${second}`);
      all.set(key, entry);
    }
  }
  return all;
}

function places(text) {
  const names = [...text.matchAll(/\{(\w+)[^}]*\}/g)].map((match) => match[1]);
  return [...new Set(names)].sort().join(",");
}

/** What is wrong with the words, in sentences. */
export function check() {
  const faults = [];
  const words = collect(faults);
  const used = new Set();
  for (const file of filesBelow(join(root, "src"), (name) => /\.tsx?$/.test(name))) {
    const text = readFileSync(file, "utf8");
    const name = relative(root, file);
    for (const match of text.matchAll(/\bt\(\s*(["'])([^"'\n]+)\1/g)) {
      used.add(match[2]);
      if (!words.has(match[2])) faults.push(`${name}: no words for "${match[2]}"`);
    }
    // t(`cause.${name}`): every key that begins so counts as used.
    for (const match of text.matchAll(/`([a-z_]+\.(?:[a-z_]+\.)*[a-z_]*)\$\{/g)) {
      const keys = [...words.keys()].filter((key) => key.startsWith(match[1]));
      for (const key of keys) used.add(key);
    }
    for (const match of text.matchAll(/(["'`])([a-z][\w-]*(?:\.[\w -]+)+)\1/g)) used.add(match[2]);
  }
  for (const key of words.keys()) {
    if (!used.has(key)) faults.push(`"${key}" is used nowhere`);
  }
  return faults;
}

export function wordsPlugin() {
  const prefix = "virtual:words/";
  const some = "virtual:words-of/";
  return {
    name: "words",
    buildStart() {
      const faults = check();
      if (faults.length > 0 && this.meta.watchMode !== true) this.error(`words:\n  ${faults.join("\n  ")}`);
    },
    resolveId(id) {
      return id.startsWith(prefix) || id.startsWith(some) ? `\0${id}` : null;
    },
    load(id) {
      if (!id.startsWith(`\0${prefix}`) && !id.startsWith(`\0${some}`)) return null;
      for (const file of wordFiles()) this.addWatchFile(file);
      const module = (value) => `export default JSON.parse(${JSON.stringify(JSON.stringify(value))});`;
      const spoken = (language, wanted = "") =>
        Object.fromEntries([...collect()].filter(([key]) => key.startsWith(wanted)).map(([key, entry]) => [key, entry[language]]));
      if (id.startsWith(`\0${prefix}`)) return module(spoken(id.slice(prefix.length + 1)));
      const wanted = `${id.slice(some.length + 1)}.`;
      return module(Object.fromEntries(languages.map((language) => [language, spoken(language, wanted)])));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = check();
  for (const fault of faults) console.error(fault);
  process.exit(faults.length > 0 ? 1 : 0);
}
