import { defineConfig } from "vite";

export default defineConfig({
  // URLs relative to the page, so that the build works under any path.
  base: "./",
});
