
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const nodes = data.nodes, steps = data.steps;
  const get = (id) => document.getElementById(id);
  const slider = get("slider"), detail = get("detail");
  let at = 0, timer = null;

  function element(tag, text, ...children) {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    e.append(...children);
    return e;
  }

  function short(v) {
    if (typeof v === "string") return v;
    return String(Number(v.toPrecision(4))).replace("-", "\u2212");
  }

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
  function explain(share, sources, incoming, line) {
    share.querySelectorAll("td").forEach((cell) => {
      const terms = sources[Number(cell.dataset.flat)];
      cell.tabIndex = 0;
      const show = () => {
        incoming.querySelectorAll("td").forEach((c) => c.classList.remove("marked"));
        share.querySelectorAll("td").forEach((c) => c.classList.toggle("marked", c === cell));
        terms.forEach((term) => {
          const c = incoming.querySelector('td[data-flat="' + term[0] + '"]');
          if (c) c.classList.add("marked");
        });
        const added = terms.filter((term) => term[1] !== 0);
        const sum = added.slice(0, 12).map((term) => short(term[1]) + " \u00b7 " + short(term[2])).join(" + ");
        line.textContent = added.length
          ? sum + (added.length > 12 ? " + \u2026" : "") + " = " + cell.textContent
          : "No gradient comes back to this element: 0.";
      };
      cell.addEventListener("pointerenter", show);
      cell.addEventListener("focus", show);
    });
  }

  function showDetail(step) {
    detail.replaceChildren();
    if (step.kind === "forward") detail.append(captioned("value of " + nodes[step.node].name, nodes[step.node].value));
    if (step.kind !== "backward") return;
    const incoming = captioned("g, the gradient that has arrived at " + nodes[step.node].name, step.g);
    detail.append(element("div", "", incoming));
    step.parts.forEach((part) => {
      const name = nodes[part.to].name;
      const block = element("section", "", element("h2", "to " + name + ": ", element("code", part.rule)));
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
    });
    document.querySelectorAll("#graph .edge").forEach((e) => {
      const on = step.node !== undefined && e.id.startsWith("edge-" + step.node + "-");
      e.classList.toggle("forward", on && step.kind === "forward");
      e.classList.toggle("backward", on && step.kind === "backward");
    });
    get("said").textContent = step.text;
    get("count").textContent = at + " / " + (steps.length - 1);
    slider.value = at;
    slider.setAttribute("aria-valuetext", "step " + at + ": " + step.text);
    get("back").disabled = at === 0;
    get("forward").disabled = at === steps.length - 1;
    showDetail(step);
    const graph = get("graph"), now = document.querySelector("#graph .node.now");
    if (now) {
      const a = now.getBoundingClientRect(), b = graph.getBoundingClientRect();
      graph.scrollLeft += a.left + a.width / 2 - b.left - b.width / 2;
      graph.scrollTop += a.top + a.height / 2 - b.top - b.height / 2;
    }
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    get("play").textContent = "Play";
    get("play").setAttribute("aria-pressed", "false");
  }

  function play() {
    if (timer) return stop();
    if (at === steps.length - 1) show(0);
    get("play").textContent = "Pause";
    get("play").setAttribute("aria-pressed", "true");
    timer = setInterval(() => { if (at === steps.length - 1) stop(); else show(at + 1); }, 1500);
  }

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
  window.addEventListener("beforeprint", () => { wasOpen = get("all").open; get("all").open = true; });
  window.addEventListener("afterprint", () => { get("all").open = wasOpen; });
  show(0);
})();
