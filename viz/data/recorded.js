// A network that is too large for a page to run: what it made of some images, as it was.  See viz/pages/recorded.py.

import { IMAGE, bytesOf, decoded } from "./network.js";
import { STEPS } from "./maps.js";

/** @typedef {{row: number, rule: string}} Source row -1 is the image */
/**
 * @typedef {object} Row a row of the summary, and how much of it was recorded: of each image its largest value, its
 *  largest gradient, and the maps that are 0 all over
 * @property {string} name @property {string} shown @property {string} kind @property {string} does @property {string} back
 * @property {number[]} output_shape
 * @property {number} size @property {number[]} seen the shape of what was recorded @property {number} step of its rows
 * and columns @property {number[]} most @property {number[]} steepest @property {number[][]} silent
 * @property {Source[]} sources @property {string} formula
 */
/**
 * @typedef {object} Program
 * @property {number[]} shape of an image @property {number[]} seen @property {number} step
 * @property {number[]} steepest @property {string} outputs of the last row, image after image @property {Row[]} rows
 */

/** @param {number[]} shape */
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

export class Recorded {
  /** @param {Program} program @param {string} numbers of one image after the other */
  constructor(program, numbers) {
    this.program = program;
    this.rows = program.rows;
    this.steps = new Int8Array(bytesOf(numbers));
    this.outputs = decoded(program.outputs);
  }

  /** Takes out what was recorded of an image. @param {number} i which of the images @param {Float32Array} pixels */
  show(i, pixels) {
    const count = this.program.steepest.length, each = this.steps.length / count, size = this.outputs.length / count;
    let at = i * each;
    /** @param {number[]} shape @param {number} most */
    const next = (shape, most) => {
      const begin = at;
      at += sizeOf(shape);
      return Float32Array.from(this.steps.subarray(begin, at), (step) => step / STEPS * most);
    };
    this.image = i;
    this.pixels = pixels;
    this.pixelGradient = next(this.program.seen, this.program.steepest[i]);
    this.known = this.rows.map(({ seen, most, steepest }) => [next(seen, most[i]), next(seen, steepest[i])]);
    this.known[this.rows.length - 1][0] = this.outputs.subarray(i * size, (i + 1) * size);
  }

  /** The values of a row, or of the image. @param {number} row */
  values(row) {
    return row === IMAGE ? this.pixels : this.known[row][0];
  }

  /** The gradient of the answer by a row, or by the image. @param {number} row */
  gradient(row) {
    return row === IMAGE ? this.pixelGradient : this.known[row][1];
  }

  /** The maps of a row that are 0 all over. @param {number} row */
  silent(row) {
    return this.rows[row].silent[this.image];
  }
}
