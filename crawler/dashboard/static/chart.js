// How has the throughput been? Two lines over time, drawn as SVG.

import { duration, rate, roughly } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 44;
const BOTTOM = 18;
const TOP = 8;

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

// A round number at or above the most, and into how many parts it is divided.
function scale(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 0.4)));
  for (const [step, parts] of [[1, 2], [2, 4], [2.5, 5], [5, 5], [10, 5]]) if (most <= step * power) return [step * power, parts];
  return [10 * power, 5];
}

export class Chart {
  constructor(box, told) {
    this.box = box;
    this.told = told;
    this.drawing = shape("svg", { role: "img" });
    box.append(this.drawing);
    this.at = null;
    box.addEventListener("pointermove", (event) => this.point(event.clientX - box.getBoundingClientRect().left));
    box.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(series, name) {
    this.series = series;
    this.name = name;
    this.draw();
  }

  point(x) {
    this.at = x;
    this.draw();
  }

  draw() {
    if (!this.series) return;
    const { pages_per_s: pages, failed_per_s: failed, step_s: step } = this.series;
    const width = Math.max(this.box.clientWidth, 120);
    const height = this.box.clientHeight;
    const [top, parts] = scale(Math.max(...pages, ...failed, 0.4));
    const steps = Math.max(pages.length - 1, 60);
    const x = (index) => LEFT + ((width - LEFT - 6) * (index + steps - (pages.length - 1))) / steps;
    const y = (value) => TOP + (height - TOP - BOTTOM) * (1 - value / top);
    const parts_drawn = [];
    for (let part = 0; part <= parts; part += 1) {
      const value = (top * part) / parts;
      parts_drawn.push(shape("line", { class: "grid", x1: LEFT, x2: width - 6, y1: y(value), y2: y(value) }));
      const label = shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" });
      label.textContent = Number(value.toPrecision(3)).toLocaleString("en");
      parts_drawn.push(label);
    }
    for (const share of [0, 0.5, 1]) {
      const label = shape("text", {
        x: LEFT + (width - LEFT - 6) * share, y: height - 3, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle",
      });
      label.textContent = share === 1 ? "now" : `${roughly(steps * step * (1 - share))} ago`;
      parts_drawn.push(label);
    }
    const path = (values) => values.map((value, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    if (pages.length) {
      const bottom = y(0).toFixed(1);
      parts_drawn.push(shape("path", { class: "area", d: `${path(pages)}L${x(pages.length - 1).toFixed(1)} ${bottom}L${x(0).toFixed(1)} ${bottom}Z` }));
      parts_drawn.push(shape("path", { class: "pages", d: path(pages) }));
      parts_drawn.push(shape("path", { class: "failed", d: path(failed) }));
    }
    this.cross(parts_drawn, { pages, failed, step, steps, x, height });
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drawing.replaceChildren(...parts_drawn);
    const mean = pages.reduce((sum, value) => sum + value, 0) / Math.max(pages.length, 1);
    this.drawing.setAttribute(
      "aria-label",
      `Pages a second over the ${this.name === "recent" ? "last 5 minutes" : "run"}: now ${rate(pages.at(-1) ?? 0)}, ` +
        `mean ${rate(mean)}, most ${rate(Math.max(...pages, 0))}; failures now ${rate(failed.at(-1) ?? 0)}, most ${rate(Math.max(...failed, 0))}`,
    );
  }

  cross(drawn, { pages, failed, step, steps, x, height }) {
    let text = "";
    if (this.at !== null && pages.length) {
      const first = x(0);
      const apart = steps && pages.length > 1 ? x(1) - first : 1;
      const index = Math.min(Math.max(Math.round((this.at - first) / apart), 0), pages.length - 1);
      drawn.push(shape("line", { class: "cross", x1: x(index), x2: x(index), y1: TOP, y2: height - BOTTOM }));
      const ago = (pages.length - 1 - index) * step;
      text = `${ago ? `${duration(ago)} ago` : "now"}: ${rate(pages[index])} pages/s, ${rate(failed[index])} failures/s`;
    }
    if (this.told.textContent !== text) this.told.textContent = text;
  }
}
