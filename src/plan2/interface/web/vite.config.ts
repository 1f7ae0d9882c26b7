/** Builds the app; the result is the same bytes for the same sources. */

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compressed } from "./plugins/compressed.ts";
import { icons } from "./plugins/icons.ts";
import { notices } from "./plugins/notices.ts";

const SERVER = "127.0.0.1:8420";

export default defineConfig({
  plugins: [react(), notices(), icons(), compressed()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: {
      "/api/v1/stream": { target: `ws://${SERVER}`, ws: true },
      "/api": `http://${SERVER}`,
      "/signin": `http://${SERVER}`,
    },
  },
});
