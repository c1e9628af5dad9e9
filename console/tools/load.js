// For tests under node: a TypeScript module without its types, by the esbuild that Vite brings.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export async function load(path) {
  const words = {
    name: "words",
    setup(builder) {
      builder.onResolve({ filter: /^virtual:words\// }, ({ path }) => ({ path, namespace: "words" }));
      builder.onLoad({ filter: /.*/, namespace: "words" }, () => ({ contents: "export default {}" }));
    },
  };
  const entryPoints = [join(root, path)];
  const built = await build({ entryPoints, bundle: true, format: "esm", write: false, logLevel: "error", plugins: [words] });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].contents).toString("base64")}`);
}
