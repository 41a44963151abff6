// Replaces packages that transformers.js depends on but this test doesn't need: image processing and the browser runtime.
export default function stub() {
  throw new Error("this stub replaces a package that the test doesn't need");
}
