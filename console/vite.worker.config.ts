// The worker of the web app: one script with everything in it, at an address that stays (/worker.js).
import { defineConfig } from "vite";
import { wordsPlugin } from "./tools/words.js";

export default defineConfig({
  plugins: [wordsPlugin()],
  esbuild: { legalComments: "none" },
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist/app",
    emptyOutDir: false,
    rollupOptions: {
      input: "src/app/worker.ts",
      output: { format: "iife", entryFileNames: "worker.js", inlineDynamicImports: true },
    },
    modulePreload: { polyfill: false },
  },
});
