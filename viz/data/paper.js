// The image that the network gets, the images to choose from, and what is shown as lines of Python.

import { IMAGE } from "./network.js";
import { Maps, largest } from "./maps.js";
import { roving } from "./keys.js";
import { fitted, turned, warped } from "./pixels.js";
import {
  data, element, get, images, last, networks, scored, seedOf, shapes, sheet, size, spoken, state, update,
} from "./state.js";

/** What the network gets. */
export function pixels() {
  let image = state.base;
  if (state.drawn && get("fit").checked) image = warped(image, sheet, fitted(image, sheet));
  const moved = state.degrees || state.shift[0] || state.shift[1];
  return moved ? warped(image, sheet, turned(state.degrees, state.shift)) : image;
}

const sheetShape = { maps: 1, height: sheet.height, width: sheet.width, cells: sheet.height * sheet.width };
/** @type {Maps | null} */
export const paper = sheet.height > 3 ? new Maps(sheetShape, 1e9) : null;
if (paper) {
  paper.canvas.id = "paper";
  paper.canvas.setAttribute("role", "img");
  paper.canvas.setAttribute("aria-label", "the image");
  paper.box.removeAttribute("style");
  get("pad").prepend(paper.box);
}

/** Whether what lies on the pad is one of the images, as it came. */
export function untouched() {
  const begin = state.image === null ? NaN : state.image * size;
  return state.base.every((v, i) => v === images[begin + i]);
}

export function showPad() {
  paper?.paintImage(state.base, sheet.paper, sheet.ink);
  get("turned").textContent = state.degrees + "°";
  get("moved-across").textContent = state.shift[1];
  get("moved-down").textContent = state.shift[0];
  [...get("images").children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === state.image)));
  update();
}

/** @param {number} i */
function chooseImage(i) {
  Object.assign(state, { image: i, base: images.slice(i * size, (i + 1) * size), drawn: false });
  straight();
}

export function straight() {
  Object.assign(state, { degrees: 0, shift: [0, 0] });
  for (const id of ["turn", "across", "down"]) get(id).value = 0;
  showPad();
}

/** The gradient beside the paper, where there is no room for both sides of the rows. */
const small = paper && new Maps(shapes[0], 150);
if (small) {
  small.box.removeAttribute("style");
  get("saliency").prepend(small.box);
}
export function showSaliency() {
  const { network } = state, slopes = network.gradient(IMAGE);
  get("beside").textContent = `gradient of ${spoken(seedOf())}`;
  small?.paintOver(slopes, largest(slopes), network.values(IMAGE), sheet.paper, sheet.ink);
}

const thumbnails = data.numbers.map((_, i) => {
  const picture = new Maps(sheetShape, 1e9), caption = element("span", {});
  const button = element("button", { type: "button" }, picture.canvas, caption);
  button.addEventListener("click", () => chooseImage(i));
  get("images").append(button);
  return { picture, button, caption };
});
roving(get("images"));

/** The images, and how the network that is shown reads them. */
export function showImages() {
  const name = state.network === networks.before ? "before" : "after";
  get("counted").textContent = data.counted[name];
  thumbnails.forEach(({ picture, button, caption }, i) => {
    picture.paintImage(images.slice(i * size, (i + 1) * size), sheet.paper, sheet.ink);
    const label = data.labels ? data.labels[i] : null, answer = data.answers[name][i];
    const wrong = label !== null && scored && label !== answer;
    const said = label === null ? `image ${data.numbers[i]}` : wrong ? `${label}, read as ${answer}` : String(label);
    caption.textContent = said;
    button.title = said;
    button.setAttribute("aria-label", said);
    button.classList.toggle("wrong", wrong);
  });
}

// -- taken along ------------------------------------------------------------------------------------------------------

/** The shortest number that is v in float32. @param {number} v */
function shortest(v) {
  for (let digits = 1; digits < 9; digits++) {
    const n = Number(v.toPrecision(digits));
    if (Math.fround(n) === Math.fround(v)) return n;
  }
  return v;
}

/** The image as an expression of Python. */
function imageInPython() {
  const moved = state.degrees || state.shift[0] || state.shift[1];
  if (!untouched()) {
    const shape = [1, ...state.network.program.shape].join(", ");
    return `np.array([${Array.from(pixels(), shortest).join(", ")}], np.float32).reshape(${shape})`;
  }
  const one = `images[${data.numbers[state.image ?? 0]}][None]`;
  const { matrix: [a, b, c, d], shift } = turned(state.degrees, state.shift);
  const map = `np.array([[[${a}, ${b}], [${c}, ${d}]]]), np.array([[${shift.join(", ")}]])`;
  return moved ? `nets.warp(${one}, ${map}, ${sheet.paper})` : one;
}

/** What is shown, in Python. */
function python() {
  const model = state.network === networks.before ? "before" : "model", begin = seedOf();
  const scored = begin.row === last, best = data.smallest ? "scores.data.argmin()" : "scores.data.argmax()";
  const all = ["model", ...("before" in networks ? ["before"] : []), "images"].join(", ");
  return [
    "import numpy as np", "", "import nets", "from minitensor import Tensor, gradients", "",
    data.setup || `# ${all}: those that this page was made from`,
    `x = Tensor(${imageInPython()})`,
    ...(get("faded").textContent ? ["# here all maps are whole, and in the page some are faded"] : []),
    `with ${model}.in_use():`,
    `    scores = ${model}(x).reshape(-1)`,
    ...(scored ? [] : ["# here of the answer, and in the page of a cell"]),
    `[g] = gradients(scores[${state.seed && scored ? begin.cell : best}], [x])`, "",
  ].join("\n");
}

/** Keeps the lines as they are for what is shown now. */
export function showPython() {
  if (get("take").open) get("python").textContent = python();
}

get("take").addEventListener("toggle", showPython);
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
