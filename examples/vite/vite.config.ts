import { defineConfig } from "vite";

export default defineConfig({
  // Addresses relative to the page: the build runs under any path.
  base: "./",
});
