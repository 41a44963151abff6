/** @type {import("next").NextConfig} */
export default {
  // Static files; `next start` works as well.
  output: "export",
};
