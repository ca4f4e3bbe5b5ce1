// A network that runs row by row, forward and backward from any cell, and its wires: see viz/pages/network.py.

import { prepare, wires } from "./kernels.js";

/** @typedef {import("./kernels.js").Line} Line */
/** @typedef {{row: number, slope: number, rule: string}} Source row -1 is the image */
/**
 * @typedef {object} Row
 * @property {string} name @property {string} shown its name without hidden signs @property {string} kind
 * @property {string} does what a layer of its kind does, in words @property {string} back what it does with a gradient
 * @property {number[]} output_shape @property {number} size
 * @property {number} parameters @property {number} connections @property {number} macs
 * @property {string} receptive_field @property {string} jump
 * @property {Source[]} sources @property {number} out @property {number} fade @property {number} seed
 * @property {string} formula @property {boolean} affine @property {Line[]} forward @property {Line[]} backward
 */
/**
 * @typedef {object} Program
 * @property {number[]} sizes @property {[number, number][]} constants @property {number} image
 * @property {number[]} shape @property {number[]} parameters @property {Line[]} once @property {Row[]} rows
 */

export const IMAGE = -1;

/** Bytes that were written in base64. @param {string} text */
export const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

/** Numbers that were written in base64. @param {string} text */
export const decoded = (text) => new Float32Array(bytesOf(text));

export class Network {
  /** @param {Program} program @param {Float32Array} weights */
  constructor(program, weights) {
    this.program = program;
    this.rows = program.rows;
    this.arrays = program.sizes.map((size) => new Float32Array(size));
    let begin = 0;
    for (const [slot, size] of program.constants) {
      this.arrays[slot].set(weights.subarray(begin, begin + size));
      begin += size;
    }
    for (const row of this.rows) this.arrays[row.fade].fill(1);
    for (const line of program.once) prepare(line, this.arrays)();
    this.steps = this.rows.map((row) => row.forward.map((line) => prepare(line, this.arrays)));
    this.back = this.rows.map((row) => row.backward.map((line) => prepare(line, this.arrays)));
    this.pixelGradient = new Float32Array(this.arrays[program.image].length);
  }

  /** The values of a row, or of the image. @param {number} row */
  values(row) {
    return this.arrays[row === IMAGE ? this.program.image : this.rows[row].out];
  }

  /** What has arrived at a row, or at the image, on the last way back. @param {number} row */
  gradient(row) {
    return row === IMAGE ? this.pixelGradient : this.arrays[this.rows[row].seed];
  }

  /** 1 for each map, or unit, of a row that is whole, less for one that is faded. @param {number} row */
  fade(row) {
    return this.arrays[this.rows[row].fade];
  }

  /** What f finds while a map of a row is whole; the rows behind it stay as they are.
   * @template T @param {number} row @param {number} map @param {() => T} f @returns {T} */
  whole(row, map, f) {
    const fade = this.fade(row), part = fade[map];
    if (part === 1) return f();
    fade[map] = 1;
    for (const step of this.steps[row]) step();
    const found = f();
    fade[map] = part;
    for (const step of this.steps[row]) step();
    return found;
  }

  /** Computes all rows. @param {ArrayLike<number>} pixels */
  forward(pixels) {
    const image = this.values(IMAGE);
    if (pixels.length !== image.length) throw new Error(`the image has ${image.length} pixels, got ${pixels.length}`);
    image.set(pixels);
    for (const row of this.steps) for (const step of row) step();
  }

  /** Sends a gradient of 1 back from a cell to all rows before it. @param {number} row @param {number} cell */
  backward(row, cell) {
    const { name, size } = this.rows[row];
    if (!(Number.isInteger(cell) && cell >= 0 && cell < size)) throw new Error(`${name} has no unit ${cell}`);
    for (let k = 0; k < this.rows.length; k++) this.gradient(k).fill(0);
    this.pixelGradient.fill(0);
    this.gradient(row)[cell] = 1;
    const reached = new Set([row]);
    for (let k = row; k >= 0; k--) {
      if (!reached.has(k)) continue;
      for (const step of this.back[k]) step();
      for (const source of this.rows[k].sources) {
        const share = this.arrays[source.slope], sum = this.gradient(source.row);
        for (let i = 0; i < sum.length; i++) sum[i] += share[i];
        reached.add(source.row);
      }
    }
  }

  /** The derivatives of one cell by the rows that its row reads; the gradients stay as they are.
   * @param {number} row @param {number} cell */
  slopes(row, cell) {
    const seed = this.gradient(row), before = seed.slice();
    seed.fill(0);
    seed[cell] = 1;
    for (const step of this.back[row]) step();
    const found = this.rows[row].sources.map((source) => this.arrays[source.slope].slice());
    seed.set(before);
    return found;
  }

  // -- wires ----------------------------------------------------------------------------------------------------------

  /** Which numbers are there, whatever the parameters are: all but zeros in constants. */
  get present() {
    if (!this.known) {
      const parameters = new Set(this.program.parameters), masks = this.program.sizes.map((n) => new Uint8Array(n));
      for (const [slot] of this.program.constants) {
        this.arrays[slot].forEach((value, i) => { masks[slot][i] = parameters.has(slot) || value !== 0 ? 1 : 0; });
      }
      for (const line of this.program.once) wires(line, masks, masks, true);
      for (const row of this.rows) for (const slot of [row.fade, row.seed]) masks[slot].fill(1);
      masks[this.program.image].fill(1);
      for (const row of this.rows) for (const line of row.forward) masks[line[1]].fill(1);
      this.known = masks;
    }
    return this.known;
  }

  /** What a cell reads: a mask for each of the rows that its row reads. @param {number} row @param {number} cell */
  window(row, cell) {
    const masks = this.program.sizes.map((n) => new Uint8Array(n)), { out, forward, sources } = this.rows[row];
    masks[out][cell] = 1;
    for (const line of [...forward].reverse()) wires(line, masks, this.present, false);
    return sources.map((source) => masks[source.row === IMAGE ? this.program.image : this.rows[source.row].out]);
  }

  /** What a cell sees: for the image (at -1) and each row before it a mask of its cells.
   * @param {number} row @param {number} cell @returns {Map<number, Uint8Array>} */
  field(row, cell) {
    const masks = this.program.sizes.map((n) => new Uint8Array(n));
    masks[this.rows[row].out][cell] = 1;
    for (let k = row; k >= 0; k--) {
      for (const line of [...this.rows[k].forward].reverse()) wires(line, masks, this.present, false);
    }
    return this.byRow(masks, (k) => k <= row);
  }

  /** What a cell reaches: a mask for each row after it. @param {number} row @param {number} cell */
  reach(row, cell) {
    const masks = this.program.sizes.map((n) => new Uint8Array(n));
    masks[row === IMAGE ? this.program.image : this.rows[row].out][cell] = 1;
    for (let k = row + 1; k < this.rows.length; k++) {
      for (const line of this.rows[k].forward) wires(line, masks, this.present, true);
    }
    return this.byRow(masks, (k) => k >= row);
  }

  /** @param {Uint8Array[]} masks @param {(row: number) => boolean} wanted @returns {Map<number, Uint8Array>} */
  byRow(masks, wanted) {
    const found = new Map();
    if (wanted(IMAGE)) found.set(IMAGE, masks[this.program.image]);
    this.rows.forEach((row, k) => { if (wanted(k)) found.set(k, masks[row.out]); });
    return found;
  }
}
