// The page of a network: what is shown, and what the pointer, the pen and the keys do.

import { IMAGE, Network, decoded } from "./network.js";
import { FEW_MAPS, Maps, largest, paintScale, readPalette, shapeOf } from "./maps.js";
import { fitted, stroke, turned, warped } from "./pixels.js";

/** @typedef {import("./network.js").Program} Program */
/** @typedef {import("./pixels.js").Sheet} Sheet */
/**
 * @typedef {object} Data
 * @property {Record<string, {program: Program, weights: string}>} networks @property {string} images
 * @property {number[]} numbers of the images, as the caller counts them @property {number[] | null} labels
 * @property {number[]} answers @property {boolean} smallest @property {Sheet} sheet
 * @property {number[][]} dead of each row the maps that are 0 for all images
 */
/** @typedef {{row: number, cell: number}} Cell row -1 is the image */

/** @param {string} id @returns {any} */
const get = (id) => document.getElementById(id);

/** @type {Data} */
const data = JSON.parse(get("data").textContent);
const { sheet } = data;
const networks = Object.fromEntries(
  Object.entries(data.networks).map(([name, { program, weights }]) => [name, new Network(program, decoded(weights))]));
let network = networks.after;
const rows = network.rows, last = rows.length - 1;
const size = network.values(IMAGE).length, images = decoded(data.images);
const scored = rows[last].output_shape.length === 1 && rows[last].size > 1;
const MOST_SCORES = 20, MOST_TERMS = 6, MOST_BLOCKS = 16;

const state = {
  image: /** @type {number | null} */ (0),  // which of the images; null for a drawing that began on white paper
  base: /** @type {Float32Array} */ (images.slice(0, size)),  // what lies on the pad
  drawn: false,
  degrees: 0,
  shift: [0, 0],
  seed: /** @type {Cell | null} */ (null),  // where the gradient begins; null: at the answer
  pinned: /** @type {Cell | null} */ (null),  // the cell that is explained when nothing is pointed at
  step: /** @type {number | null} */ (null),  // how far the walk is; null: all is shown
};
let pointed = /** @type {Cell | null} */ (null);

// -- words and numbers -------------------------------------------------------------------------------------------------

/** @param {number} v */
function short(v) {
  if (!Number.isFinite(v)) return String(v).replace("-", "−").replace("Infinity", "∞");
  return String(Number(v.toPrecision(3))).replace("-", "−");
}

/** @param {number} v */
const bracketed = (v) => (v < 0 ? `(${short(v)})` : short(v));

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children */
function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

/** @param {number} row */
const nameOf = (row) => (row === IMAGE ? "image" : rows[row].shown);

/** @param {Cell} cell */
function placeOf({ row, cell }) {
  const { maps, height, width } = views[row + 1].shape, shape = row === IMAGE ? network.program.shape : rows[row].output_shape;
  if (shape.length < 2) return (row === last && scored ? "score " : "unit ") + cell;
  const y = Math.floor(cell / width) % height, x = cell % width, map = Math.floor(cell / width / height);
  return (maps > 1 ? `map ${map}, ` : "") + (height > 1 ? `row ${y}, column ${x}` : `place ${x}`);
}

/** A cell in a sentence. @param {Cell} cell */
const spoken = (cell) => (cell.row === last && scored ? placeOf(cell) : `${nameOf(cell.row)}, ${placeOf(cell)}`);

// -- the rows ----------------------------------------------------------------------------------------------------------

/** What is drawn of a row: its values, and the gradient that has arrived at it. */
class View {
  /** @param {number} row */
  constructor(row) {
    this.row = row;
    this.shape = shapeOf(row === IMAGE ? network.program.shape : rows[row].output_shape);
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
    maps.canvas.tabIndex = 0;
    maps.canvas.setAttribute("role", "img");
    maps.canvas.setAttribute("aria-label", `${nameOf(this.row)}, ${side === "values" ? "values" : "gradient"}: ` +
      "arrow keys go from cell to cell, enter sends the gradient back from one");
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
      drawWires();
      update();
    });
    this.section.querySelector("header").append(button);
  }

  paint() {
    const values = network.values(this.row), slopes = network.gradient(this.row);
    const most = largest(values), steepest = largest(slopes);
    if (this.row === IMAGE) {
      this.values.paintImage(values, sheet.paper, sheet.ink);
      this.slopes.paintOver(slopes, steepest, values, sheet.paper, sheet.ink);
    } else {
      this.values.paint(values, most);
      this.slopes.paint(slopes, steepest);
      this.values.frame("silent", silentMaps(this.row, values), true);
      this.values.frame("dead", data.dead[this.row] || [], true);
      this.values.frame("faded", fadedMaps(this.row), false);
    }
    const [above, beside] = this.section.querySelectorAll(".most");
    above.textContent = "±" + short(most);
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
  const { maps, cells } = views[row + 1].shape, each = cells / maps, found = [];
  if (maps === 1) return [];
  for (let map = 0; map < maps; map++) {
    let any = false;
    for (let i = map * each; i < (map + 1) * each && !any; i++) any = values[i] !== 0;
    if (!any) found.push(map);
  }
  return found;
}

/** @param {number} row */
const fadedMaps = (row) => [...network.fade(row).entries()].filter(([, part]) => part !== 1).map(([map]) => map);

/** The map, or unit, that a fade is for. @param {Cell} cell */
function fadeOf({ row, cell }) {
  return Math.floor(cell / (rows[row].size / network.fade(row).length));
}

readPalette();
/** @type {View[]} */
const views = [];
for (let row = IMAGE; row <= last; row++) views.push(new View(row));
paintScale(get("scale"));

// -- a frame -----------------------------------------------------------------------------------------------------------

/** What the network gets. */
function pixels() {
  let image = state.base;
  if (state.drawn && get("fit").checked) image = warped(image, sheet, fitted(image, sheet));
  return state.degrees || state.shift[0] || state.shift[1] ? warped(image, sheet, turned(state.degrees, state.shift)) : image;
}

/** @param {Float32Array} scores */
function answerOf(scores) {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (data.smallest ? scores[i] < scores[best] : scores[i] > scores[best]) best = i;
  return best;
}

/** @returns {Cell} */
const seedOf = () => state.seed || { row: last, cell: answerOf(network.values(last)) };

let asked = false;
function update() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    frame();
  });
}

function frame() {
  network.forward(pixels());
  const { row, cell } = seedOf();
  network.backward(row, cell);
  for (const view of views) if (view.visible) view.paint();
  small?.paintOver(network.gradient(IMAGE), largest(network.gradient(IMAGE)), network.values(IMAGE), sheet.paper, sheet.ink);
  showScores();
  showSeed();
  if (pointed || state.pinned) explain();
}

const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const view = views[Number(target.id.slice(4)) + 1];
    if (isIntersecting && !view.visible) view.paint();
    view.visible = isIntersecting;
  }
}, { rootMargin: "200px" });
for (const view of views) watch.observe(view.section);

// -- scores ------------------------------------------------------------------------------------------------------------

/** The chances of the classes: the softmax of the scores, or of the distances with a minus. @param {Float32Array} scores */
function chances(scores) {
  const best = scores[answerOf(scores)], parts = [...scores].map((s) => Math.exp(data.smallest ? best - s : s - best));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

const scoreButtons = scored ? Array.from({ length: Math.min(rows[last].size, MOST_SCORES) }, (_, i) => {
  const parts = ["class", "bar", "score", "chance"].map((kind) => element("span", { class: kind }));
  const button = element("button", { type: "button", class: "line" }, ...parts);
  parts[1].append(element("i", {}));
  button.dataset.unit = String(i);
  button.addEventListener("click", () => seed({ row: last, cell: Number(button.dataset.unit) }));
  get("scores").append(button);
  return { button, parts, bar: /** @type {HTMLElement} */ (parts[1].firstChild) };
}) : [];

function showScores() {
  if (!scored) return;
  const scores = network.values(last), answer = answerOf(scores), parts = chances(scores), most = largest(scores) || 1;
  const order = [...scores.keys()];
  if (scores.length > MOST_SCORES) order.sort((a, b) => parts[b] - parts[a]);
  const { row, cell } = seedOf();
  scoreButtons.forEach(({ button, parts: [name, , score, chance], bar }, i) => {
    const unit = order[i], part = Math.abs(scores[unit]) / most;
    button.dataset.unit = String(unit);
    name.textContent = String(unit);
    score.textContent = short(scores[unit]);
    chance.textContent = (100 * parts[unit]).toFixed(parts[unit] < 0.0995 ? 1 : 0) + " %";
    bar.style.setProperty("width", 50 * part + "%");
    bar.style.setProperty("left", scores[unit] < 0 ? 50 - 50 * part + "%" : "50%");
    bar.classList.toggle("negative", scores[unit] < 0);
    button.classList.toggle("answer", unit === answer);
    button.setAttribute("aria-pressed", String(row === last && cell === unit));
  });
  const label = state.image === null || state.drawn || !data.labels ? null : data.labels[state.image];
  const verdict = label === null ? "" : label === answer ? ", and that is right" : `, and it is ${label}`;
  get("answer").textContent = `It reads ${answer}${verdict}.`;
  get("answer").classList.toggle("wrong", label !== null && label !== answer);
}

// -- the gradient ------------------------------------------------------------------------------------------------------

/** Sends the gradient back from a cell; from the answer if there is none. @param {Cell | null} cell */
function seed(cell) {
  state.seed = cell;
  update();
}

function showSeed() {
  const cell = seedOf(), said = spoken(cell);
  get("seed").textContent = state.seed ? said : `${said}, the answer`;
  get("follow").hidden = !state.seed;
  for (const view of views) view.section.classList.toggle("behind", view.row > cell.row);
}

// -- a cell explained --------------------------------------------------------------------------------------------------

/** Explains the cell that is pointed at, or else the pinned one; outlines what it sees, or what a pixel reaches. */
function explain() {
  const cell = pointed || state.pinned;
  for (const view of views) for (const mark of ["field", "here"]) view.outline(mark, []);
  get("cell").replaceChildren(...(cell ? explanation(cell) : [get("hint").content.cloneNode(true)]));
  get("tools").hidden = !state.pinned;
  if (!cell) return;
  const seen = cell.row === IMAGE ? network.reach(IMAGE, cell.cell) : network.field(cell.row, cell.cell);
  for (const [row, mask] of seen) if (row !== cell.row) views[row + 1].outline("field", marked(mask));
  views[cell.row + 1].outline("here", [cell.cell]);
}

/** @param {Uint8Array} mask */
function* marked(mask) {
  for (let i = 0; i < mask.length; i++) if (mask[i]) yield i;
}

/** @param {Cell} cell @returns {Node[]} */
function explanation(cell) {
  const { row } = cell, value = network.values(row)[cell.cell], slope = network.gradient(row)[cell.cell];
  const begin = seedOf(), from = spoken(begin), itself = begin.row === row && begin.cell === cell.cell;
  const head = [
    element("h3", {}, `${nameOf(row)}, ${placeOf(cell)}`),
    element("p", { class: "number" }, row === IMAGE ? "pixel " + short(value) : short(value)),
  ];
  const arrived = element("p", {}, itself ? "The gradient begins here, with 1."
    : row >= begin.row ? `No gradient arrives here: ${from} is not made of it.`
      : `Gradient ${short(slope)}: if this number grows a little, ${from} changes ${short(slope)} times as much.`);
  if (row === IMAGE) {
    const reach = network.reach(IMAGE, cell.cell), words = [...reach].filter(([k, mask]) => k >= 0 && mask.includes(1))
      .map(([k, mask]) => `${nameOf(k)} ${mask.reduce((a, b) => a + b, 0)} of ${mask.length}`);
    return [...head, arrived, element("p", {}, "It reaches, of each row: " + words.join(", ") + ".")];
  }
  return [...head, element("p", {}, element("code", {}, `${nameOf(row)} = ${rows[row].formula}`)), ...parts(cell), ...onward(cell), arrived];
}

/** What a cell is computed from: its windows, and the products that are added. @param {Cell} cell @returns {Node[]} */
function parts({ row, cell }) {
  const slopes = network.slopes(row, cell), seen = network.window(row, cell), value = network.values(row)[cell];
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
    const said = rows[row].affine && !near ? `${bracketed(slope)} · ${bracketed(x)} + ${bracketed(rest)} = ${short(value)}`
      : rows[row].affine ? `${slope === 1 ? "" : bracketed(slope) + " · "}${bracketed(x)} = ${short(value)}`
        : `${short(x)} becomes ${short(value)}; the slope here is ${short(slope)}`;
    return [element("p", {}, `Reads ${nameOf(source)}, ${placeOf({ row: source, cell: i })}: `, element("b", {}, said), ".")];
  }
  const active = terms.filter(({ slope }) => slope !== 0);
  const ranked = active.filter(({ x }) => x !== 0).sort((a, b) => Math.abs(b.x * b.slope) - Math.abs(a.x * a.slope));
  if (rows[row].affine) {
    const listed = ranked.slice(0, MOST_TERMS).map(({ x, slope }) => `${bracketed(x)} · ${bracketed(slope)}`).join(" + ");
    lines.push(element("p", {}, `${terms.length} products, the largest first: `, element("span", { class: "sum" },
      (listed || "0") + (ranked.length > MOST_TERMS ? " + …" : "") + ` = ${short(total)}`)));
    lines.push(element("p", {}, near ? `That is the value: there is no bias.` : "With the bias: ",
      ...(near ? [] : [element("b", {}, `${short(total)} + ${bracketed(rest)} = ${short(value)}`)])));
  } else if (near && active.length === 1) {
    const [{ source, i, x }] = active;
    lines.push(element("p", {}, `The largest of ${terms.length} wins: `,
      element("b", {}, short(x)), ` at ${nameOf(source)}, ${placeOf({ row: source, cell: i })}. It alone gets the gradient.`));
  } else {
    lines.push(element("p", {}, `Made of ${terms.length} numbers` + (near ? `: their sum, each times its slope, is ${short(total)}.`
      : ", by a curve: the slopes tell how it changes with each.")));
  }
  lines.push(...rows[row].sources.map(({ row: source }, k) => blocks(source, seen[k], slopes[k], rows[row].affine)));
  return lines;
}

/** The windows of a source, map by map: the values, the slopes (the kernel), and their products.
 * @param {number} source @param {Uint8Array} seen @param {Float32Array} slopes @param {boolean} affine */
function blocks(source, seen, slopes, affine) {
  const { maps, height, width, cells } = views[source + 1].shape, x = network.values(source);
  /** @type {Map<number, number[]>} */
  const byMap = new Map();
  for (const i of marked(seen)) {
    const map = Math.floor(i / height / width);
    byMap.set(map, [...(byMap.get(map) || []), i]);
  }
  const table = element("table", { class: "blocks" });
  table.append(element("tr", {}, ...[maps > 1 ? "map" : "", nameOf(source), affine ? "kernel" : "slope", "product", "sum"]
    .map((word) => element("th", {}, word))));
  const shown = [...byMap].slice(0, MOST_BLOCKS), every = shown.flatMap(([, inside]) => inside);
  const products = x.map((v, i) => v * slopes[i]);
  for (const [map, inside] of shown) {
    const sum = inside.reduce((total, i) => total + products[i], 0);
    const pictures = [x, slopes, products].map((values) => element("td", {}, patch(values, inside, width, every)));
    table.append(element("tr", {}, element("td", {}, maps > 1 ? String(map) : ""), ...pictures, element("td", {}, short(sum))));
  }
  if (byMap.size > shown.length) table.append(element("caption", {}, `${shown.length} of ${byMap.size} maps`));
  return cells ? table : element("span", {});
}

/** A part of a map as a small picture; with numbers where there is room for them.
 * @param {Float32Array} values @param {number[]} inside @param {number} width @param {number[]} every */
function patch(values, inside, width, every) {
  const ys = inside.map((i) => Math.floor(i / width)), xs = inside.map((i) => i % width);
  const top = Math.min(...ys), left = Math.min(...xs), w = Math.max(...xs) - left + 1, h = Math.max(...ys) - top + 1;
  const maps = new Maps({ maps: 1, height: h, width: w, cells: w * h }, 80), part = new Float32Array(w * h);
  inside.forEach((i, n) => { part[(ys[n] - top) * w + xs[n] - left] = values[i]; });
  maps.paint(part, every.reduce((most, i) => Math.max(most, Math.abs(values[i])), 0));
  maps.box.title = inside.length > 30 ? "" : inside.map((i) => short(values[i])).join("  ");
  return maps.box;
}

/** What the next row makes of a cell, where that is one cell. @param {Cell} cell @returns {Node[]} */
function onward({ row, cell }) {
  const next = rows.findIndex((one, k) => k > row && one.size === rows[row].size && one.sources.some((s) => s.row === row));
  if (next < 0) return [];
  const reached = [...marked(network.reach(row, cell).get(next) || new Uint8Array())];
  if (reached.length !== 1) return [];
  const [value, made] = [network.values(row)[cell], network.values(next)[reached[0]]];
  return [element("p", {}, `Then ${nameOf(next)} makes ${short(made)} of ${short(value)}.`)];
}

// -- pointing ----------------------------------------------------------------------------------------------------------

/** @param {EventTarget | null} target @returns {Maps | null} */
function mapsOf(target) {
  if (!(target instanceof HTMLCanvasElement) || !target.dataset.row) return null;
  const view = views[Number(target.dataset.row) + 1];
  return target.dataset.side === "values" ? view.values : view.slopes;
}

/** @param {Cell | null} cell */
function point(cell) {
  if (cell?.row === pointed?.row && cell?.cell === pointed?.cell) return;
  pointed = cell;
  requestAnimationFrame(explain);
}

/** @param {Cell} cell */
function choose(cell) {
  state.pinned = cell;
  get("fade").value = cell.row === IMAGE ? 1 : network.fade(cell.row)[fadeOf(cell)];
  get("fading").hidden = cell.row === IMAGE;
  if (cell.row !== IMAGE) seed(cell);
  explain();
}

const rowsBox = get("rows");
rowsBox.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
  if (event.pointerType !== "mouse") return;
  const maps = mapsOf(event.target), cell = maps ? maps.cellAt(event) : -1;
  point(cell < 0 ? null : { row: Number(/** @type {HTMLElement} */ (event.target).dataset.row), cell });
});
rowsBox.addEventListener("pointerleave", () => point(null));
rowsBox.addEventListener("click", (/** @type {PointerEvent} */ event) => {
  const maps = mapsOf(event.target), cell = maps ? maps.cellAt(event) : -1;
  if (cell >= 0) choose({ row: Number(/** @type {HTMLElement} */ (event.target).dataset.row), cell });
});
rowsBox.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const maps = mapsOf(event.target);
  if (!maps || event.ctrlKey || event.altKey || event.metaKey) return;
  const row = Number(/** @type {HTMLElement} */ (event.target).dataset.row);
  const here = pointed && pointed.row === row ? pointed.cell : 0;
  if (event.key.startsWith("Arrow")) point({ row, cell: pointed && pointed.row === row ? maps.neighbour(here, event.key) : 0 });
  else if (event.key === "Enter" || event.key === " ") choose({ row, cell: here });
  else return;
  event.preventDefault();
  const cell = { row, cell: pointed ? pointed.cell : here };
  get("said").textContent = `${nameOf(row)}, ${placeOf(cell)}: ${short(network.values(row)[cell.cell])}, ` +
    `gradient ${short(network.gradient(row)[cell.cell])}`;
});
rowsBox.addEventListener("focusout", () => point(null));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  state.pinned = null;
  seed(null);
  explain();
});
get("follow").addEventListener("click", () => seed(null));
get("unpin").addEventListener("click", () => { state.pinned = null; explain(); });
get("fade").addEventListener("input", () => {
  if (!state.pinned || state.pinned.row === IMAGE) return;
  network.fade(state.pinned.row)[fadeOf(state.pinned)] = Number(get("fade").value);
  showFades();
  update();
});
get("restore").addEventListener("click", () => {
  for (const one of Object.values(networks)) rows.forEach((_, row) => one.fade(row).fill(1));
  get("fade").value = 1;
  showFades();
  update();
});

function showFades() {
  const list = rows.flatMap((row, k) => fadedMaps(k).map((map) => `${row.shown} ${map}`));
  get("restore").hidden = !list.length;
  get("faded").textContent = list.length ? `Faded: ${list.slice(0, 8).join(", ")}${list.length > 8 ? ", …" : ""}.` : "";
}

// -- the pad -----------------------------------------------------------------------------------------------------------

const pad = get("pad");
const sheetShape = { maps: 1, height: sheet.height, width: sheet.width, cells: sheet.height * sheet.width };
/** @type {Maps | null} */
let paper = null;
if (sheet.height > 3) {
  paper = new Maps(sheetShape, 1e9);
  paper.canvas.id = "paper";
  paper.canvas.setAttribute("role", "img");
  paper.canvas.setAttribute("aria-label", "the image; draw on it with mouse, finger or pen");
  paper.box.removeAttribute("style");
  pad.prepend(paper.box);
} else get("drawing").hidden = true;

function showPad() {
  paper?.paintImage(state.base, sheet.paper, sheet.ink);
  get("turned").textContent = state.degrees + "°";
  get("moved").textContent = `${state.shift[1]}, ${state.shift[0]}`;
  [...get("images").children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === state.image)));
  get("python").textContent = python();
  update();
}

/** @param {number} i */
function chooseImage(i) {
  Object.assign(state, { image: i, base: images.slice(i * size, (i + 1) * size), drawn: false });
  straight();
}

function straight() {
  Object.assign(state, { degrees: 0, shift: [0, 0] });
  for (const id of ["turn", "across", "down"]) get(id).value = 0;
  showPad();
}

/** The gradient beside the paper, where there is no room for both sides of the rows. */
const small = paper && new Maps(views[0].shape, 150);
if (small) {
  small.box.removeAttribute("style");
  get("saliency").append(small.box);
}
if (window.innerWidth <= 760) get("moving").open = false;

let pen = /** @type {number[] | null} */ (null);
/** @param {PointerEvent} event */
function penAt(event) {
  const box = paper?.canvas.getBoundingClientRect() || new DOMRect();
  return [(event.clientY - box.top) / box.height * sheet.height, (event.clientX - box.left) / box.width * sheet.width];
}

/** @param {number[]} to */
function draw(to) {
  const rubber = get("rubber").getAttribute("aria-pressed") === "true";
  stroke(state.base, sheet, pen || to, to, Number(get("width").value) * sheet.height / 32, rubber ? sheet.paper : sheet.ink);
  pen = to;
  if (state.image === null) state.drawn = true;
  showPad();
}

paper?.canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  paper?.canvas.setPointerCapture(event.pointerId);
  pen = null;
  draw(penAt(event));
  event.preventDefault();
});
paper?.canvas.addEventListener("pointermove", (event) => {
  if (!pen) return;
  const between = event.getCoalescedEvents?.() || [];
  for (const one of between.length ? between : [event]) draw(penAt(one));
});
for (const end of ["pointerup", "pointercancel"]) paper?.canvas.addEventListener(end, () => { pen = null; });
get("clear").addEventListener("click", () => {
  Object.assign(state, { image: null, drawn: true, base: new Float32Array(size).fill(sheet.paper) });
  straight();
});
get("rubber").addEventListener("click", () => {
  const button = get("rubber");
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
});
get("fit").addEventListener("change", showPad);
for (const id of ["turn", "across", "down"]) {
  get(id).addEventListener("input", () => {
    state.degrees = Number(get("turn").value);
    state.shift = [Number(get("down").value), Number(get("across").value)];
    showPad();
  });
}
get("straight").addEventListener("click", straight);

const thumbnails = data.answers.map((answer, i) => {
  const picture = new Maps(sheetShape, 1e9);
  const label = data.labels ? data.labels[i] : null, wrong = label !== null && scored && label !== answer;
  const said = label === null ? `image ${data.numbers[i]}` : wrong ? `${label}, read as ${answer}` : String(label);
  const button = element("button", { type: "button", title: said, "aria-label": said }, picture.canvas, element("span", {}, said));
  button.classList.toggle("wrong", wrong);
  button.addEventListener("click", () => chooseImage(i));
  get("images").append(button);
  return picture;
});
function showImages() {
  thumbnails.forEach((picture, i) => picture.paintImage(images.slice(i * size, (i + 1) * size), sheet.paper, sheet.ink));
}

// -- taken along -------------------------------------------------------------------------------------------------------

/** The shortest number that is v in float32. @param {number} v */
function shortest(v) {
  for (let digits = 1; digits < 9; digits++) {
    const n = Number(v.toPrecision(digits));
    if (Math.fround(n) === Math.fround(v)) return n;
  }
  return v;
}

/** What is shown, as a line of Python. */
function python() {
  const moved = state.degrees || state.shift[0] || state.shift[1], shape = [1, ...network.program.shape].join(", ");
  const untouched = state.image !== null && images.slice(state.image * size, (state.image + 1) * size).every((v, i) => v === state.base[i]);
  const numbers = () => `np.array([${Array.from(pixels(), shortest).join(", ")}], np.float32).reshape(${shape})`;
  const from = `images[${state.image === null ? 0 : data.numbers[state.image]}]`, one = from + "[None]";
  const { matrix: [a, b, c, d], shift } = turned(state.degrees, state.shift);
  const warp = `nets.warp(${one}, np.array([[[${a}, ${b}], [${c}, ${d}]]]), np.array([[${shift.join(", ")}]]), ${sheet.paper})`;
  const x = !untouched ? numbers() : moved ? warp : one, unit = state.seed && state.seed.row === last ? state.seed.cell : null;
  const wanted = unit === null ? (data.smallest ? "scores.data.argmin()" : "scores.data.argmax()") : String(unit);
  return `x = Tensor(${x}); scores = model(x).reshape(-1); [g] = gradients(scores[${wanted}], [x])`;
}

get("copy").addEventListener("click", async () => {
  get("python").textContent = python();
  try {
    await navigator.clipboard.writeText(python());
    get("done").textContent = "Copied.";
  } catch {
    getSelection()?.selectAllChildren(get("python"));
    get("done").textContent = "Selected: copy it with the keys of your browser.";
  }
});

// -- the walk, row by row ----------------------------------------------------------------------------------------------

/** Down through the values and up through the gradients, one row at a time; null shows all. @param {number | null} step */
function walk(step) {
  const end = 2 * last + 3, at = step === null ? null : Math.max(0, Math.min(end, step));
  state.step = at;
  const down = at === null ? last : Math.min(at - 1, last), up = at === null ? IMAGE : last - (at - last - 2);
  for (const { row, section } of views) {
    section.classList.toggle("unmade", row > down);
    section.classList.toggle("unreached", row < up);
    section.classList.toggle("now", at !== null && (at <= last + 1 ? row === down : row === up));
  }
  get("place").value = at === null ? end : at;
  const row = at !== null && at <= last + 1 ? down : up, readers = rows.filter((one) => one.sources.some((s) => s.row === row));
  get("walked").textContent = at === null ? "All rows."
    : at <= last + 1 ? (row === IMAGE ? "Forward. The image." : `Forward. ${rows[row].name} = ${rows[row].formula}`)
      : row === last ? `Backward. The gradient begins with 1 at ${placeOf(seedOf())}.`
        : `Backward. What arrives at ${nameOf(row)}: ` + readers.map((one) => one.sources.filter((s) => s.row === row)
          .map((s) => s.rule).join()).join(" + ");
  if (at !== null) views[row + 1].section.scrollIntoView({ block: "nearest", behavior: "instant" });
}
get("place").max = 2 * last + 3;
get("place").addEventListener("input", () => walk(Number(get("place").value)));
get("back").addEventListener("click", () => walk((state.step ?? 2 * last + 4) - 1));
get("forward").addEventListener("click", () => walk((state.step ?? -1) + 1));
get("everything").addEventListener("click", () => walk(null));

// -- the page ----------------------------------------------------------------------------------------------------------

for (const input of document.querySelectorAll("input[name=network]")) {
  input.addEventListener("change", () => {
    network = networks[/** @type {HTMLInputElement} */ (input).value];
    showFades();
    update();
  });
}
for (const input of document.querySelectorAll("input[name=side]")) {
  input.addEventListener("change", () => { rowsBox.dataset.side = /** @type {HTMLInputElement} */ (input).value; });
}

/** Wires that pass over rows, as those of a skip, beside the rows. */
function drawWires() {
  const box = rowsBox.getBoundingClientRect(), wires = get("wires");
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
      d += `M20 ${from}C${14 - 5 * lane} ${from + 8} ${14 - 5 * lane} ${from + 8} ${14 - 5 * lane} ${from + 18}V${to - 18}` +
        `C${14 - 5 * lane} ${to - 8} ${14 - 5 * lane} ${to - 8} 20 ${to}`;
    }
  });
  wires.querySelector("path").setAttribute("d", d);
  wires.querySelector("g").replaceChildren(...views.map((view) => {
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [key, value] of [["cx", 20], ["cy", middle(view.row)], ["r", 4]]) dot.setAttribute(String(key), String(value));
    return dot;
  }));
}

let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (Math.abs(window.innerWidth - width) < 2) return;
  width = window.innerWidth;
  for (const view of views) view.redraw();
  drawWires();
  frame();
  explain();
});
/** All pictures once more, in the colours of the page as they are now. */
function repaint() {
  readPalette();
  paintScale(get("scale"));
  showImages();
  showPad();
  explain();
  for (const view of views) view.paint();
}
window.addEventListener("beforeprint", repaint);
for (const query of ["print", "(prefers-color-scheme: dark)"]) matchMedia(query).addEventListener("change", repaint);

/** Runs f with every map whole, and then shows again what was shown. @template T @param {() => T} f @returns {T} */
function undisturbed(f) {
  const fades = rows.map((_, row) => network.fade(row).slice());
  rows.forEach((_, row) => network.fade(row).fill(1));
  try {
    return f();
  } finally {
    fades.forEach((fade, row) => network.fade(row).set(fade));
    frame();
  }
}

Object.assign(window, {
  explorer: {
    /** The values of all rows, by name. @param {number[]} image */
    forward: (image) => undisturbed(() => {
      network.forward(image);
      return Object.fromEntries(rows.map((row, k) => [row.name, Array.from(network.values(k))]));
    }),
    /** The gradient of a unit of the last row by the pixels. @param {number[]} image @param {number} unit */
    gradient: (image, unit) => undisturbed(() => {
      network.forward(image);
      network.backward(last, unit);
      return Array.from(network.gradient(IMAGE));
    }),
    /** The image as the network gets it. */
    pixels: () => Array.from(pixels()),
  },
});

showImages();
explain();
showPad();
frame();
drawWires();
