// A group that is one stop of the tab key: inside, the arrow keys go from one to the next.

/** Makes one of these the stop of the tab key. @param {Iterable<HTMLElement>} items @param {Element | null} chosen */
export function stopAt(items, chosen) {
  for (const item of items) item.tabIndex = item === chosen ? 0 : -1;
}

/** Makes the children of a box such a group, in lines as they are laid out. @param {HTMLElement} box */
export function roving(box) {
  const items = () => /** @type {HTMLElement[]} */ ([...box.children]);
  box.addEventListener("focusin", (event) => stopAt(items(), /** @type {HTMLElement} */ (event.target)));
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const all = items(), here = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const line = all.filter((item) => item.offsetTop === all[0].offsetTop).length;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, ArrowUp: here - line, ArrowDown: here + line,
      Home: 0, End: all.length - 1 };
    if (!(event.key in moves)) return;
    all[moves[event.key]]?.focus();
    event.preventDefault();
  });
  stopAt(items(), items()[0]);
}
