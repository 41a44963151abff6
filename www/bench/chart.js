/** SVG charts. Colors and strokes come from the style sheet. */

const SVG = "http://www.w3.org/2000/svg";
/** Dashes and markers by series, so that color isn't the only difference. */
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "5 2", "1 4"];

/** @typedef {{ label: string, points: [number, number][] }} Series */

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} [children]
 */
function draw(name, attributes, children = []) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Plots all runs in order, from zero. @param {number[]} values */
export function sparkline(values) {
  const [width, height] = [56, 18];
  const top = Math.max(...values) || 1;
  const x = (/** @type {number} */ i) => (values.length > 1 ? (i / (values.length - 1)) * width : width / 2);
  const point = (/** @type {number} */ value, /** @type {number} */ i) =>
    `${x(i).toFixed(1)} ${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`;
  const path = values.length > 1 ? `M${values.map(point).join("L")}` : `M0 ${height / 2}H${width}`;
  const attributes = {
    class: "spark",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    preserveAspectRatio: "none",
  };
  const label = `${values.length} runs, from ${Math.min(...values).toFixed(1)} to ${top.toFixed(1)} milliseconds`;
  return draw("svg", { ...attributes, "aria-label": label }, [draw("path", { d: path })]);
}

/** A marker: circle, square, triangle, and so on. @param {number} x @param {number} y @param {number} series */
function marker(x, y, series) {
  const r = 3.5;
  switch (series % 3) {
    case 0:
      return draw("circle", { class: "dot", cx: x, cy: y, r });
    case 1:
      return draw("rect", { class: "dot", x: x - r, y: y - r, width: 2 * r, height: 2 * r });
    default:
      return draw("path", { class: "dot", d: `M${x - r - 1} ${y + r}L${x} ${y - r - 1}L${x + r + 1} ${y + r}Z` });
  }
}

/** The swatch of a series in a legend. @param {number} series */
export function swatch(series) {
  const attributes = { width: 32, height: 12, viewBox: "0 0 32 12", "aria-hidden": "true" };
  return draw("svg", attributes, [
    draw("g", { class: `series series-${(series % 6) + 1}` }, [
      draw("path", { d: "M0 6H32", "stroke-dasharray": DASHES[series % DASHES.length] ?? "" }),
      marker(16, 6, series),
    ]),
  ]);
}

/** Round tick values from zero to at least `max`. @param {number} max @param {number} count */
export function ticks(max, count) {
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) => i * step);
}

/**
 * Draws a line chart as wide as its container.
 * @param {HTMLElement} into
 * @param {Series[]} series
 * @param {{ xTicks: number[], xUnit: string, yUnit: string, label: string, markers?: boolean }} options
 */
export function lines(into, series, { xTicks, xUnit, yUnit, label, markers = true }) {
  const width = Math.max(240, into.clientWidth);
  const height = Math.min(360, Math.max(240, width * 0.55));
  const box = { left: 44, right: width - 14, top: 22, bottom: height - 36 };
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const yTicks = ticks(Math.max(...values, 1e-3), 5);
  const xMax = Math.max(...xTicks);
  const yMax = yTicks.at(-1) ?? 1;
  const x = (/** @type {number} */ value) => box.left + (value / xMax) * (box.right - box.left);
  const y = (/** @type {number} */ value) => box.bottom - (value / yMax) * (box.bottom - box.top);
  const number = (/** @type {number} */ value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const parts = [
    ...yTicks.map((value) => draw("path", { class: "grid", d: `M${box.left} ${y(value)}H${box.right}` })),
    ...yTicks.map((value) => draw("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, [number(value)])),
    ...xTicks.map((value) =>
      draw("text", { x: x(value), y: box.bottom + 17, "text-anchor": "middle" }, [number(value)]),
    ),
    draw("path", { class: "axis", d: `M${box.left} ${box.bottom}H${box.right}` }),
    draw("text", { x: box.left - 6, y: 10, "text-anchor": "end" }, [yUnit]),
    draw("text", { x: box.right, y: height - 4, "text-anchor": "end" }, [xUnit]),
    ...series.map(({ points }, index) => {
      const path = points.map((point) => `${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`).join("L");
      const dashes = DASHES[index % DASHES.length] ?? "";
      return draw("g", { class: `series series-${(index % 6) + 1}` }, [
        draw("path", { d: `M${path}`, "stroke-dasharray": dashes }),
        ...(markers ? points.map((point) => marker(x(point[0]), y(point[1]), index)) : []),
      ]);
    }),
  ];
  const attributes = { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label };
  into.replaceChildren(draw("svg", attributes, parts));
}
