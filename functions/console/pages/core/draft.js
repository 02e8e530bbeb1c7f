// What a person typed but did not send yet. It outlives an ended session, a reload and a look at
// another screen; it is kept in this tab only, apart for each person, and goes away once it was sent.

import { currentSession } from './session.js';

const PREFIX = 'topup.draft.';

/**
 * The draft of a form: its `values` are those that were kept, over `defaults`. `bind(name, control)`
 * fills a control and keeps what is typed there; `set(name, value)` keeps anything else; `clear()` forgets, for good.
 *
 * Only what was touched is kept: the rest may be something else by the time the form is seen again.
 */
export function draftOf(form, defaults) {
  const session = currentSession();
  const stored = PREFIX + [session?.role, session?.account_id, session?.person, form].join('.');
  const touched = JSON.parse(sessionStorage.getItem(stored) ?? '{}');
  const values = { ...defaults, ...touched };
  let isSent = false;
  const set = (name, value) => {
    values[name] = value;
    touched[name] = value;
    if (!isSent) sessionStorage.setItem(stored, JSON.stringify(touched));
  };
  const clear = () => {
    isSent = true;
    sessionStorage.removeItem(stored);
  };
  const bind = (name, control) => {
    const isBox = control.type === 'checkbox';
    if (isBox) control.checked = values[name];
    else control.value = values[name];
    control.addEventListener('input', () => set(name, isBox ? control.checked : control.value));
    return control;
  };
  return { values, set, bind, clear };
}
