// The page of a network: scores, and what the pointer, the keys and the controls do.

import { IMAGE } from "./network.js";
import { roving } from "./keys.js";
import { largest, paintScale, readPalette } from "./maps.js";
import {
  answerOf, data, element, frame, get, last, live, nameOf, networks, onFrame, placeOf, rows, scored, seedOf, sheet,
  short, spoken, state, update,
} from "./state.js";
import { fadeOf, fadedMaps, stopAtRow, views } from "./rows.js";
import { explain } from "./cell.js";
import { pixels, showImages, showPad, showPython, showSaliency, untouched } from "./paper.js";

/** @typedef {import("./state.js").Cell} Cell */
/** @typedef {import("./maps.js").Maps} Maps */

const MOST_SCORES = 20;

onFrame(() => {
  if (live) {
    state.network.forward(pixels());
    const { row, cell } = seedOf();
    state.network.backward(row, cell);
  } else state.network.show(state.image, pixels());
  for (const view of views) if (view.visible) view.paint();
  showSaliency();
  showPython();
  showScores();
  showSeed();
  if (state.pointed || state.pinned) explain();
});

// -- scores -----------------------------------------------------------------------------------------------------------

/** The chances of the classes: the softmax of the scores, or of the distances with a minus; or the outputs, where they
 * are a softmax already. @param {Float32Array} scores */
function chances(scores) {
  if (/^exp\(log_softmax\(.*\)\)$/.test(rows[last].formula)) return [...scores];
  const best = scores[answerOf(scores)], parts = [...scores].map((s) => Math.exp(data.smallest ? best - s : s - best));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

const scoreButtons = scored ? Array.from({ length: Math.min(rows[last].size, MOST_SCORES) }, (_, i) => {
  const parts = ["class", "bar", "score", "chance"].map((kind) => element("span", { class: kind }));
  const button = element("button", { type: "button", class: "line" }, ...parts);
  parts[1].append(element("i", {}));
  button.dataset.unit = String(i);
  if (live) button.addEventListener("click", () => seed({ row: last, cell: Number(button.dataset.unit) }));
  else button.setAttribute("aria-disabled", "true");
  get("scores").append(button);
  return { button, parts, bar: /** @type {HTMLElement} */ (parts[1].firstChild) };
}) : [];

roving(get("scores"));

function showScores() {
  if (!scored) return;
  const scores = state.network.values(last), most = largest(scores) || 1;
  const answer = answerOf(scores), parts = chances(scores);
  const order = [...scores.keys()];
  if (scores.length > MOST_SCORES) order.sort((a, b) => parts[b] - parts[a]);
  const { row, cell } = seedOf(), spread = Math.max(...scores) - Math.min(...scores);
  const digits = Math.max(0, Math.min(6, 4 - Math.ceil(Math.log10(spread || 1))));  // enough to tell them apart
  scoreButtons.forEach(({ button, parts: [name, , score, chance], bar }, i) => {
    const unit = order[i], part = Math.abs(scores[unit]) / most;
    button.dataset.unit = String(unit);
    name.textContent = String(unit);
    score.textContent = scores[unit].toFixed(digits).replace("-", "−");
    chance.textContent = (100 * parts[unit]).toFixed(parts[unit] < 0.0995 ? 1 : 0) + " %";
    button.setAttribute("aria-label", `${unit}: score ${score.textContent}, chance ${chance.textContent}`);
    bar.style.setProperty("width", 50 * part + "%");
    bar.style.setProperty("left", scores[unit] < 0 ? 50 - 50 * part + "%" : "50%");
    bar.classList.toggle("negative", scores[unit] < 0);
    button.classList.toggle("answer", unit === answer);
    button.setAttribute("aria-pressed", String(row === last && cell === unit));
  });
  const label = state.image === null || !data.labels || !untouched() ? null : data.labels[state.image];
  const verdict = label === null ? "" : label === answer ? ", and that is right" : `, and it is ${label}`;
  const empty = state.image === null && state.base.every((v) => v === Math.fround(sheet.paper));
  get("answer").textContent = empty ? `Empty paper, read as ${answer}.` : `It reads ${answer}${verdict}.`;
  get("answer").classList.toggle("wrong", label !== null && label !== answer);
}

// -- the gradient -----------------------------------------------------------------------------------------------------

/** Sends the gradient back from a cell; from the answer if there is none. @param {Cell | null} cell */
function seed(cell) {
  const before = seedOf().row;
  state.seed = cell;
  if ((state.step ?? 0) >= BACK && seedOf().row !== before) walk(BACK);
  update();
}

function showSeed() {
  const cell = seedOf(), said = spoken(cell);
  get("seed").textContent = state.seed ? said : `${said}, the answer`;
  get("follow").hidden = !state.seed;
  showWalk();
  for (const view of views) view.section.classList.toggle("behind", view.row > cell.row);
}

// -- pointing ---------------------------------------------------------------------------------------------------------

/** @param {EventTarget | null} target @returns {Maps | null} */
function mapsOf(target) {
  if (!(target instanceof HTMLCanvasElement) || !target.dataset.row) return null;
  const view = views[Number(target.dataset.row) + 1];
  return target.dataset.side === "values" ? view.values : view.slopes;
}

/** @param {Cell | null} cell */
function point(cell) {
  if (cell?.row === state.pointed?.row && cell?.cell === state.pointed?.cell) return;
  state.pointed = cell;
  requestAnimationFrame(explain);
}

/** Keeps a cell, and perhaps sends the gradient back from it. @param {Cell} cell @param {boolean} sending */
function choose(cell, sending) {
  state.pinned = cell;
  get("fading").hidden = get("send").hidden = !live;
  if (!live) return explain();
  get("send").hidden = cell.row === IMAGE || sending;
  get("fade").value = cell.row === IMAGE ? 1 : state.network.fade(cell.row)[fadeOf(cell)];
  get("fading").hidden = cell.row === IMAGE;
  if (cell.row !== IMAGE && sending) seed(cell);
  explain();
  uncover(views[cell.row + 1][sideInSight()]);
}

/** Scrolls the cell that is marked in these maps out from under the sheet of a narrow page, and its row as far as there
 * is room. @param {Maps} maps */
function uncover(maps) {
  if (getComputedStyle(get("about")).position !== "fixed") return;
  const [sheet, head, row, cell] = [get("about"), get("top"), maps.canvas, maps.marks.here]
    .map((e) => e.getBoundingClientRect());
  const far = Math.max(cell.bottom - sheet.top, Math.min(row.bottom - sheet.top, row.top - head.bottom));
  if (far > 0) window.scrollBy({ top: far + 8, behavior: "instant" });
}

const rowsBox = get("rows"), sideInSight = () => /** @type {"values" | "slopes"} */ (rowsBox.dataset.side);
rowsBox.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
  if (event.pointerType !== "mouse") return;
  const maps = mapsOf(event.target), cell = maps ? maps.cellAt(event) : -1;
  point(cell < 0 ? null : { row: Number(/** @type {HTMLElement} */ (event.target).dataset.row), cell });
});
rowsBox.addEventListener("pointerleave", () => point(null));
rowsBox.addEventListener("click", (/** @type {PointerEvent} */ event) => {
  const maps = mapsOf(event.target), cell = maps ? maps.cellAt(event) : -1;
  const row = Number(/** @type {HTMLElement} */ (event.target).dataset.row);
  if (cell >= 0) choose({ row, cell }, event.pointerType !== "touch");  // a finger cannot point without a click
});
rowsBox.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const maps = mapsOf(event.target);
  if (!maps || event.ctrlKey || event.altKey || event.metaKey) return;
  const row = Number(/** @type {HTMLElement} */ (event.target).dataset.row);
  const here = state.pointed && state.pointed.row === row ? state.pointed.cell : 0;
  const inside = state.pointed && state.pointed.row === row;
  if (event.key.startsWith("Page")) return turnTo(row + (event.key === "PageDown" ? 1 : -1), event);
  if (event.key.startsWith("Arrow")) point({ row, cell: inside ? maps.neighbour(here, event.key) : 0 });
  else if (event.key === "Enter" || event.key === " ") choose({ row, cell: here }, true);
  else return;
  event.preventDefault();
  const cell = { row, cell: state.pointed ? state.pointed.cell : here };
  get("said").textContent = `${nameOf(row)}, ${placeOf(cell)}: ${short(state.network.values(row)[cell.cell])}, ` +
    `gradient ${short(state.network.gradient(row)[cell.cell])}`;
});
rowsBox.addEventListener("focusin", (event) => {
  if (mapsOf(event.target)) stopAtRow(Number(/** @type {HTMLElement} */ (event.target).dataset.row));
});
rowsBox.addEventListener("focusout", () => point(null));

/** The keys go to the same side of another row, if there is one. @param {number} row @param {KeyboardEvent} event */
function turnTo(row, event) {
  const side = /** @type {HTMLElement} */ (event.target).dataset.side === "values" ? "values" : "slopes";
  views[row + 1]?.[side].canvas.focus();
  event.preventDefault();
}

/** Lets go of the cell that is kept; where its tools had the focus, its maps get it. */
function letGo() {
  const kept = state.pinned, focused = get("tools").contains(document.activeElement);
  state.pinned = null;
  explain();
  if (kept && focused) views[kept.row + 1][sideInSight()].canvas.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  letGo();
  seed(null);
});
get("send").addEventListener("click", () => { if (state.pinned) choose(state.pinned, true); });
get("follow").addEventListener("click", () => seed(null));
get("unpin").addEventListener("click", letGo);
get("fade").addEventListener("input", () => {
  if (!state.pinned || state.pinned.row === IMAGE) return;
  state.network.fade(state.pinned.row)[fadeOf(state.pinned)] = Number(get("fade").value);
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
  const list = rows.flatMap(({ shown, output_shape: shape }, k) => fadedMaps(k).map((map) =>
    `${shown}, ${shape.length > 1 ? "map" : "unit"} ${map} (× ${short(state.network.fade(k)[map])})`));
  get("restore").hidden = !list.length;
  const named = list.slice(0, 8).join("; ") + (list.length > 8 ? "; …" : "");
  get("faded").textContent = list.length ? `Faded: ${named}.` : "";
}

// -- the walk, row by row ---------------------------------------------------------------------------------------------

const BACK = last + 2;  // the first step back, after the image and all rows
const lastStep = () => BACK + seedOf().row + 1;

/** Down through the values, and up through the gradients from where they begin, one row at a time; null shows all.
 * @param {number | null} step */
function walk(step) {
  const at = step === null ? null : Math.max(0, Math.min(lastStep(), step)), back = at !== null && at >= BACK;
  state.step = at;
  const down = at === null ? last : Math.min(at - 1, last);
  const up = at === null ? IMAGE : back ? seedOf().row - (at - BACK) : last + 1, now = back ? up : down;
  for (const { row, section } of views) {
    section.classList.toggle("unmade", row > down);
    section.classList.toggle("unreached", row < up);
    section.classList.toggle("now", at !== null && row === now);
  }
  if (at !== null) show(back ? "slopes" : "values");
  showWalk();
  if (at !== null) views[now + 1].section.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function showWalk() {
  const at = state.step, end = lastStep(), said = walked(at);
  Object.assign(get("place"), { max: end, value: at ?? end });
  get("back").setAttribute("aria-disabled", String(at === 0));
  get("forward").setAttribute("aria-disabled", String(at === end));
  if (get("walked").textContent !== said) get("walked").textContent = said;
}

/** What a step shows. @param {number | null} at */
function walked(at) {
  if (at === null) return "All rows. ▶ shows them one by one, down and up again.";
  if (at < BACK) return at === 0 ? "Forward. The image." : `Forward. ${madeBy(at - 1)}`;
  const begin = seedOf(), row = begin.row - (at - BACK);
  if (row === begin.row) return `Backward. The gradient begins with 1 at ${spoken(begin)}.`;
  const made = madeOf(begin.row);
  const readers = rows.filter((one, k) => made.has(k) && one.sources.some((source) => source.row === row));
  if (!readers.length) return `Backward. Nothing arrives at ${nameOf(row)}: ${spoken(begin)} is not made of it.`;
  const rules = readers.flatMap((one) => one.sources.filter((source) => source.row === row).map(({ rule }) => rule));
  const words = new Set(readers.filter(({ back }) => back).map(({ kind, back }) => ` ${kind}: ${back}.`));
  return `Backward. What arrives at ${nameOf(row)}: ${rules.join(" + ")}.${[...words].join("")}`;
}

/** A row, and those that it is made of. @param {number} row */
function madeOf(row) {
  const found = new Set([row]);
  for (let k = row; k >= 0; k--) if (found.has(k)) for (const source of rows[k].sources) found.add(source.row);
  return found;
}

/** How a row is computed, and in words what a layer of its kind does. @param {number} row */
function madeBy(row) {
  const { shown, formula, kind, does } = rows[row];
  return `${shown} = ${formula}` + (does ? `. ${kind}: ${does}.` : "");
}

get("place").addEventListener("input", () => walk(Number(get("place").value)));
get("back").addEventListener("click", () => walk((state.step ?? lastStep() + 1) - 1));
get("forward").addEventListener("click", () => walk((state.step ?? -1) + 1));
get("everything").addEventListener("click", () => walk(null));

// -- the page ---------------------------------------------------------------------------------------------------------

for (const input of document.querySelectorAll("input[name=network]")) {
  input.addEventListener("change", () => {
    state.network = networks[/** @type {HTMLInputElement} */ (input).value];
    showFades();
    showImages();
    frame();
  });
}
for (const input of document.querySelectorAll("input[name=side]")) {
  input.addEventListener("change", () => show(/** @type {HTMLInputElement} */ (input).value));
}

/** Which side of the rows is seen where there is room for one. @param {string} side */
function show(side) {
  rowsBox.dataset.side = side;
  /** @type {HTMLInputElement} */ (document.querySelector(`input[value=${side}]`)).checked = true;
  for (const view of views) view.paint();
}

let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (Math.abs(window.innerWidth - width) < 2) return;
  width = window.innerWidth;
  for (const view of views) view.redraw();
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
  if (!live) throw new Error("this page shows what was computed in Python: nothing runs here");
  const fades = rows.map((_, row) => state.network.fade(row).slice());
  rows.forEach((_, row) => state.network.fade(row).fill(1));
  try {
    return f();
  } finally {
    fades.forEach((fade, row) => state.network.fade(row).set(fade));
    frame();
  }
}

/** Runs the network on pixels from outside of this page. @param {number[]} image */
function run(image) {
  const list = Array.from(image), wrong = list.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new Error(`pixels are finite numbers, got ${list[wrong]} at ${wrong}`);
  state.network.forward(list);
}

Object.assign(window, {
  explorer: {
    /** The values of all rows, by name. @param {number[]} image */
    forward: (image) => undisturbed(() => {
      run(image);
      return Object.fromEntries(rows.map((row, k) => [row.name, Array.from(state.network.values(k))]));
    }),
    /** The gradient of a unit of the last row by the pixels. @param {number[]} image @param {number} unit */
    gradient: (image, unit) => undisturbed(() => {
      run(image);
      state.network.backward(last, unit);
      return Array.from(state.network.gradient(IMAGE));
    }),
    /** The image as the network gets it. */
    pixels: () => Array.from(pixels()),
  },
});

/** The panel of scores, which is a sheet over the page of a phone: it can be folded. */
get("fold").addEventListener("click", () => {
  const about = get("about"), folded = about.classList.toggle("folded");
  get("fold").setAttribute("aria-expanded", String(!folded));
});

if (window.parent !== window) get("up")?.remove();  // the page around this one is the one to go back to
showImages();
showPad();
frame();
explain();
