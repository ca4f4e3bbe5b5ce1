// The button that plays: it goes on by itself to the last place, and from there begins again.

/** @param {HTMLElement} button @param {{next: () => void, first: () => void, isLast: () => boolean, every: number}} way
 *  every is in milliseconds @returns {{play: () => void, stop: () => void}} play stops what plays already */
export function player(button, { next, first, isLast, every }) {
  let timer = null;

  function say() {
    button.textContent = timer ? "Pause" : "Play";
    button.setAttribute("aria-pressed", timer !== null);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    say();
  }

  function play() {
    if (timer) return stop();
    if (isLast()) first();
    timer = setInterval(() => { if (isLast()) stop(); else next(); }, every);
    say();
  }

  return { play, stop };
}
