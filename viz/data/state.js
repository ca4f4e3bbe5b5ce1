// What the page is about, what is chosen in it, and words and numbers for it: all other parts share this.

import { IMAGE, Network, decoded } from "./network.js";
import { Recorded } from "./recorded.js";
import { shapeOf } from "./maps.js";

/** @typedef {import("./network.js").Program} Program */
/** @typedef {import("./pixels.js").Sheet} Sheet */
/**
 * @typedef {object} Data
 * @property {boolean} live whether the network runs here, or shows what was recorded of it
 * @property {Record<string, {program: Program, numbers: string}>} networks @property {string} images
 * @property {number[]} numbers of the images, as the caller counts them @property {number[] | null} labels
 * @property {string} setup lines of Python that make the model and the images
 * @property {Record<string, number[]>} answers of each network
 * @property {Record<string, string>} counted what is said of the images
 * @property {boolean} smallest @property {Sheet} sheet
 * @property {number[][]} dead of each row the maps that are 0 for all images
 */
/** @typedef {{row: number, cell: number}} Cell row -1 is the image */

/** @param {string} id @returns {any} */
export const get = (id) => document.getElementById(id);

/** @type {Data} */
export const data = JSON.parse(get("data").textContent);
export const { sheet, live } = data;
/** @type {Record<string, any>} */
export const networks = Object.fromEntries(Object.entries(data.networks).map(([name, { program, numbers }]) =>
  [name, live ? new Network(program, decoded(numbers)) : new Recorded(program, numbers)]));
export const rows = networks.after.rows, last = rows.length - 1;
const { program } = networks.after;
export const images = decoded(data.images), size = images.length / data.numbers.length;
export const scored = rows[last].output_shape.length === 1 && rows[last].size > 1;

const flat = program.shape.length === 1;  // an image as a list of pixels
/** How the image, and then each row, is laid out. */
export const shapes = [
  flat ? { maps: 1, height: sheet.height, width: sheet.width, cells: size } : shapeOf(program.seen || program.shape),
  ...rows.map((row) => shapeOf(row.seen || row.output_shape)),
];

export const state = {
  network: networks.after,
  image: /** @type {number | null} */ (0),  // which of the images; null for a drawing that began on white paper
  base: /** @type {Float32Array} */ (images.slice(0, size)),  // what lies on the pad
  drawn: false,
  degrees: 0,
  shift: [0, 0],
  seed: /** @type {Cell | null} */ (null),  // where the gradient begins; null: at the answer
  pinned: /** @type {Cell | null} */ (null),  // the cell that is explained when nothing is pointed at
  pointed: /** @type {Cell | null} */ (null),  // the cell that is pointed at
  step: /** @type {number | null} */ (null),  // how far the walk is; null: all is shown
};

// -- words and numbers ------------------------------------------------------------------------------------------------

/** @param {number} v */
export function short(v) {
  if (!Number.isFinite(v)) return String(v).replace("-", "−").replace("Infinity", "∞");
  return String(Number(v.toPrecision(3))).replace("-", "−");
}

/** @param {number} v */
export const bracketed = (v) => (v < 0 ? `(${short(v)})` : short(v));

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children */
export function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

/** @param {number} row */
export const nameOf = (row) => (row === IMAGE ? "image" : rows[row].shown);

/** @param {Cell} cell */
export function placeOf({ row, cell }) {
  const { maps, height, width } = shapes[row + 1];
  if (row !== IMAGE && rows[row].output_shape.length < 2) {
    return (row === last && scored ? "score " : "unit ") + cell * (rows[row].step || 1);
  }
  const step = (row === IMAGE ? program.step : rows[row].step) || 1, map = Math.floor(cell / width / height);
  const y = step * (Math.floor(cell / width) % height), x = step * (cell % width);
  return (maps > 1 ? `map ${map}, ` : "") + (height > 1 ? `row ${y}, column ${x}` : `place ${x}`);
}

/** A cell in a sentence. @param {Cell} cell */
export const spoken = (cell) => (cell.row === last && scored ? placeOf(cell) : `${nameOf(cell.row)}, ${placeOf(cell)}`);

/** @param {Float32Array} scores */
export function answerOf(scores) {
  let best = 0;
  for (let i = 1; i < scores.length; i++) {
    if (data.smallest ? scores[i] < scores[best] : scores[i] > scores[best]) best = i;
  }
  return best;
}

/** @returns {Cell} */
export const seedOf = () => state.seed || { row: last, cell: answerOf(state.network.values(last)) };

// -- a frame ----------------------------------------------------------------------------------------------------------

const SLOW = 100;  // milliseconds: from here on it is said that the page computes

let asked = false, painter = () => {}, slow = false;

/** Says what a frame shows. @param {() => void} show */
export function onFrame(show) {
  painter = show;
}

/** Shows everything as it is now. */
export function frame() {
  const begin = performance.now();
  asked = false;
  painter();
  slow = performance.now() - begin > SLOW;
  get("main").setAttribute("aria-busy", "false");
}

/** Asks for a frame, once however often it is asked.  Where frames are slow, what has been drawn is seen before. */
export function update() {
  if (asked) return;
  asked = true;
  if (slow) get("main").setAttribute("aria-busy", "true");
  requestAnimationFrame(slow ? () => setTimeout(frame) : frame);
}
