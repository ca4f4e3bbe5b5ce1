// Feature maps as pictures: one canvas for all maps of a row, and an outline over it.

/** @typedef {{maps: number, height: number, width: number, cells: number}} Shape of a row: cells is their number */

const SVG = "http://www.w3.org/2000/svg";
const MOST_COLUMNS = 8, WIDEST_MAP = 72, ALONE = 150, LARGEST_CELL = 14, GAP = 2;
export const FEW_MAPS = 32;  // of a row are shown at first

/** How the cells of a row are laid out: maps of two axes, or one map of units, as many a line as are easily counted.
 * @param {number[]} shape @returns {Shape} */
export function shapeOf(shape) {
  const cells = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 2) return { maps: shape[0], height: 1, width: shape[1], cells };
  if (shape.length > 2) {
    const [height, width] = shape.slice(-2);
    return { maps: cells / height / width, height, width, cells };
  }
  const side = Math.sqrt(cells);
  const width = cells > 100 && Number.isInteger(side) && cells !== 400 ? side : Math.min(cells, cells % 21 ? 20 : 21);
  return { maps: 1, height: Math.ceil(cells / width), width, cells };
}

/** The colours of the page, as [red, green, blue]. @param {string} name */
function color(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/** @param {number[]} one @param {number[]} two @param {number} part @returns {number[]} */
const mixed = (one, two, part) => one.map((c, i) => c + part * (two[i] - c));

/** @param {number[]} rgb */
const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;  // as the bytes of ImageData lie in memory

export const STEPS = 127;  // of colour, on either side of 0
/** @type {Record<"signed" | "grey", Int32Array> & Record<"paper" | "words" | "above" | "below", number[]>} */
let palette;

/** Reads the colours: once, and when dark and light change. */
export function readPalette() {
  const [paper, words, above, below] = ["--paper", "--words", "--above-0", "--below-0"].map(color);
  const signed = new Int32Array(2 * STEPS + 1), grey = new Int32Array(STEPS + 1);
  for (let i = -STEPS; i <= STEPS; i++) {
    signed[i + STEPS] = packed(mixed(paper, i < 0 ? below : above, Math.abs(i / STEPS) ** 0.7));
  }
  for (let i = 0; i <= STEPS; i++) grey[i] = packed(mixed(paper, words, i / STEPS));
  palette = { signed, grey, paper, words, above, below };
}

/** The largest value on either side of 0. @param {Float32Array} values */
export function largest(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > most) most = size;
  }
  return most;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function svg(name, attributes) {
  const e = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, String(value));
  return e;
}

/** The maps of a row, in a canvas of one pixel a cell that the page enlarges. */
export class Maps {
  /** @param {Shape} shape @param {number} room in pixels of the page @param {number} most how many maps are shown */
  constructor(shape, room, most = FEW_MAPS) {
    this.shape = shape;
    const { maps, height, width } = shape, shown = Math.min(maps, most);
    this.shown = shown;
    const columns = Math.min(shown, MOST_COLUMNS, Math.max(1, Math.floor(room / (Math.min(width, WIDEST_MAP) + GAP))));
    const alone = maps === 1 && height > 1;
    const cell = Math.min(LARGEST_CELL, (alone ? ALONE : WIDEST_MAP) / (alone ? Math.min(width, 24) : width));
    const scale = Math.min(cell, (room - 2) / (columns * (width + GAP)));
    this.scale = scale > 2.5 ? Math.floor(scale) : Math.max(1, Math.floor(4 * scale) / 4);
    const gap = Math.max(1, Math.round(GAP * 2 / this.scale)), lines = Math.ceil(shown / columns);
    this.width = columns * (width + gap) - gap;
    this.height = lines * (height + gap) - gap;
    this.at = new Int32Array(shown * height * width);
    for (let i = 0; i < this.at.length; i++) {
      const map = Math.floor(i / (height * width)), y = Math.floor(i / width) % height, x = i % width;
      this.at[i] = (Math.floor(map / columns) * (height + gap) + y) * this.width + (map % columns) * (width + gap) + x;
    }
    this.cells = Math.min(shape.cells, this.at.length);
    this.under = new Int32Array(this.width * this.height).fill(-1);
    for (let i = 0; i < this.cells; i++) this.under[this.at[i]] = i;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("this browser cannot draw");
    this.context = context;
    this.image = context.createImageData(this.width, this.height);
    this.pixels = new Int32Array(this.image.data.buffer);
    this.overlay = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, "aria-hidden": "true" });
    this.marks = Object.fromEntries(["edge", "silent", "dead", "faded", "field", "here"].map((name) => {
      const path = svg("path", { class: name });
      this.overlay.append(path);
      return [name, path];
    }));
    this.frame("edge", Array.from({ length: shown }, (_, map) => map), false);
    this.box = document.createElement("div");
    this.box.className = "maps";
    this.box.style.setProperty("width", this.width * this.scale + "px");
    this.box.style.setProperty("height", this.height * this.scale + "px");
    this.box.append(this.canvas, this.overlay);
  }

  /** Signed values, coloured up to `most`. @param {Float32Array} values @param {number} most */
  paint(values, most) {
    const { signed } = palette, factor = most > 0 ? STEPS / most : 0;
    for (let i = 0; i < this.cells; i++) {
      const v = values[i] * factor;
      this.pixels[this.at[i]] = signed[STEPS + (v > STEPS ? STEPS : v < -STEPS ? -STEPS : Math.round(v) | 0)];
    }
    this.context.putImageData(this.image, 0, 0);
  }

  /** The image, from paper to ink. @param {Float32Array} values @param {number} paper @param {number} ink */
  paintImage(values, paper, ink) {
    const plane = this.shape.height * this.shape.width;
    for (let i = 0; i < this.cells; i++) {
      this.pixels[this.at[i]] = palette.grey[greyOf(values[i], paper, ink)];
    }
    if (values.length === 3 * plane) {  // red, green, blue: each map in its own light, one map in all three
      const light = (/** @type {number} */ i) => {
        const part = Math.round(255 * Math.max(0, Math.min(1, (values[i] - paper) / (ink - paper))));
        return part << (8 * Math.floor(i / plane));
      };
      for (let i = 0; i < this.cells; i++) {
        const lights = this.shape.maps === 3 ? light(i) : light(i) | light(i + plane) | light(i + 2 * plane);
        this.pixels[this.at[i]] = (255 << 24) | lights;
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }

  /** A gradient over a faint image. @param {Float32Array} slopes @param {number} most @param {Float32Array} values
   * @param {number} paper @param {number} ink */
  paintOver(slopes, most, values, paper, ink) {
    const { above, below, words } = palette, factor = most > 0 ? 1 / most : 0;
    for (let i = 0; i < this.cells; i++) {
      const under = mixed(palette.paper, words, 0.18 * greyOf(values[i], paper, ink) / STEPS);
      const part = Math.min(1, Math.abs(slopes[i]) * factor) ** 0.7;
      this.pixels[this.at[i]] = packed(mixed(under, slopes[i] < 0 ? below : above, part));
    }
    this.context.putImageData(this.image, 0, 0);
  }

  /** The cell under a point of the page, or -1. @param {{clientX: number, clientY: number}} point */
  cellAt({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((clientX - box.left) / box.width * this.width);
    const y = Math.floor((clientY - box.top) / box.height * this.height);
    return x < 0 || y < 0 || x >= this.width || y >= this.height ? -1 : this.under[y * this.width + x];
  }

  /** The neighbour of a cell that an arrow key leads to; the cell itself where there is none.
   * @param {number} cell @param {string} key */
  neighbour(cell, key) {
    const x = this.at[cell] % this.width, y = Math.floor(this.at[cell] / this.width);
    const [dx, dy] = /** @type {Record<string, number[]>} */ (
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[key];
    for (let far = 1; far < 6; far++) {  // over the gap between two maps
      const [u, v] = [x + far * dx, y + far * dy];
      if (u < 0 || v < 0 || u >= this.width || v >= this.height) break;
      if (this.under[v * this.width + u] >= 0) return this.under[v * this.width + u];
    }
    return cell;
  }

  /** Outlines the marked cells. @param {string} mark @param {Iterable<number>} cells */
  outline(mark, cells) {
    const inside = new Set();
    for (const cell of cells) if (cell < this.cells) inside.add(this.at[cell]);
    let d = "";
    for (const p of inside) {
      const x = p % this.width, y = Math.floor(p / this.width);
      if (!inside.has(p - this.width)) d += `M${x} ${y}h1`;
      if (!inside.has(p + this.width)) d += `M${x} ${y + 1}h1`;
      if (x === 0 || !inside.has(p - 1)) d += `M${x} ${y}v1`;
      if (x === this.width - 1 || !inside.has(p + 1)) d += `M${x + 1} ${y}v1`;
    }
    this.marks[mark].setAttribute("d", d);
  }

  /** Strikes maps out, or frames them. @param {string} mark @param {number[]} maps @param {boolean} struck */
  frame(mark, maps, struck) {
    const { height, width } = this.shape;
    this.marks[mark].setAttribute("d", maps.filter((map) => map < this.shown).map((map) => {
      const p = this.at[map * height * width], x = p % this.width, y = Math.floor(p / this.width);
      const box = `M${x} ${y}h${width}v${height}h${-width}z`;
      const strokes = mark === "dead" ? `M${x} ${y + height}l${width} ${-height}` : "";
      return struck ? box + `M${x} ${y}l${width} ${height}` + strokes : box;
    }).join(""));
  }
}

/** How dark a pixel is, from 0 to STEPS. @param {number} value @param {number} paper @param {number} ink */
function greyOf(value, paper, ink) {
  return Math.round(STEPS * Math.max(0, Math.min(1, (value - paper) / (ink - paper))));
}

/** A bar of the signed scale. @param {HTMLCanvasElement} canvas */
export function paintScale(canvas) {
  const context = canvas.getContext("2d");
  if (!context) return;
  canvas.width = 2 * STEPS + 1;
  canvas.height = 1;
  const image = context.createImageData(canvas.width, 1);
  new Int32Array(image.data.buffer).set(palette.signed);
  context.putImageData(image, 0, 0);
}
