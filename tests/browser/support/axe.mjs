import { readFile } from "node:fs/promises";
import { join } from "node:path";

const source = await readFile(join(import.meta.dirname, "../node_modules/axe-core/axe.min.js"), "utf8");

/** Everything that axe finds in a page, in light and dark mode. */
export async function violations(page) {
  const found = [];
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(source);
  for (const theme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
    if (passes.length < 15) found.push(`${theme}: axe checked almost nothing`);
    for (const { id, nodes } of violations) found.push(`${theme}: ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }
  return found;
}
