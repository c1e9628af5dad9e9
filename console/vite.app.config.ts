// The web app of a directory: a page of its own, one script with everything in it, so that its worker keeps it whole.
import { defineConfig } from "vite";
import { wordsPlugin } from "./tools/words.js";

export default defineConfig({
  plugins: [wordsPlugin()],
  esbuild: { legalComments: "none" },
  publicDir: "public-app",
  build: {
    target: "es2022",
    outDir: "dist/app",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 500,
    rollupOptions: { input: "app.html", output: { inlineDynamicImports: true } },
  },
});
