// The image that the network gets: drawn with a pen, fitted into the frame of the data, moved and turned.

/** @typedef {{height: number, width: number, paper: number, ink: number, frame: number[]}} Sheet
 * frame: where the ink of the data is, as [top, left, bottom, right] */
/** @typedef {{matrix: number[], shift: number[]}} Map an affine map A p, as [a, b, c, d], of p - shift; p is (y, x) */

const EDGE = 1;  // pixels over which a line of the pen fades out

/** Draws a line from one point to another, in pixels; what is darker already stays.
 * @param {Float32Array} image @param {Sheet} sheet @param {number[]} from @param {number[]} to (y, x)
 * @param {number} radius @param {number} color */
export function stroke(image, { height, width, paper }, from, to, radius, color) {
  const [dy, dx] = [to[0] - from[0], to[1] - from[1]], length2 = dy * dy + dx * dx, plane = height * width;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const py = y + 0.5 - from[0], px = x + 0.5 - from[1];
      const along = length2 ? Math.max(0, Math.min(1, (py * dy + px * dx) / length2)) : 0;
      const far = Math.hypot(py - along * dy, px - along * dx);
      const cover = Math.max(0, Math.min(1, (radius + EDGE / 2 - far) / EDGE));
      if (!cover) continue;
      for (let i = y * width + x; i < image.length; i += plane) {
        const value = paper + cover * (color - paper);
        const further = Math.abs(value - paper) > Math.abs(image[i] - paper);
        if (color === paper) image[i] += cover * (paper - image[i]);
        else if (further) image[i] = value;
      }
    }
  }
}

/** The map that turns by some degrees and moves by (y, x).
 * @param {number} degrees @param {number[]} shift @returns {Map} */
export function turned(degrees, shift) {
  const angle = degrees * Math.PI / 180, cos = Math.cos(angle), sin = Math.sin(angle);
  return { matrix: [cos, -sin, sin, cos], shift };
}

/** The map that brings what is drawn to the middle of the frame, as large as it. @param {Float32Array} image
 * @param {Sheet} sheet @returns {Map} */
export function fitted(image, { height, width, paper, ink, frame }) {
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((image[y * width + x] - paper) / (ink - paper) < 0.25) continue;
      [top, left] = [Math.min(top, y), Math.min(left, x)];
      [bottom, right] = [Math.max(bottom, y + 1), Math.max(right, x + 1)];
    }
  }
  if (bottom === 0) return { matrix: [1, 0, 0, 1], shift: [0, 0] };
  const tall = (bottom - top) / (frame[2] - frame[0]), wide = (right - left) / width;
  const shrink = Math.max(tall, wide);  // how much larger than in the frame it was drawn
  const middle = [(top + bottom - height) / 2, (left + right - width) / 2];
  const aim = [(frame[0] + frame[2] - height) / 2, (frame[1] + frame[3] - width) / 2];
  return { matrix: [shrink, 0, 0, shrink], shift: [aim[0] - middle[0] / shrink, aim[1] - middle[1] / shrink] };
}

/** An image seen through an affine map, as nets.warp does: the pixel at p is that at A (p - shift), from the middle.
 * @param {Float32Array} image @param {Sheet} sheet @param {Map} map @returns {Float32Array} */
export function warped(image, { height, width, paper }, { matrix: [a, b, c, d], shift }) {
  const found = new Float32Array(image.length), plane = height * width;
  /** @param {number} p @param {number} n */
  const split = (p, n) => {
    const held = Math.max(-1, Math.min(n, p)), before = Math.min(Math.floor(held), n - 1);
    return [before, held - before];
  };
  for (let first = 0; first < image.length; first += plane) {
    /** @param {number} y @param {number} x */
    const pixel = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? paper : image[first + y * width + x]);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const py = y - (height - 1) / 2 - shift[0], px = x - (width - 1) / 2 - shift[1];
        const [row, low] = split(a * py + b * px + (height - 1) / 2, height);
        const [column, far] = split(c * py + d * px + (width - 1) / 2, width);
        found[first + y * width + x] =
          (1 - low) * ((1 - far) * pixel(row, column) + far * pixel(row, column + 1)) +
          low * ((1 - far) * pixel(row + 1, column) + far * pixel(row + 1, column + 1));
      }
    }
  }
  return found;
}
