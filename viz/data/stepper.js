import { player } from "./player.js";

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = data.nodes, steps = data.steps;
const get = (id) => document.getElementById(id);
const slider = get("slider"), detail = get("detail");
let at = 0;

function element(tag, text, ...children) {
  const e = document.createElement(tag);
  if (text) e.textContent = text;
  e.append(...children);
  return e;
}

function short(v) {
  if (typeof v === "string") return v;
  return String(Number(v.toPrecision(4))).replaceAll("-", "\u2212");
}

const bracketed = (v) => (v < 0 ? "(" + short(v) + ")" : short(v));

function inOneLine(a) {
  if (a.data && a.data.length === 1) return short(a.data[0]);
  return "(" + a.shape.join(", ") + ")";
}

// An array as tables of its last two axes; each cell knows its flat number.
function tables(a) {
  const box = element("div");
  if (!a.data) { box.append(element("code", "shape (" + a.shape.join(", ") + "): " + a.summary)); return box; }
  const width = a.shape.length ? a.shape[a.shape.length - 1] : 1;
  const height = a.shape.length > 1 ? a.shape[a.shape.length - 2] : 1;
  for (let first = 0; first < a.data.length; first += width * height) {
    const table = element("table");
    for (let h = 0; h < height; h++) {
      const row = table.insertRow();
      for (let w = 0; w < width; w++) {
        const cell = row.insertCell(), flat = first + h * width + w;
        cell.textContent = short(a.data[flat]);
        cell.dataset.flat = flat;
      }
    }
    box.append(table);
  }
  return box;
}

function captioned(caption, a) {
  return element("figure", "", element("figcaption", caption), tables(a));
}

// Pointing at an element of what is passed on marks the elements of g that were added into it.
// The tables are one stop of the tab key; inside, the arrow keys lead from element to element.
function explain(share, sources, incoming, line) {
  const cells = [...share.querySelectorAll("td")], width = cells[0].parentNode.cells.length;
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
  cells.forEach((cell, flat) => {
    const terms = sources[flat];
    cell.tabIndex = flat ? -1 : 0;
    cell.addEventListener("keydown", (event) => {
      if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
      const next = cells[flat + moves[event.key]];
      const leaves = Math.abs(moves[event.key]) === 1 && next && next.parentNode !== cell.parentNode;
      if (next && !leaves) next.focus();
      event.preventDefault();
      event.stopPropagation();
    });
    const show = () => {
      incoming.querySelectorAll("td").forEach((c) => c.classList.remove("marked"));
      cells.forEach((c) => c.classList.toggle("marked", c === cell));
      terms.forEach((term) => {
        const c = incoming.querySelector('td[data-flat="' + term[0] + '"]');
        if (c) c.classList.add("marked");
      });
      const added = terms.filter((term) => term[1] !== 0);
      const sum = added.slice(0, 12).map((term) => bracketed(term[1]) + " \u00b7 " + bracketed(term[2])).join(" + ");
      line.textContent = added.length
        ? sum + (added.length > 12 ? " + \u2026" : "") + " = " + cell.textContent
        : "No gradient comes back to this element: 0.";
    };
    cell.addEventListener("pointerenter", show);
    cell.addEventListener("focus", () => {
      cells.forEach((c) => { c.tabIndex = c === cell ? 0 : -1; });
      show();
    });
  });
}

// The values that an operator reads, side by side.
function given(step) {
  const row = element("div", "", ...step.inputs.map((n) => captioned("input " + nodes[n].name, nodes[n].value)));
  row.className = "given";
  return row;
}

function showDetail(step) {
  detail.replaceChildren();
  if (step.kind === "forward") {
    detail.append(captioned("value of " + nodes[step.node].name, nodes[step.node].value), given(step));
  }
  if (step.kind !== "backward") return;
  const incoming = captioned("g, the gradient that has arrived at " + nodes[step.node].name, step.g);
  detail.append(element("div", "", incoming), given(step));
  step.parts.forEach((part) => {
    const name = nodes[part.to].name;
    const block = element("section", "", element("h2", "to " + name + ": ", element("code", part.rule)));
    if (part.python) block.append(element("pre", part.python));
    const row = element("div"), share = captioned("passed on to " + name, part.share);
    row.className = "row";
    row.append(share);
    if (part.before) row.append(captioned("had arrived there before", part.before), captioned("the sum so far", part.sum));
    block.append(row);
    detail.append(block);
    if (part.sources) {
      const line = element("p", "Point at an element to see what is added up in it.");
      block.append(line);
      explain(share, part.sources, incoming, line);
    }
  });
}

// Graphviz has drawn each wire's arrowhead at its end.  This is the same wire with the arrowhead at its beginning.
function turned(path, head) {
  const end = path.getPointAtLength(path.getTotalLength()), from = (p) => Math.hypot(p.x - end.x, p.y - end.y);
  const tip = [...head.points].reduce((a, b) => (from(a) > from(b) ? a : b)), size = from(tip);
  const a = path.getPointAtLength(0), b = path.getPointAtLength(size), dx = (b.x - a.x) * 0.35, dy = (b.y - a.y) * 0.35;
  return {
    d: path.getAttribute("d") + "L" + tip.x + "," + tip.y,
    points: [[a.x, a.y], [b.x - dy, b.y + dx], [b.x + dy, b.y - dx]].join(" "),
    dashes: "0 " + size + " 100000",  // the line begins where the arrowhead ends
  };
}

const wires = [...document.querySelectorAll("#graph .edge")].map((edge) => {
  const path = edge.querySelector("path"), head = edge.querySelector("polygon");
  const drawn = { d: path.getAttribute("d"), points: head.getAttribute("points"), dashes: "none" };
  return { edge, path, head, drawn, turned: turned(path, head) };
});

function show(k) {
  at = Math.max(0, Math.min(steps.length - 1, k));
  const known = nodes.map((n) => !n.made), sums = nodes.map(() => null);
  for (let i = 0; i <= at; i++) {
    const s = steps[i];
    if (s.kind === "forward") known[s.node] = true;
    if (s.kind === "seed") sums[s.node] = s.sum;
    if (s.kind === "backward") s.parts.forEach((p) => { sums[p.to] = p.sum; });
  }
  const step = steps[at];
  nodes.forEach((n, i) => {
    const g = get("node-" + i), lines = g.querySelectorAll("text");
    lines[1].textContent = known[i] ? "value " + inOneLine(n.value) : "";
    lines[2].textContent = sums[i] ? "grad " + inOneLine(sums[i]) : "";
    lines[2].classList.add("gradient");
    g.classList.toggle("done", known[i]);
    g.classList.toggle("now", step.node === i);
    g.classList.toggle("forward", step.kind === "forward");
    g.classList.toggle("backward", step.kind !== "forward");
    // Lines that are still empty leave their room to the others.
    const room = Number(lines[1].getAttribute("y")) - Number(lines[0].getAttribute("y"));
    const empty = [...lines].filter((line) => !line.textContent).length;
    lines.forEach((line) => line.setAttribute("transform", "translate(0," + empty * room / 2 + ")"));
  });
  wires.forEach((wire) => {
    const on = step.node !== undefined && wire.edge.id.startsWith("edge-" + step.node + "-");
    const back = on && step.kind === "backward", shape = back ? wire.turned : wire.drawn;
    wire.edge.classList.toggle("forward", on && step.kind === "forward");
    wire.edge.classList.toggle("backward", back);
    wire.path.setAttribute("d", shape.d);
    wire.path.setAttribute("stroke-dasharray", shape.dashes);
    wire.head.setAttribute("points", shape.points);
  });
  get("said").textContent = step.text;
  get("python").textContent = step.python || "";
  get("count").textContent = at + " / " + (steps.length - 1);
  slider.value = at;
  slider.setAttribute("aria-valuetext", "step " + at + ": " + step.text);
  get("back").setAttribute("aria-disabled", at === 0);  // truly disabled, a button would lose the focus
  get("forward").setAttribute("aria-disabled", at === steps.length - 1);
  showDetail(step);
  reveal();
}

function reveal() {
  const graph = get("graph"), now = document.querySelector("#graph .node.now");
  if (now) {
    const a = now.getBoundingClientRect(), b = graph.getBoundingClientRect();
    graph.scrollLeft += a.left + a.width / 2 - b.left - b.width / 2;
    graph.scrollTop += a.top + a.height / 2 - b.top - b.height / 2;
  }
}

const { play, stop } = player(get("play"), {
  next: () => show(at + 1),
  first: () => show(0),
  isLast: () => at === steps.length - 1,
  every: 1500,
});

get("back").addEventListener("click", () => { stop(); show(at - 1); });
get("forward").addEventListener("click", () => { stop(); show(at + 1); });
get("play").addEventListener("click", play);
slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
document.addEventListener("keydown", (event) => {
  if (event.target === slider || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key, onButton = event.target instanceof HTMLButtonElement;
  if (key === "ArrowRight") { stop(); show(at + 1); }
  else if (key === "ArrowLeft") { stop(); show(at - 1); }
  else if (key === "Home") { stop(); show(0); }
  else if (key === "End") { stop(); show(steps.length - 1); }
  else if (key === " " && !onButton) play();
  else return;
  if (key !== " " || !onButton) event.preventDefault();
});
let wasOpen = false;
window.addEventListener("resize", reveal);
window.addEventListener("beforeprint", () => { wasOpen = get("all").open; get("all").open = true; });
window.addEventListener("afterprint", () => { get("all").open = wasOpen; });
show(0);
