// Lists of the API: page by page on the screen, and whole as a file.

import { downloadParts, list } from './api.js';
import { element, fill } from './dom.js';
import { say } from './language.js';
import { actionButton, emptyHint, loaded } from './parts.js';

/**
 * A list, and more of it at the press of a button. `show(rows, redraw)` makes what is seen of all that was read;
 * `none` is what an empty list says, as of `emptyHint`.
 */
export function pages(path, query, show, ...none) {
  const read = (cursor) => list(path, { ...query, cursor });
  return loaded(() => read(null), (first) => {
    const place = element('div', { class: 'loaded' });
    const rows = [...first.data];
    let cursor = first.next_cursor;
    const draw = () => {
      const hadFocus = place.contains(document.activeElement);
      fill(place, rows.length > 0 ? show(rows, draw) : emptyHint(...none));
      if (hadFocus) document.querySelector('h1')?.focus({ preventScroll: true });
    };
    const more = actionButton('secondary', say('more'), async () => {
      const seen = place.querySelectorAll('tbody tr').length;
      const page = await read(cursor);
      rows.push(...page.data);
      cursor = page.next_cursor;
      draw();
      more.hidden = !cursor;
      place.querySelectorAll('tbody tr')[seen]?.querySelector('a')?.focus({ preventScroll: true });
    });
    more.hidden = !cursor;
    draw();
    return [place, more];
  });
}

/** A button that saves an export as a file, whole. */
export function exportButton(path, query, name) {
  const note = element('p', { class: 'hint', role: 'status' });
  const button = actionButton('secondary', say('export'), async () => {
    const { file, whole } = await downloadParts(path, query);
    const address = URL.createObjectURL(file);
    element('a', { href: address, download: `${name}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    fill(note, say(whole ? 'saved' : 'export.part'));
  });
  return element('div', { class: 'action' }, button, note);
}
