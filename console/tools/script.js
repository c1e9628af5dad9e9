// One script with everything in it, at an address that stays: what pages of others embed, and workers.
import { defineConfig } from "vite";
import { wordsPlugin } from "./words.js";

/** Builds `input` into `name`, in `folder`. */
export const script = (input, name, folder = "dist") => defineConfig({
  plugins: [wordsPlugin()],
  esbuild: { legalComments: "none" },
  publicDir: false,
  build: {
    target: "es2022",
    outDir: folder,
    emptyOutDir: false,
    rollupOptions: {
      input,
      output: { format: "iife", entryFileNames: name, inlineDynamicImports: true },
    },
    modulePreload: { polyfill: false },
  },
});
