import { player } from "./player.js";

// Letters, along one axis:   n input    k kernel (tap count)    s stride    p padding    d dilation    m places
//                            span = d (k - 1) + 1, what a dilated kernel covers
// Windows with m places lie over an image.  A convolution and a pool read through them: the image is their input, the
// places are their output.  A transposed convolution writes through them: from the places onto the image.

const get = (id) => document.getElementById(id);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const clamp = (low, value, high) => Math.max(low, Math.min(high, value));
const MOST_CELLS = 6400, MOST_TERMS = 9, MOST_LETTERS = 40, ROOM = 16;
const NUMBERS = ["n", "k", "stride", "padding", "dilation", "outputPadding"];
const SAID = { outputPadding: "output_padding" };  // as the engine calls it

// -- the arithmetic of minitensor/windows.py -----------------------------------------------------------------------

class Refused extends Error {}

function checkWhole(setting, names) {
  for (const name of names) {
    const value = setting[name];
    if (!Number.isSafeInteger(value)) {
      const echo = typeof value === "string" ? "'" + value + "'" : String(value);
      throw new Refused((SAID[name] || name) + " (=" + echo + ") must be a whole number");
    }
  }
  for (const name of names) {
    const least = name === "padding" || name === "outputPadding" ? 0 : 1;
    if (setting[name] < least) {
      throw new Refused((SAID[name] || name) + " (=" + setting[name] + ") must be at least " + least);
    }
  }
}

// How the windows of a setting lie along an axis; throws Refused, with the message of the engine.
function windowsOf(setting) {
  const { kind, n, k, stride, padding, dilation, outputPadding: extra } = setting;
  const transposed = kind === "transposed";
  if (transposed) {
    checkWhole(setting, ["n", "k", "stride", "padding"]);
    checkWhole(setting, ["outputPadding", "dilation"]);
  } else checkWhole(setting, ["n", "k", "stride", "padding", "dilation"]);
  if (!transposed && extra !== 0) {
    throw new Refused(`output_padding (=${extra}) belongs to a transposed convolution`);
  }
  const span = dilation * (k - 1) + 1;
  const places = transposed ? n : placesOver(n, k, stride, padding, dilation);
  const image = transposed ? sizeOnto(n, k, stride, padding, extra, dilation) : n;
  if (kind === "pooling" && 2 * padding > k) {
    throw new Refused(
      `padding (=${padding}) must be at most half of the kernel (=${k}), or a window may see no input`);
  }
  const after = Math.max(padding - extra, 0);
  const position = (place, tap) => place * stride + tap * dilation - padding;
  return { places, image, span, before: padding, after, position };
}

function placesOver(n, k, s, p, d) {
  const room = n + 2 * p - (d * (k - 1) + 1);
  if (room < 0) {
    const padded = p ? n + " + 2 * " + p + " = " + (n + 2 * p) : n;
    const covers = d * (k - 1) + 1;
    throw new Refused(`kernel (=${k}) with dilation (=${d}) covers ${covers}, more than the input (=${padded})`);
  }
  return Math.floor(room / s) + 1;
}

function sizeOnto(m, k, s, p, extra, d) {
  if (extra && extra >= Math.max(s, d)) {
    throw new Refused(`output_padding (=${extra}) must be smaller than stride (=${s}) or dilation (=${d})`);
  }
  const size = (m - 1) * s - 2 * p + d * (k - 1) + 1 + extra;
  if (size < 1) {
    throw new Refused(`nothing is left: input (=${m}), kernel (=${k}), padding (=${p}) give an output of ${size}`);
  }
  return size;
}

// For each place and for each pixel of the image the wires that it has along an axis, as [the other end, tap].
function wiresAlong(setting, windows) {
  const ofPlace = range(windows.places).map(() => []), ofPixel = range(windows.image).map(() => []);
  for (const place of ofPlace.keys()) {
    for (const tap of range(setting.k)) {
      const pixel = windows.position(place, tap);
      if (pixel < 0 || pixel >= windows.image) continue;
      ofPlace[place].push([pixel, tap]);
      ofPixel[pixel].push([place, tap]);
    }
  }
  return setting.kind === "transposed" ? { input: ofPlace, output: ofPixel } : { input: ofPixel, output: ofPlace };
}

// -- the words of minitensor/sizes.py ------------------------------------------------------------------------------

function explanation(setting, windows) {
  const { kind, n, k, stride: s, padding: p, dilation: d, outputPadding: extra } = setting;
  const board = (...steps) => steps.map((step, i) => (i ? "       = " : "output = ") + step);
  if (kind === "transposed") {
    const lines = board("(n - 1)s - 2p + d(k - 1) + 1 + output_padding",
      `(${n} - 1)*${s} - 2*${p} + ${d}*(${k} - 1) + 1 + ${extra}`, windows.image);
    const shortest = windows.image - extra, first = Math.max(shortest, 1), last = shortest + s - 1;
    if (first < last) {
      lines.push(`A convolution with these settings makes ${n} of any length from ${first} to ${last}.`);
    }
    return lines.join("\n");
  }
  const room = n + 2 * p - d * (k - 1) - 1, rest = room % s;
  const lines = board("floor((n + 2p - d(k - 1) - 1) / s) + 1",
    `floor((${n} + 2*${p} - ${d}*(${k} - 1) - 1) / ${s}) + 1`, `floor(${room} / ${s}) + 1`, windows.places);
  const unread = range(n).filter((i) => !wiresAlong(setting, windows).input[i].length);
  const missed = `no window reads input${unread.length > 1 ? "s" : ""} ${unread.join(", ")} (counted from 0)`;
  if (rest) {
    const fate = unread.length ? missed : "every input is read, only padding is left over";
    lines.push(`${room} / ${s} leaves a rest of ${rest}; ${fate}.`);
  } else if (unread.length) lines.push(`The division leaves no rest, yet ${missed}.`);
  return lines.join("\n");
}

function python({ kind, k, stride, padding, dilation, outputPadding, axes }) {
  const layer = { convolution: "conv", transposed: "conv_transpose", pooling: "max_pool" }[kind];
  const settings = [["stride", stride, kind === "pooling" ? k : 1], ["padding", padding, 0],
    ["output_padding", outputPadding, 0], ["dilation", dilation, 1]];
  const unusual = settings.filter(([, value, usual]) => value !== usual).map(([name, value]) => name + "=" + value);
  return `${layer}${axes}d(${["x", kind === "pooling" ? k : "w", ...unusual].join(", ")})`;
}

// -- what is shown -------------------------------------------------------------------------------------------------

let shown = null;  // the setting of the picture, with what follows from it
let at = 0;        // the place of the window
let pointed = null;  // the cell that is pointed at, as { row, flat }

// Shows a setting, or the message why not; returns the message.
function show(setting) {
  let message = "";
  try {
    const next = prepared(setting);
    at = shown && shown.setting.axes === setting.axes ? Math.min(at, next.total[next.sliding] - 1) : 0;
    shown = next;
    pointed = null;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    message = error.message;
  }
  get("message").hidden = !message;
  get("message").textContent = message && "Not possible: " + message + ".";
  get("picture").classList.toggle("refused", message !== "");
  if (!message) {
    const { setting: now, windows, total, sliding } = shown;
    get("explanation").textContent = explanation(now, windows);
    get("axis").hidden = now.axes === 1;
    get("python").textContent = python(now);
    const shape = (name, size) => name + " of shape (1, 1" + (", " + size).repeat(now.axes) + ")";
    get("shapes").textContent =
      "for " + shape("x", now.n) + (now.kind === "pooling" ? "" : " and " + shape("w", now.k));
    get("place").max = total[sliding] - 1;
    get("done").textContent = "";
    draw();
  }
  return message;
}

function prepared(setting) {
  if (!["convolution", "transposed", "pooling"].includes(setting.kind)) {
    throw new Refused(`kind (='${setting.kind}') must be 'convolution', 'transposed' or 'pooling'`);
  }
  if (setting.axes !== 1 && setting.axes !== 2) throw new Refused(`axes (=${setting.axes}) must be 1 or 2`);
  const windows = windowsOf(setting), { places, image, before, after } = windows;
  const cells = Math.pow(before + image + after, setting.axes) + Math.pow(places, setting.axes);
  if (!(cells + setting.k <= MOST_CELLS)) {
    throw new Refused(
      `n (=${setting.n}) and k (=${setting.k}) make too many cells to be drawn (more than ${MOST_CELLS})`);
  }
  const transposed = setting.kind === "transposed";
  const size = transposed ? { input: places, output: image } : { input: image, output: places };
  const total = { input: Math.pow(size.input, setting.axes), output: Math.pow(size.output, setting.axes) };
  const sliding = transposed ? "input" : "output", still = transposed ? "output" : "input";
  return { setting, windows, size, total, sliding, still, along: wiresAlong(setting, windows) };
}

// The wires of a cell, as [the other end, tap], both flat numbers: those along one axis, or each with each of two.
function wiresOf(row, flat) {
  const { setting, size, along } = shown, other = row === "input" ? "output" : "input";
  if (setting.axes === 1) return along[row][flat];
  const vertical = along[row][Math.floor(flat / size[row])], horizontal = along[row][flat % size[row]];
  return vertical.flatMap(([y, i]) => horizontal.map(([x, j]) => [y * size[other] + x, i * setting.k + j]));
}

function letter(tap) {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return tap < letters.length ? letters[tap] : "w" + tap;
}

function name(row, flat) {
  const { setting, size } = shown;
  if (setting.axes === 1) return row + " " + flat;
  return `${row} (${Math.floor(flat / size[row])}, ${flat % size[row]})`;
}

// What a cell is computed from, or where it goes, in a sentence.
function sentence({ row, flat }) {
  const pooling = shown.setting.kind === "pooling", wires = wiresOf(row, flat);
  const rest = wires.length > MOST_TERMS ? ["…"] : [];
  const listed = (say, between) => [...wires.slice(0, MOST_TERMS).map(say), ...rest].join(between);
  if (row === "input") {
    if (!wires.length) return "No output reads " + name(row, flat) + ".";
    const say = ([other, tap]) => name("output", other) + (pooling ? "" : " (times " + letter(tap) + ")");
    return name(row, flat) + " goes to " + listed(say, ", ");
  }
  if (!wires.length) return name(row, flat) + " reads no input" + (pooling ? "." : ": it is 0.");
  if (pooling) return name(row, flat) + " = max(" + listed(([other]) => name("input", other), ", ") + ")";
  return name(row, flat) + " = " + listed(([other, tap]) => letter(tap) + " · " + name("input", other), " + ");
}

// -- the picture ---------------------------------------------------------------------------------------------------

let picture = null;  // the svg, its cells by row and number, its wires, and where the image stands in it

function svg(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

function text(x, y, said, kind) {
  return svg("text", { x, y, class: kind }, said);
}

function drawnCell(x, y, side, row, flat) {
  const cell = svg("g", { class: row ? "cell real" : "cell margin" });
  cell.append(svg("rect", { x: x + 1, y: y + 1, width: side - 2, height: side - 2, rx: 3 }));
  if (row && !wiresOf(row, flat).length) {
    cell.append(svg("line", { x1: x + 3, y1: y + side - 3, x2: x + side - 3, y2: y + 3 }));
  }
  cell.append(text(x + side / 2, y + side / 2, row ? String(flat) : "", "number"));
  if (row) {
    cell.setAttribute("role", "img");
    cell.setAttribute("aria-label", name(row, flat));
    cell.setAttribute("tabindex", flat ? -1 : 0);
    cell.dataset.row = row;
    cell.dataset.flat = flat;
  }
  return cell;
}

function draw() {
  const { setting } = shown;
  picture = { cells: { input: [], output: [] }, margin: new Map(), wires: [] };
  (setting.axes === 1 ? drawLine : drawGrids)(get("picture").clientWidth - 2 * ROOM);
  picture.window = picture.svg.appendChild(svg("rect", { class: "window", rx: 5 }));
  picture.svg.setAttribute("role", "group");
  picture.svg.setAttribute("aria-label", setting.kind + ": inputs, outputs and the wires between them");
  get("picture").replaceChildren(picture.svg);
  mark();
}

function canvas(width, height) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
}

// One axis: outputs above, inputs below, each place over the middle of its window, and the wires between.
function drawLine(width) {
  const { setting, windows, total, sliding, still, along } = shown;
  const columns = windows.before + windows.image + windows.after;
  const side = clamp(columns > 99 ? 28 : 22, Math.floor(width / columns), 42), gap = 130, top = ROOM + 20;
  const y = { output: top, input: top + side + gap };
  const left = ROOM + windows.before * side;
  const xOf = (row, flat) =>
    left + side * (row === still ? flat : flat * setting.stride - setting.padding + (windows.span - 1) / 2);
  picture.svg = canvas(Math.max(columns * side, 60) + 2 * ROOM, y.input + side + 20 + ROOM);
  picture.image = { x: left, y: y[still], side };
  picture.svg.append(text(ROOM, top - 14, "output", "name"), text(ROOM, y.input + side + 14, "input", "name"));
  const crowded = windows.places * setting.k > MOST_LETTERS, ways = { input: y.input, output: y.output + side };
  const part = clamp(0.2, setting.stride / (setting.dilation * setting.k), 0.6);  // of the way from place to pixel
  along[sliding].forEach((wires, place) => wires.forEach(([pixel, tap]) => {
    const x1 = xOf(sliding, place) + side / 2, y1 = ways[sliding];
    const x2 = xOf(still, pixel) + side / 2, y2 = ways[still];
    const wire = svg("g", { class: "wire" }, svg("line", { x1, y1, x2, y2 }));
    if (setting.kind !== "pooling") {
      wire.classList.add("weight-" + (tap % 9 + 1));
      wire.append(text(x1 + part * (x2 - x1), y1 + part * (y2 - y1), letter(tap), "letter"));
    }
    picture.wires.push({ wire, crowded, [sliding]: place, [still]: pixel });
  }));
  picture.svg.append(...picture.wires.map(({ wire }) => wire));
  drawMargin(1, left, y[still], side);
  for (const row of ["input", "output"]) {
    picture.cells[row] = range(total[row]).map((flat) => drawnCell(xOf(row, flat), y[row], side, row, flat));
    picture.svg.append(...picture.cells[row]);
  }
}

// Two axes: the grid of the inputs and that of the outputs, side by side or, where there is no room, one below.
function drawGrids(width) {
  const { windows, size, total, still } = shown;
  const margin = (row) => (row === still ? windows.before : 0);
  const cells = (row) => (row === still ? windows.before + windows.image + windows.after : windows.places);
  const both = cells("input") + cells("output") + 1, most = Math.max(cells("input"), cells("output"));
  const beside = width / both >= 26;
  const side = clamp(26, Math.floor(width / (beside ? both : most)), 40), top = ROOM + 20;
  const corner = beside
    ? { input: [ROOM, top], output: [ROOM + side * (cells("input") + 1), top] }
    : { output: [ROOM, top], input: [ROOM, top + side * cells("output") + 40] };
  const bottom = (row) => corner[row][1] + side * cells(row);
  const wide = Math.max(side * (beside ? both : most), 60), high = Math.max(bottom("input"), bottom("output"));
  picture.svg = canvas(wide + 2 * ROOM, high + ROOM);
  for (const row of ["input", "output"]) {
    const [x, y] = corner[row].map((c) => c + side * margin(row));
    picture.svg.append(text(corner[row][0], corner[row][1] - 12, row, "name"));
    if (row === still) {
      picture.image = { x, y, side };
      drawMargin(2, x, y, side);
    }
    picture.cells[row] = range(total[row]).map((flat) =>
      drawnCell(x + side * (flat % size[row]), y + side * Math.floor(flat / size[row]), side, row, flat));
    picture.svg.append(...picture.cells[row]);
  }
}

function drawMargin(axes, x, y, side) {
  const { before, image, after } = shown.windows;
  const columns = range(before + image + after).map((c) => c - before), inside = (c) => c >= 0 && c < image;
  for (const v of axes === 1 ? [0] : columns) {
    for (const u of columns) {
      if (inside(u) && inside(v)) continue;
      const cell = drawnCell(x + side * u, y + side * v, side);
      picture.margin.set(v + "," + u, cell);
      picture.svg.append(cell);
    }
  }
}

// Marks the cell that is pointed at, or else the place of the window, with all that is wired to it.
function mark() {
  const { setting, windows, size, total, sliding } = shown;
  const chosen = pointed || { row: sliding, flat: at }, other = chosen.row === "input" ? "output" : "input";
  const taps = new Map(wiresOf(chosen.row, chosen.flat));
  const lettered = setting.axes === 2 && setting.kind !== "pooling";
  for (const row of ["input", "output"]) {
    picture.cells[row].forEach((cell, flat) => {
      const wired = row === other && taps.has(flat);
      cell.classList.toggle("followed", row === chosen.row && flat === chosen.flat);
      cell.classList.toggle("field", wired);
      cell.querySelector("text").textContent = wired && lettered ? letter(taps.get(flat)) : flat;
    });
  }
  for (const wire of picture.wires) {
    const near = wire[chosen.row] === chosen.flat;
    wire.wire.classList.toggle("near", near);
    const said = wire.wire.querySelector("text");
    if (said) said.setAttribute("display", near || !wire.crowded ? "inline" : "none");
  }
  const place = chosen.row === sliding ? chosen.flat : null, { x, y, side } = picture.image;
  picture.window.setAttribute("display", place === null ? "none" : "inline");
  if (place !== null) {
    const first = (p) => side * windows.position(p, 0), length = side * windows.span;
    const across = place % size[sliding], down = Math.floor(place / size[sliding]);
    const box = setting.axes === 1
      ? { x: x + first(across), y, width: length, height: side }
      : { x: x + first(across), y: y + first(down), width: length, height: length };
    for (const [key, value] of Object.entries(box)) picture.window.setAttribute(key, value);
  }
  get("said").textContent = sentence(chosen);
  get("place").value = at;
  get("count").textContent = (at + 1) + " / " + total[sliding];
  get("back").setAttribute("aria-disabled", at === 0);
  get("forward").setAttribute("aria-disabled", at === total[sliding] - 1);
}

function move(place) {
  at = clamp(0, place, shown.total[shown.sliding] - 1);
  pointed = null;
  mark();
  const box = get("picture"), a = picture.window.getBoundingClientRect(), b = box.getBoundingClientRect();
  if (a.left < b.left || a.right > b.right) box.scrollLeft += (a.left + a.right - b.left - b.right) / 2;
}

function step(by) {
  stop();
  move(at + by);
}

const { play, stop } = player(get("play"), {
  next: () => move(at + 1),
  first: () => move(0),
  isLast: () => at === shown.total[shown.sliding] - 1,
  every: 900,
});

// -- what is taken along -------------------------------------------------------------------------------------------

// The picture as it looks now, with its colours written into it.
function standalone() {
  const copy = picture.svg.cloneNode(true), box = picture.svg.viewBox.baseVal;
  const looks = ["fill", "stroke", "stroke-width", "stroke-dasharray", "paint-order", "opacity", "font-family",
    "font-size", "font-weight", "text-anchor", "dominant-baseline"];
  const originals = picture.svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((e, i) => {
    const style = getComputedStyle(originals[i]);
    looks.forEach((look) => e.setAttribute(look, style.getPropertyValue(look)));
    for (const gone of ["class", "tabindex", "data-row", "data-flat"]) e.removeAttribute(gone);
  });
  copy.querySelectorAll('[display="none"]').forEach((e) => e.remove());
  const paper = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg("rect", { width: box.width, height: box.height, fill: paper }));
  return new XMLSerializer().serializeToString(copy);
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([standalone()], { type: "image/svg+xml" }));
  link.download = shown.setting.kind + ".svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(get("python").textContent);
    get("done").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(get("python"));
    get("done").textContent = "Selected: copy it with the keys of your browser.";
  }
}

// -- sliders, buttons, keys, pointer -------------------------------------------------------------------------------

const form = get("settings");

function fromSliders() {
  const setting = Object.fromEntries(NUMBERS.map((key) => [key, Number(get(key).value)]));
  const kind = form.elements.kind.value, axes = Number(form.elements.axes.value);
  const outputPadding = kind === "transposed" ? setting.outputPadding : 0;
  return { ...setting, outputPadding, kind, axes };
}

function ontoSliders(setting) {
  form.elements.kind.value = setting.kind;
  form.elements.axes.value = setting.axes;
  for (const key of NUMBERS) {
    const slider = get(key);
    if (setting[key] > Number(slider.max)) slider.max = setting[key];
    slider.value = setting[key];
  }
}

function label() {
  for (const key of NUMBERS) get(key + "-number").textContent = get(key).value;
  const off = form.elements.kind.value !== "transposed";
  get("outputPadding").disabled = off;
  get("outputPadding").parentNode.classList.toggle("off", off);
}

window.playground = {
  set(changes) {
    const unknown = Object.keys(changes).filter((key) => ![...NUMBERS, "kind", "axes"].includes(key));
    if (unknown.length) throw new TypeError("there is no setting " + unknown.join(", "));
    const { kind, n, k } = { ...shown.setting, ...changes };
    const usual = { stride: kind === "pooling" ? k : 1, padding: 0, dilation: 1, outputPadding: 0, axes: 1 };
    const setting = { ...usual, ...changes, kind, n, k };
    stop();
    const message = show(setting);
    if (!message) ontoSliders(setting);
    label();
    return message;
  },
  size: () => shown.size.output,
  wires: () => range(shown.total.input).flatMap((i) => wiresOf("input", i).map(([o]) => [i, o])),
};

form.addEventListener("input", () => { stop(); label(); show(fromSliders()); });
form.addEventListener("submit", (event) => event.preventDefault());
get("back").addEventListener("click", () => step(-1));
get("forward").addEventListener("click", () => step(1));
get("play").addEventListener("click", play);
get("place").addEventListener("input", () => { stop(); move(Number(get("place").value)); });
get("copy").addEventListener("click", copy);
get("save").addEventListener("click", save);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
  const key = event.key, cell = event.target.closest(".real");
  if (key === " " && event.target instanceof HTMLButtonElement) return;
  if (cell && key.startsWith("Arrow")) toNeighbour(cell, key);
  else if (key === "ArrowRight") step(1);
  else if (key === "ArrowLeft") step(-1);
  else if (key === "Home") step(-Infinity);
  else if (key === "End") step(Infinity);
  else if (key === " ") play();
  else return;
  event.preventDefault();
});

// A row, or a grid, of cells is one stop of the tab key; inside, the arrow keys lead from cell to cell.
function toNeighbour(cell, key) {
  const { row } = cell.dataset, flat = Number(cell.dataset.flat), size = shown.size[row];
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -size, ArrowDown: size }[key];
  const next = picture.cells[row][flat + by];
  const leaves = Math.abs(by) === 1 && Math.floor((flat + by) / size) !== Math.floor(flat / size);
  if (!next || leaves) return;
  cell.setAttribute("tabindex", -1);
  next.setAttribute("tabindex", 0);
  next.focus();
}

function point(target) {
  const cell = target && target.closest(".real");
  pointed = cell ? { row: cell.dataset.row, flat: Number(cell.dataset.flat) } : null;
  mark();
}

// The window follows the pointer that drags it: its middle comes as near as it can.
function drag(event) {
  const { setting, windows, size, sliding } = shown, box = picture.svg.getBoundingClientRect();
  const { x, y, side } = picture.image, middle = windows.span / 2 - setting.padding;
  const place = (pixel) => clamp(0, Math.round((pixel / side - middle) / setting.stride), size[sliding] - 1);
  const across = place(event.clientX - box.left - x), down = place(event.clientY - box.top - y);
  move(setting.axes === 1 ? across : down * size[sliding] + across);
}

const box = get("picture");
let dragging = false;
box.addEventListener("pointerdown", (event) => { dragging = event.button === 0; if (dragging) stop(); });
// A cell with the focus would take the arrow keys.
box.addEventListener("mousedown", (event) => event.preventDefault());
window.addEventListener("pointerup", () => { dragging = false; });
window.addEventListener("pointercancel", () => { dragging = false; });
box.addEventListener("pointermove", (event) => { if (dragging) drag(event); });
box.addEventListener("pointerover", (event) => { if (!dragging) point(event.target); });
box.addEventListener("pointerleave", () => { if (!dragging) point(null); });
box.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) point(event.target); });
box.addEventListener("focusout", () => point(null));

let width = box.clientWidth;
window.addEventListener("resize", () => {
  if (box.clientWidth === width) return;
  width = box.clientWidth;
  draw();
});

if (window.parent !== window) get("up")?.remove();  // the page around this one is the one to go back to
label();
show(fromSliders());
