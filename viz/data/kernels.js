// Five kernels on flat arrays of float32, and what a line of a program is made of: see viz/pages/kernels.py.
//
//   each       out[i] = f(a[..], b[..], ...)
//   view       out[i] = x[at[i]]
//   place      out[at[i]] += x[i], elsewhere a number
//   reduce     out[i] = f(x[i n], ..., x[i n + n - 1])
//   contract   out[..] += a[..] b[..], a sum over letters
//
// `prepare` turns a line into a function that runs it.  It works in arrays that are made once, so that a frame leaves
// no garbage behind.  `wires` lists which element of a line's output reads which element of an input.

/** @typedef {{offset: number, lengths: number[], steps: number[]} | {table: number[]}} Lattice */
/** @typedef {[string, number, number[], Record<string, any>]} Line kernel, slot written, slots read, settings */

// -- functions --------------------------------------------------------------------------------------------------------

/** 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, by its series. @param {number} x */
export function erf(x) {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}

/** log(exp(x) + exp(y)) without overflow. @param {number} x @param {number} y */
function logaddexp(x, y) {
  return x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)));
}

/** @type {Record<string, (settings: any) => (...xs: number[]) => number>} */
const FUNCTIONS = {
  add: () => (x, y) => x + y,
  subtract: () => (x, y) => x - y,
  multiply: () => (x, y) => x * y,
  divide: () => (x, y) => x / y,
  negative: () => (x) => -x,
  power: ({ exponent }) => (exponent === 2 ? (x) => x * x : (x) => x ** exponent),
  float_power: () => (x, y) => x ** y,
  exp: () => Math.exp,
  log: () => Math.log,
  sqrt: () => Math.sqrt,
  tanh: () => Math.tanh,
  abs: () => Math.abs,
  sign: () => Math.sign,
  sin: () => Math.sin,
  cos: () => Math.cos,
  log1p: () => Math.log1p,
  expm1: () => Math.expm1,
  erf: () => erf,
  logaddexp: () => logaddexp,
  isnan: () => (x) => (Number.isNaN(x) ? 1 : 0),
  greater: () => (x, y) => (x > y ? 1 : 0),
  greater_equal: () => (x, y) => (x >= y ? 1 : 0),
  where: () => (condition, x, y) => (condition !== 0 ? x : y),
  maximum: () => Math.max,
  minimum: () => Math.min,
  relu: () => (x) => Math.max(x, 0),
  leaky_relu: ({ slope }) => (x) => (x > 0 ? x : slope * x),
  sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
  softplus: () => (x) => logaddexp(0, x),
};

/** @typedef {(x: Float32Array, from: number, to: number, settings: any) => number} Reduction */
/** Of the elements of x from `from` to `to`. @type {Record<string, Reduction>} */
const REDUCTIONS = {
  sum(x, from, to) {
    let sum = 0;
    for (let i = from; i < to; i++) sum += x[i];
    return sum;
  },
  max(x, from, to) {
    let largest = -Infinity;
    for (let i = from; i < to; i++) largest = Math.max(largest, x[i]);
    return largest;
  },
  min(x, from, to) {
    let smallest = Infinity;
    for (let i = from; i < to; i++) smallest = Math.min(smallest, x[i]);
    return smallest;
  },
  logsumexp(x, from, to) {
    const largest = REDUCTIONS.max(x, from, to, {}), base = Number.isFinite(largest) ? largest : 0;
    let sum = 0;
    for (let i = from; i < to; i++) sum += Math.exp(x[i] - base);
    return base + Math.log(sum);
  },
  norm(x, from, to, { norm }) {
    let sum = 0;
    for (let i = from; i < to; i++) sum += Math.abs(x[i]) ** norm;
    return sum ** (1 / norm);
  },
};

// -- lattices ---------------------------------------------------------------------------------------------------------

/** @type {Map<string, Int32Array>} */
const tables = new Map();

/** All positions that a lattice names; the same array for the same lattice. @param {Lattice} at */
export function positions(at) {
  const key = JSON.stringify(at);
  let table = tables.get(key);
  if (!table) {
    table = "table" in at ? Int32Array.from(at.table) : alongAxes(at.offset, at.lengths, at.steps);
    tables.set(key, table);
  }
  return table;
}

/** @param {number} offset @param {number[]} lengths @param {number[]} steps */
function alongAxes(offset, lengths, steps) {
  let all = Int32Array.of(offset);
  lengths.forEach((n, axis) => {
    const next = new Int32Array(all.length * n);
    all.forEach((base, i) => { for (let j = 0; j < n; j++) next[i * n + j] = base + j * steps[axis]; });
    all = next;
  });
  return all;
}

// -- lines ------------------------------------------------------------------------------------------------------------

/** A number of a program's text; infinity is written as a word. @param {number | string} n */
const asNumber = (n) => (typeof n === "string" ? Number(n.replace("inf", "Infinity")) : n);

/** A function that runs a line on these arrays.
 * @param {Line} line @param {Float32Array[]} arrays @returns {() => void} */
export function prepare([kernel, slot, inputs, settings], arrays) {
  const out = arrays[slot], xs = inputs.map((i) => arrays[i]);
  if (kernel === "each") return each(out, xs, settings);
  if (kernel === "view") return view(out, xs[0], positions(settings.at));
  if (kernel === "place") return place(out, xs, settings.at.map(positions), asNumber(settings.fill));
  if (kernel === "reduce") return reduce(out, xs[0], settings);
  if (kernel === "contract") return contract(out, xs[0], xs[1], settings.lengths, settings.steps);
  throw new Error(`there is no kernel ${kernel}`);
}

/** @param {Float32Array} out @param {Float32Array[]} xs @param {any} settings */
function each(out, xs, settings) {
  const f = FUNCTIONS[settings.f](settings), [a, b, c] = xs;
  const [atA, atB, atC] = settings.at.map((/** @type {Lattice | null} */ at) => at && positions(at));
  if (xs.length === 1) return () => { for (let i = 0; i < out.length; i++) out[i] = f(a[atA ? atA[i] : i]); };
  if (xs.length === 2) {
    return () => {
      for (let i = 0; i < out.length; i++) out[i] = f(a[atA ? atA[i] : i], b[atB ? atB[i] : i]);
    };
  }
  return () => {
    for (let i = 0; i < out.length; i++) out[i] = f(a[atA ? atA[i] : i], b[atB ? atB[i] : i], c[atC ? atC[i] : i]);
  };
}

/** @param {Float32Array} out @param {Float32Array} x @param {Int32Array} at */
function view(out, x, at) {
  return () => { for (let i = 0; i < out.length; i++) out[i] = x[at[i]]; };
}

/** @param {Float32Array} out @param {Float32Array[]} xs @param {Int32Array[]} ats @param {number} fill */
function place(out, xs, ats, fill) {
  const sums = new Float64Array(out.length);
  return () => {
    sums.fill(fill);
    if (fill !== 0) for (const at of ats) for (const i of at) sums[i] = 0;
    ats.forEach((at, k) => {
      const x = xs[k];
      for (let i = 0; i < at.length; i++) sums[at[i]] += x[i];
    });
    out.set(sums);
  };
}

/** @param {Float32Array} out @param {Float32Array} x @param {any} settings */
function reduce(out, x, settings) {
  const { f: name, count } = settings;
  if (name === "cumsum") {
    return () => {
      let sum = 0;
      for (let i = 0; i < x.length; i++) out[i] = sum = i % count === 0 ? x[i] : sum + x[i];
    };
  }
  if (name === "first_maximum") {
    return () => {
      out.fill(0);
      for (let from = 0; from < x.length; from += count) {
        let best = from;
        for (let i = from + 1; i < from + count; i++) if (x[i] > x[best]) best = i;
        out[best] = 1;
      }
    };
  }
  const f = REDUCTIONS[name];
  return () => { for (let i = 0; i < out.length; i++) out[i] = f(x, i * count, (i + 1) * count, settings); };
}

// out[..] += a[..] b[..] for all values of the letters: `lengths` says how many each letter has, and steps how far
// each moves on in out, in a and in b.  The last two letters are loops; `visit` counts through the others.
/** @param {Float32Array} out @param {Float32Array} a @param {Float32Array} b
 * @param {number[]} lengths @param {number[][]} steps */
function contract(out, a, b, lengths, steps) {
  const sums = new Float64Array(out.length), outer = lengths.length - 2;
  const along = (/** @type {number} */ axis) =>
    (axis < 0 ? [1, 0, 0, 0] : [lengths[axis], ...steps.map((s) => s[axis])]);
  const [rows, rowOut, rowA, rowB] = along(outer), [n, stepOut, stepA, stepB] = along(outer + 1);
  const run = (/** @type {number} */ iOut, /** @type {number} */ iA, /** @type {number} */ iB) => {
    let row = 0;
    // rows that add to the same sums go three at once: each sum is then fetched and stored a third as often
    for (; rowOut === 0 && stepOut !== 0 && row + 3 <= rows; row += 3, iA += 3 * rowA, iB += 3 * rowB) {
      for (let i = 0, o = iOut, p = iA, q = iB; i < n; i++, o += stepOut, p += stepA, q += stepB) {
        sums[o] += a[p] * b[q] + a[p + rowA] * b[q + rowB] + a[p + 2 * rowA] * b[q + 2 * rowB];
      }
    }
    for (; row < rows; row++, iOut += rowOut, iA += rowA, iB += rowB) {
      if (stepOut === 0) {
        let sum = 0;
        for (let i = 0, p = iA, q = iB; i < n; i++, p += stepA, q += stepB) sum += a[p] * b[q];
        sums[iOut] += sum;
      } else {
        for (let i = 0, o = iOut, p = iA, q = iB; i < n; i++, o += stepOut, p += stepA, q += stepB) {
          sums[o] += a[p] * b[q];
        }
      }
    }
  };
  return () => {
    sums.fill(0);
    visit(lengths.slice(0, Math.max(outer, 0)), steps, run);
    out.set(sums);
  };
}

/** Calls run(out, a, b) with the positions that all values of some letters lead to.
 * @param {number[]} lengths @param {number[][]} steps @param {(out: number, a: number, b: number) => void} run */
function visit(lengths, steps, run) {
  if (lengths.includes(0)) return;
  const digits = lengths.map(() => 0), place = [0, 0, 0];
  for (;;) {
    run(place[0], place[1], place[2]);
    let axis = lengths.length - 1;
    for (; axis >= 0; axis--) {
      for (let k = 0; k < 3; k++) place[k] += steps[k][axis];
      if (++digits[axis] < lengths[axis]) break;
      for (let k = 0; k < 3; k++) place[k] -= steps[k][axis] * lengths[axis];
      digits[axis] = 0;
    }
    if (axis < 0) return;
  }
}

// -- wires ------------------------------------------------------------------------------------------------------------

// Marks in `masks` what a line's marked elements are wired to: what they are computed from, or, forward, what is
// computed from them.  A product has a wire only where the other factor is `present`.
/** @param {Line} line @param {Uint8Array[]} masks @param {Uint8Array[]} present @param {boolean} forward */
export function wires([kernel, slot, inputs, settings], masks, present, forward) {
  const out = masks[slot], marked = (forward ? inputs : [slot]).some((i) => masks[i].includes(1));
  if (!marked) return;
  /** @param {number} k @param {(mark: (o: number, i: number) => void) => void} pairs */
  const connect = (k, pairs) => {
    const x = masks[inputs[k]];
    pairs(forward ? (o, i) => { if (x[i]) out[o] = 1; } : (o, i) => { if (out[o]) x[i] = 1; });
  };
  if (kernel === "contract") {
    const all = [out, ...inputs.map((i) => masks[i])], there = [out, ...inputs.map((i) => present[i])];
    for (const [own, other] of [[1, 2], [2, 1]]) {
      connectProduct(all, forward ? own : 0, forward ? 0 : own, there[other], other, settings);
    }
    return;
  }
  inputs.forEach((slotIn, k) => connect(k, (mark) => {
    if (kernel === "each") {
      const at = settings.at[k] && positions(settings.at[k]), other = settings.f === "multiply" ? 1 - k : -1;
      const atOther = other >= 0 && settings.at[other] && positions(settings.at[other]);
      for (let o = 0; o < out.length; o++) {
        if (other < 0 || present[inputs[other]][atOther ? atOther[o] : o]) mark(o, at ? at[o] : o);
      }
    } else if (kernel === "view") positions(settings.at).forEach((i, o) => mark(o, i));
    else if (kernel === "place") positions(settings.at[k]).forEach((o, i) => mark(o, i));
    else if (settings.f === "first_maximum" || settings.f === "cumsum") {
      for (let i = 0; i < masks[slotIn].length; i++) {
        const from = i - (i % settings.count), last = settings.f === "cumsum" ? i + 1 : from + settings.count;
        for (let j = from; j < last; j++) mark(i, j);
      }
    } else for (let i = 0; i < masks[slotIn].length; i++) mark(Math.floor(i / settings.count), i);
  }));
}

// Of the operands 0 (out), 1 and 2 (a and b), the elements of `to` that meet a marked one of `from`, where the third is
// there.  The letters that move `from` are counted through first, so that what is not marked costs nothing more; and
// where the third is there all over, one walk from each element of `to` is enough.
/** @param {Uint8Array[]} masks @param {number} from @param {number} to @param {Uint8Array} present of the third
 * @param {number} third @param {any} settings */
function connectProduct(masks, from, to, present, third, { lengths, steps }) {
  const axes = [...lengths.keys()], whole = !present.includes(0), walked = new Uint8Array(masks[to].length);
  /** @param {number[]} some @returns {[number[], number[][]]} */
  const along = (some) => [some.map((a) => lengths[a]), steps.map((/** @type {number[]} */ s) => some.map((a) => s[a]))];
  const inner = along(axes.filter((a) => steps[from][a] === 0));
  visit(...along(axes.filter((a) => steps[from][a] !== 0)), (...base) => {
    if (!masks[from][base[from]] || (whole && walked[base[to]])) return;
    walked[base[to]] = 1;
    visit(...inner, (...far) => {
      if (whole || present[base[third] + far[third]]) masks[to][base[to] + far[to]] = 1;
    });
  });
}
