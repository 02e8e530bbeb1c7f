// A form that is sent by the API, not by the browser: one button that locks, and what is wrong said at
// the field that it belongs to, with the focus there.

import { Refusal } from './api.js';
import { element } from './dom.js';
import { locked, problemText } from './parts.js';

/** Something that the page itself sees is wrong, before it is sent: which field, and what to say (a live text). */
export class Wrong extends Error {
  constructor(field, text) {
    super(field);
    this.field = field;
    this.text = text;
  }
}

/**
 * A form of these children. `fields` are fields by the names that the API knows them by; `submit` is the
 * words of its button; `send()` does it, and may throw `Wrong`. `fieldOf(refusal)` says where a
 * refusal belongs that does not say so itself.
 */
export function form(fields, submit, send, children, fieldOf = () => null) {
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const button = element('button', { type: 'submit', class: 'button primary' }, submit);
  const made = element('form', { novalidate: true }, children, element('div', { class: 'action' }, button, problem));
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    locked(button, problem, async () => {
      for (const field of Object.values(fields)) field.problem(null);
      try {
        await send();
      } catch (failure) {
        if (!shownAtField(fields, failure, fieldOf)) throw failure;
      }
    });
  });
  return made;
}

function shownAtField(fields, failure, fieldOf) {
  const name = failure instanceof Wrong ? failure.field
    : failure instanceof Refusal && (failure.problem.field ?? fieldOf(failure));
  const field = fields[name];
  // A field that the person does not see at the moment cannot say anything.
  if (!field || field.closest('[hidden]')) return false;
  field.problem(failure instanceof Wrong ? failure.text : problemText(failure));
  field.querySelector('input, select, textarea').focus();
  return true;
}

/** A choice out of a list: `[[value, label]]`. */
export function select(options, chosen, attributes = {}) {
  return element('select', attributes, options.map(
    ([value, label]) => element('option', { value, selected: value === chosen }, label),
  ));
}

/** Sends the person to another site; done only if they come back to this very page. */
export function leave(address) {
  const back = new Promise((resolve) => {
    addEventListener('pageshow', ({ persisted }) => persisted && resolve(), { once: true });
  });
  location.assign(address);
  return back;
}
