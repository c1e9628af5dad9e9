// The service worker of notices: one script with everything in it, at an address that stays (/notices.js).
import { defineConfig } from "vite";
import { wordsPlugin } from "./tools/words.js";

export default defineConfig({
  plugins: [wordsPlugin()],
  esbuild: { legalComments: "none" },
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: false,
    rollupOptions: {
      input: "src/notices.ts",
      output: { format: "iife", entryFileNames: "notices.js", inlineDynamicImports: true },
    },
    modulePreload: { polyfill: false },
  },
});
