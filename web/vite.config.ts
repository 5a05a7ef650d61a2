import { defineConfig } from "vite";

// Everything the page needs lies beside it: nothing is fetched from elsewhere at run time.
export default defineConfig({
  base: "/",
  build: { target: "es2022", chunkSizeWarningLimit: 4096, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": process.env.PERSEA_SERVER ?? "http://127.0.0.1:7317" } },
});
