// Money that is still moving: the page looks again by itself while somebody looks at it.

/**
 * Calls `look()` after each of `pauses_s` (seconds), until it answers true, the pauses are used up, or
 * `place` is no longer shown. A look that fails counts as one; `ended()` is called when the pauses are used up.
 */
export function lookAgain(place, pauses_s, look, ended = () => {}) {
  const next = (at) => {
    if (at >= pauses_s.length) {
      ended();
      return;
    }
    setTimeout(async () => {
      if (!place.isConnected) return;
      const settled = await look().catch(() => false);
      if (!settled && place.isConnected) next(at + 1);
    }, pauses_s[at] * 1_000);
  };
  next(0);
}
