// Stands in for packages that transformers.js asks for and this test does not use: images, and the browser's runtime.
export default function notNeeded() {
  throw new Error("this stands in for a package that the test does not need");
}
