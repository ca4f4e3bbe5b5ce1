// What changes the image: a pen that the pointer or the keys move, and the controls that move and turn it.

import { stroke } from "./pixels.js";
import { paper, showPad, straight } from "./paper.js";
import { get, live, sheet, size, state } from "./state.js";

let pen = /** @type {number[] | null} */ (null);

/** @param {PointerEvent} event */
function penAt(event) {
  const box = paper?.canvas.getBoundingClientRect() || new DOMRect();
  return [(event.clientY - box.top) / box.height * sheet.height, (event.clientX - box.left) / box.width * sheet.width];
}

/** @param {number[]} to */
function draw(to) {
  const rubber = get("rubber").getAttribute("aria-pressed") === "true";
  const radius = Math.max(0.6, Number(get("width").value) * sheet.height / 32);  // no fainter than a pixel
  stroke(state.base, sheet, pen || to, to, radius, rubber ? sheet.paper : sheet.ink);
  pen = to;
  if (state.image === null) state.drawn = true;
  showPad();
}

// -- with keys --------------------------------------------------------------------------------------------------------

const spot = [Math.floor(sheet.height / 2), Math.floor(sheet.width / 2)];  // the pixel where the keys have the pen
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** @param {KeyboardEvent} event */
function moveByKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const middle = () => spot.map((p) => p + 0.5), way = WAYS[event.key];
  if (!way && event.key !== " ") return;
  event.preventDefault();
  pen = middle();
  if (way) {
    spot[0] = Math.max(0, Math.min(sheet.height - 1, spot[0] + way[0]));
    spot[1] = Math.max(0, Math.min(sheet.width - 1, spot[1] + way[1]));
  }
  if (event.shiftKey || !way) draw(middle());
  pen = null;
  showSpot();
}

function showSpot() {
  const at = spot[0] * sheet.width + spot[1];
  paper?.outline("here", [at]);
  const ink = Math.round(100 * (state.base[at] - sheet.paper) / (sheet.ink - sheet.paper));
  get("said").textContent = `pen at row ${spot[0]}, column ${spot[1]}: ${ink} % ink`;
}

// -- the controls -----------------------------------------------------------------------------------------------------

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
if (window.innerWidth <= 760) get("moving").open = false;

get("drawing").hidden = !live || !paper;
get("moving").hidden = !live;
if (live && paper) {
  const { canvas } = paper;
  canvas.classList.add("drawn-on");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");  // so that the arrow keys are its own
  canvas.setAttribute("aria-label", "the image; draw on it with mouse, finger or pen, or with keys: arrows move the " +
    "pen, space paints, shift with an arrow draws a line");
  canvas.addEventListener("keydown", moveByKey);
  canvas.addEventListener("focus", showSpot);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pen = null;
    draw(penAt(event));
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pen) return;
    const between = event.getCoalescedEvents?.() || [];
    for (const one of between.length ? between : [event]) draw(penAt(one));
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { pen = null; });
}
