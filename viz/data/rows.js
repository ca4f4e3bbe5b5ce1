// The rows: their maps, values on one side and gradients on the other, and the wires between them.

import { IMAGE } from "./network.js";
import { FEW_MAPS, Maps, largest, paintScale, readPalette } from "./maps.js";
import { stopAt } from "./keys.js";
import { data, element, get, last, live, nameOf, rows, shapes, sheet, short, state, update } from "./state.js";

/** @typedef {import("./state.js").Cell} Cell */

/** What is drawn of a row: its values, and the gradient that has arrived at it. */
class View {
  /** @param {number} row */
  constructor(row) {
    this.row = row;
    this.shape = shapes[row + 1];
    this.section = get("row-" + row);
    this.visible = true;
    this.most = FEW_MAPS;
    this.values = this.drawn("values");
    this.slopes = this.drawn("slopes");
    if (this.shape.maps > this.most) this.offerAll();
  }

  /** New pictures for one side, as wide as there is room. @param {string} side */
  drawn(side) {
    const place = this.section.querySelector("." + side), room = Math.min(place.clientWidth || 340, 360);
    const maps = new Maps(this.shape, room, this.most);
    maps.canvas.tabIndex = this.row === stop ? 0 : -1;
    maps.canvas.setAttribute("role", "application");  // so that the arrow keys are its own
    maps.canvas.setAttribute("aria-label", `${nameOf(this.row)}, ${side === "values" ? "values" : "gradient"}: ` +
      "arrow keys go from cell to cell, page down and page up to the next row and back" +
      (live ? ", enter sends the gradient back from a cell" : ""));
    maps.canvas.dataset.row = String(this.row);
    maps.canvas.dataset.side = side;
    place.querySelector(".maps")?.remove();
    place.prepend(maps.box);
    return maps;
  }

  redraw() {
    this.values = this.drawn("values");
    this.slopes = this.drawn("slopes");
  }

  offerAll() {
    const button = element("button", { class: "more", type: "button" }, `all ${this.shape.maps} maps`);
    button.addEventListener("click", () => {
      this.most = Infinity;
      button.remove();
      this.redraw();
      update();
    });
    this.section.querySelector("header").prepend(button);
  }

  paint() {
    const values = state.network.values(this.row), slopes = state.network.gradient(this.row);
    const most = largest(values), steepest = largest(slopes);
    if (this.row === IMAGE) {
      this.values.paintImage(values, sheet.paper, sheet.ink);
      this.slopes.paintOver(slopes, steepest, values, sheet.paper, sheet.ink);
    } else {
      this.values.paint(values, most);
      this.slopes.paint(slopes, steepest);
      this.values.frame("silent", live ? silentMaps(this.row, values) : state.network.silent(this.row), true);
      this.values.frame("dead", data.dead[this.row] || [], true);
      this.values.frame("faded", fadedMaps(this.row), false);
    }
    const [above, beside] = this.section.querySelectorAll(".most");
    above.textContent = this.row === IMAGE ? `paper ${short(sheet.paper)}, ink ${short(sheet.ink)}` : "±" + short(most);
    above.title = this.row === IMAGE ? "the numbers of an empty and of a full pixel" : "the largest number, up or down";
    beside.textContent = steepest > 0 ? "±" + short(steepest) : "no gradient here";
  }

  /** @param {string} mark @param {Iterable<number>} cells */
  outline(mark, cells) {
    const list = [...cells];
    this.values.outline(mark, list);
    this.slopes.outline(mark, list);
  }
}

/** The maps of a row that are 0 all over. @param {number} row @param {Float32Array} values */
function silentMaps(row, values) {
  const { maps, cells } = shapes[row + 1], each = cells / maps, found = [];
  if (maps === 1) return [];
  for (let map = 0; map < maps; map++) {
    let any = false;
    for (let i = map * each; i < (map + 1) * each && !any; i++) any = values[i] !== 0;
    if (!any) found.push(map);
  }
  return found;
}

/** @param {number} row */
export function fadedMaps(row) {
  const fade = live ? state.network.fade(row) : [];
  return [...fade.keys()].filter((map) => fade[map] !== 1);
}

/** The map, or unit, that a fade is for. @param {Cell} cell */
export function fadeOf({ row, cell }) {
  return Math.floor(cell / (rows[row].size / state.network.fade(row).length));
}

/** The row whose maps the tab key stops at; the keys that turn pages go to others. */
let stop = IMAGE;

/** @param {number} row */
export function stopAtRow(row) {
  stop = row;
  for (const side of /** @type {("values" | "slopes")[]} */ (["values", "slopes"])) {
    stopAt(views.map((view) => view[side].canvas), views[row + 1][side].canvas);
  }
}

readPalette();

/** @type {View[]} */
export const views = [];
for (let row = IMAGE; row <= last; row++) views.push(new View(row));
paintScale(get("scale"));

const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const view = views[Number(target.id.slice(4)) + 1];
    if (isIntersecting && !view.visible) view.paint();
    view.visible = isIntersecting;
  }
}, { rootMargin: "200px" });
for (const view of views) watch.observe(view.section);

/** Wires that pass over rows, as those of a skip, beside the rows. */
function drawWires() {
  const box = get("rows").getBoundingClientRect(), wires = get("wires");
  wires.setAttribute("height", String(box.height));
  const middle = (/** @type {number} */ row) => {
    const head = views[row + 1].section.querySelector("header").getBoundingClientRect();
    return head.top + head.height / 2 - box.top;
  };
  /** @type {number[]} */
  const lanes = [];
  let d = "";
  rows.forEach((row, k) => {
    for (const { row: source } of row.sources) {
      const from = middle(source), to = middle(k);
      if (source === k - 1) {
        d += `M20 ${from + 5}V${to - 5}`;
        continue;
      }
      let lane = lanes.findIndex((end) => end <= source);
      if (lane < 0) lane = lanes.length;
      lanes[lane] = k;
      const x = 14 - 5 * lane;
      d += `M20 ${from}C${x} ${from + 8} ${x} ${from + 8} ${x} ${from + 18}V${to - 18}` +
        `C${x} ${to - 8} ${x} ${to - 8} 20 ${to}`;
    }
  });
  wires.querySelector("path").setAttribute("d", d);
  wires.querySelector("g").replaceChildren(...views.map((view) => {
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    dot.setAttribute("cx", "20");
    dot.setAttribute("cy", String(middle(view.row)));
    dot.setAttribute("r", "4");
    return dot;
  }));
}

const sized = new ResizeObserver(drawWires);
for (const view of views) sized.observe(view.section);
