// `<ringdown-phone>`: one script with everything in it, at an address that stays (/phone.js).
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
      input: "src/plugin.tsx",
      output: { format: "iife", entryFileNames: "phone.js", inlineDynamicImports: true },
    },
    modulePreload: { polyfill: false },
  },
});
