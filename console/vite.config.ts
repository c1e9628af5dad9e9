// The console: one page, its files named by their content.
import { defineConfig } from "vite";
import { wordsPlugin } from "./tools/words.js";

const exchange = process.env["RINGDOWN"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [wordsPlugin()],
  esbuild: { legalComments: "none" },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: {
      "/api": { target: exchange },
      "/enter": { target: exchange },
      "/sip": { target: exchange.replace("http", "ws"), ws: true },
    },
  },
});
