// A cell explained: what it is computed from, what it sees, and what a pixel reaches.

import { IMAGE } from "./network.js";
import { Maps, largest } from "./maps.js";
import {
  bracketed, element, get, live, nameOf, placeOf, rows, seedOf, shapes, sheet, short, spoken, state,
} from "./state.js";
import { fadeOf, views } from "./rows.js";

/** @typedef {import("./state.js").Cell} Cell */

const MOST_TERMS = 6, MOST_BLOCKS = 16;

/** Explains the cell that is pointed at, or else the pinned one; outlines what it sees, or reaches. */
export function explain() {
  const cell = state.pointed || state.pinned;
  for (const view of views) for (const mark of ["field", "here"]) view.outline(mark, []);
  get("cell").replaceChildren(...(cell ? explanation(cell) : [get("hint").content.cloneNode(true)]));
  get("tools").hidden = !state.pinned;
  get("fold").classList.toggle("nothing", !cell);
  get("fold").textContent = cell ? spoken(cell) : "Scores";
  if (!cell) return;
  views[cell.row + 1].outline("here", [cell.cell]);
  if (!live) return;
  const seen = cell.row === IMAGE ? state.network.reach(IMAGE, cell.cell) : state.network.field(cell.row, cell.cell);
  for (const [row, mask] of seen) if (row !== cell.row) views[row + 1].outline("field", marked(mask));
}

/** @param {Uint8Array} mask */
function* marked(mask) {
  for (let i = 0; i < mask.length; i++) if (mask[i]) yield i;
}

/** @param {Cell} cell @returns {Node[]} */
function explanation(cell) {
  const { row } = cell, value = state.network.values(row)[cell.cell], slope = state.network.gradient(row)[cell.cell];
  const begin = seedOf(), from = spoken(begin), itself = begin.row === row && begin.cell === cell.cell;
  const head = [
    element("h3", {}, `${nameOf(row)}, ${placeOf(cell)}`),
    element("p", { class: "number" }, row === IMAGE ? "pixel " + short(value) : short(value)),
  ];
  const arrived = element("p", {}, itself ? "The gradient begins here, with 1."
    : row >= begin.row ? `No gradient arrives here: ${from} is not made of it.`
      : `Gradient ${short(slope)}: if this number grows a little, ${from} changes ${short(slope)} times as much.`);
  if (row === IMAGE && live) {
    const reach = state.network.reach(IMAGE, cell.cell);
    const reached = [...reach].filter(([k, mask]) => k >= 0 && mask.includes(1));
    const words = reached.map(([k, mask]) => `${nameOf(k)} ${mask.reduce((a, b) => a + b, 0)} of ${mask.length}`);
    return [...head, arrived, element("p", {}, "It reaches, of each row: " + words.join(", ") + ".")];
  }
  const formula = () => element("p", {}, element("code", {}, `${nameOf(row)} = ${rows[row].formula}`));
  if (!live) return [...head, ...(row === IMAGE ? [] : [formula()]), arrived];
  const { network } = state, map = fadeOf(cell), fade = network.fade(row)[map];
  const [made, whole] = network.whole(row, map, () => [parts(cell), network.values(row)[cell.cell]]);
  const product = `${short(fade)} · ${bracketed(whole)} = ${short(value)}`;
  const faded = element("p", {}, "The map is faded: ", element("b", {}, product));
  return [...head, formula(), ...made, ...(fade === 1 ? [] : [faded]), ...onward(cell), arrived];
}

/** What a cell is computed from: its windows, and the products that are added. @param {Cell} cell @returns {Node[]} */
function parts({ row, cell }) {
  const { network } = state, value = network.values(row)[cell];
  const slopes = network.slopes(row, cell), seen = network.window(row, cell);
  /** @type {{source: number, i: number, x: number, slope: number}[]} */
  const terms = [];
  rows[row].sources.forEach(({ row: source }, k) => {
    for (const i of marked(seen[k])) terms.push({ source, i, x: network.values(source)[i], slope: slopes[k][i] });
  });
  if (!terms.length) return [];
  const total = terms.reduce((sum, { x, slope }) => sum + x * slope, 0), rest = value - total;
  const near = Math.abs(rest) <= 1e-5 * Math.max(1, largest(network.values(row)));
  const lines = [];
  if (terms.length === 1) {
    const [{ source, i, x, slope }] = terms;
    const said = rows[row].affine && !near
      ? `${bracketed(slope)} · ${bracketed(x)} + ${bracketed(rest)} = ${short(value)}`
      : rows[row].affine ? `${slope === 1 ? "" : bracketed(slope) + " · "}${bracketed(x)} = ${short(value)}`
        : `${short(x)} becomes ${short(value)}; the slope here is ${short(slope)}`;
    const place = `${nameOf(source)}, ${placeOf({ row: source, cell: i })}`;
    return [element("p", {}, `Reads ${place}: `, element("b", {}, said), ".")];
  }
  const active = terms.filter(({ slope }) => slope !== 0);
  const ranked = active.filter(({ x }) => x !== 0).sort((a, b) => Math.abs(b.x * b.slope) - Math.abs(a.x * a.slope));
  if (rows[row].affine) {
    const products = ranked.slice(0, MOST_TERMS).map(({ x, slope }) => `${bracketed(x)} · ${bracketed(slope)}`);
    const listed = products.join(" + ");
    lines.push(element("p", {}, `${terms.length} products, the largest first: `, element("span", { class: "sum" },
      (listed || "0") + (ranked.length > MOST_TERMS ? " + …" : "") + ` = ${short(total)}`)));
    lines.push(element("p", {}, near ? /\bbias\b/.test(rows[row].formula)
      ? "The bias is 0 here: that is the value." : "That is the value: nothing is added to it." : "With the bias: ",
      ...(near ? [] : [element("b", {}, `${short(total)} + ${bracketed(rest)} = ${short(value)}`)])));
  } else if (near && active.length === 1) {
    const [{ source, i, x }] = active;
    const place = `${nameOf(source)}, ${placeOf({ row: source, cell: i })}`;
    lines.push(element("p", {}, `The largest of ${terms.length} wins: `, element("b", {}, short(x)),
      ` at ${place}. It alone gets the gradient.`));
  } else {
    const how = near ? `: their sum, each times its slope, is ${short(total)}.`
      : ", by a curve: the slopes tell how it changes with each.";
    lines.push(element("p", {}, `Made of ${terms.length} numbers${how}`));
  }
  lines.push(...rows[row].sources.map(({ row: source }, k) => blocks(source, seen[k], slopes[k], rows[row].affine)));
  return lines;
}

/** The windows of a source, map by map: the values, the slopes (the kernel), and their products.
 * @param {number} source @param {Uint8Array} seen @param {Float32Array} slopes @param {boolean} affine */
function blocks(source, seen, slopes, affine) {
  const { maps, height, width, cells } = shapes[source + 1], x = state.network.values(source);
  /** @type {Map<number, number[]>} */
  const byMap = new Map();
  for (const i of marked(seen)) {
    const map = Math.floor(i / height / width);
    byMap.set(map, [...(byMap.get(map) || []), i]);
  }
  const table = element("table", { class: "blocks" });
  const heads = [maps > 1 ? "map" : "", nameOf(source), affine ? "kernel" : "slope", "product", "sum"];
  table.append(element("tr", {}, ...heads.map((word) => element("th", {}, word))));
  const shown = [...byMap].slice(0, MOST_BLOCKS), every = shown.flatMap(([, inside]) => inside);
  const products = x.map((v, i) => v * slopes[i]);
  for (const [map, inside] of shown) {
    const sum = inside.reduce((total, i) => total + products[i], 0);
    const pictures = [x, slopes, products].map((values) => element("td", {}, patch(values, inside, width, every,
      values === x && source === IMAGE)));
    const number = element("td", {}, maps > 1 ? String(map) : "");
    table.append(element("tr", {}, number, ...pictures, element("td", {}, short(sum))));
  }
  if (byMap.size > shown.length) table.append(element("caption", {}, `${shown.length} of ${byMap.size} maps`));
  return cells ? table : element("span", {});
}

/** A part of a map as a small picture; with numbers where there is room for them.
 * @param {Float32Array} values @param {number[]} inside @param {number} width @param {number[]} every
 * @param {boolean} seen whether it is a part of the image */
function patch(values, inside, width, every, seen) {
  const ys = inside.map((i) => Math.floor(i / width)), xs = inside.map((i) => i % width);
  const top = Math.min(...ys), left = Math.min(...xs), w = Math.max(...xs) - left + 1, h = Math.max(...ys) - top + 1;
  const maps = new Maps({ maps: 1, height: h, width: w, cells: w * h }, 80), part = new Float32Array(w * h);
  inside.forEach((i, n) => { part[(ys[n] - top) * w + xs[n] - left] = values[i]; });
  if (seen) maps.paintImage(part, sheet.paper, sheet.ink);
  else maps.paint(part, every.reduce((most, i) => Math.max(most, Math.abs(values[i])), 0));
  maps.box.title = inside.length > 30 ? "" : inside.map((i) => short(values[i])).join("  ");
  return maps.box;
}

/** What the next row makes of a cell, where that is one cell. @param {Cell} cell @returns {Node[]} */
function onward({ row, cell }) {
  const readsIt = (/** @type {number} */ k) => rows[k].sources.some((source) => source.row === row);
  const next = rows.findIndex((one, k) => k > row && one.size === rows[row].size && readsIt(k));
  if (next < 0) return [];
  const reached = [...marked(state.network.reach(row, cell).get(next) || new Uint8Array())];
  if (reached.length !== 1) return [];
  const [value, made] = [state.network.values(row)[cell], state.network.values(next)[reached[0]]];
  const said = made === value ? "keeps it" : `makes ${short(made)} of ${short(value)}`;
  return [element("p", {}, `Then ${nameOf(next)} ${said}.`)];
}
