// What screens are made of.

import { Abandoned, Refusal, SignedOut, Unavailable } from './api.js';
import { element, fill, icon } from './dom.js';
import { knows, say, t } from './language.js';
import { moneyText } from './money.js';
import { to } from './router.js';
import { sessionEvents } from './session.js';

const STATUS_ICONS = {
  good: 'M5 12.5 10 17 19 7',
  bad: 'M6 6l12 12M18 6 6 18',
  waiting: 'M12 7v5l3 3M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  neutral: 'M5 12h14',
};
const STATUS_TONES = {
  pending_payment: 'waiting', processing: 'waiting', pending_review: 'waiting', completed: 'good', rejected: 'bad',
  failed: 'bad', cancelled: 'neutral', expired: 'neutral', exception: 'bad', partially_refunded: 'neutral',
  refunded: 'neutral',
};
let lastId = 0;

/** An id that nothing else on the page has. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** The status of an order: colour, sign and word. */
export function statusBadge(status) {
  return badge(STATUS_TONES[status] ?? 'neutral', say(`status.${status}`));
}

/** A short word with its tone: `good`, `bad`, `waiting` or `neutral`. */
export function badge(tone, label) {
  return element('span', { class: `badge ${tone}` }, icon(STATUS_ICONS[tone]), label);
}

/** A link within the page. */
export function link(path, query, ...children) {
  return element('a', { href: to(path, query) }, ...children);
}

/** A link that looks like a button; `kind` is `primary`, `secondary` or `plain`. */
export function buttonLink(kind, path, label, attributes = {}) {
  return element('a', { class: `button ${kind}`, href: to(path), ...attributes }, label);
}

/**
 * A button that does something that takes time: while it does, it is locked and says so. A failure
 * is shown beside it.
 */
export function actionButton(kind, label, act, attributes = {}) {
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const button = element('button', { type: 'button', class: `button ${kind}`, ...attributes }, label);
  button.addEventListener('click', () => locked(button, problem, act));
  return element('div', { class: 'action' }, button, problem);
}

/** Does it once at a time: the button is locked and turns until it is done; a failure becomes words. */
export async function locked(button, problem, act) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  problem.hidden = true;
  // Not `disabled`: the focus would be lost, and a screen reader with it.
  button.setAttribute('aria-disabled', 'true');
  button.classList.add('busy');
  try {
    await act();
  } catch (failure) {
    showProblem(problem, failure);
  } finally {
    button.removeAttribute('aria-disabled');
    button.classList.remove('busy');
  }
}

// Says in a person's words what went wrong. Whoever was signed out is told by the page itself.
function showProblem(place, failure) {
  if (failure instanceof SignedOut || failure instanceof Abandoned) return;
  fill(place, problemText(failure));
  place.hidden = false;
}

/** The sentence for a failure: a live text. */
export function problemText(failure) {
  if (!(failure instanceof Refusal)) {
    if (!(failure instanceof Unavailable)) console.error(failure);
    return say(failure.wrote ? 'problem.unavailable.wrote' : 'problem.unavailable');
  }
  const { problem, code } = failure;
  const key = `problem.${code}`;
  // The field is named by where the words stand.
  const detail = (problem.detail ?? code).replace(`${problem.field}: `, '');
  if (!knows(key)) return () => t('problem.other', { detail });
  const amount = (text) => () => (problem.currency ? moneyText(text, problem.currency) : text);
  return () => t(key, {
    ...problem, detail, available: amount(problem.available), required: amount(problem.required),
  });
}

/**
 * Something that has to be loaded: a quiet placeholder, then what `show(loaded)` makes of it. What
 * cannot be loaded is a dash and a button to try again, never a wrong number.
 */
export function loaded(load, show) {
  const place = element('div', { class: 'loaded' });
  const start = async () => {
    const hadFocus = place.contains(document.activeElement);
    fill(place, element('p', { class: 'loading', role: 'status' }, say('loading')));
    if (hadFocus) document.querySelector('h1')?.focus({ preventScroll: true });
    try {
      const answer = await load();
      fill(place, show(answer, start));
    } catch (failure) {
      // The page itself says that the session has ended; this goes on by itself once there is another one.
      if (failure instanceof SignedOut) sessionEvents.addEventListener('resumed', start, { once: true });
      else if (failure instanceof Refusal && failure.status === 404) fill(place, emptyHint(say('problem.not_found')));
      else fill(place, notLoaded(failure, start));
    }
  };
  start();
  return place;
}

function notLoaded(failure, again) {
  return element('div', { class: 'not-loaded' },
    element('span', { class: 'dash' }, '—'),
    element('span', { role: 'alert' }, problemText(failure)),
    element('button', { type: 'button', class: 'button secondary', onclick: again }, say('retry')));
}

/** Says that there is nothing, and what to do about it. */
export function emptyHint(text, ...more) {
  return element('div', { class: 'empty' }, element('p', {}, text), ...more);
}

/** Something that a person should know now; `tone` as of a badge. */
export function banner(tone, ...children) {
  return element('div', { class: `banner ${tone}`, role: tone === 'bad' ? 'alert' : 'status' },
    icon(STATUS_ICONS[tone]), element('div', {}, ...children));
}

/** Says what became of something to who does not see it: a live text. */
export function announce(text) {
  fill(document.getElementById('announced'), text);
}

/** Pairs of a label and a value; those without a value are left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return element('dl', { class: 'facts' },
    shown.map(([label, value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value))));
}

/**
 * A field of a form: a label, a control, a hint beneath it, and room for what is wrong with it.
 * `control` is an input, select or textarea; `field.problem(text)` shows and `field.problem(null)` takes away.
 */
export function field(label, control, hint, attributes = {}) {
  const id = freshId('field');
  const error = element('p', { class: 'problem', id: `${id}-problem`, role: 'alert', hidden: true });
  control.id = id;
  control.setAttribute('aria-describedby', `${id}-hint ${id}-problem`);
  const made = element('div', { class: 'field', ...attributes },
    element('label', { for: id }, label), control,
    element('p', { class: 'hint', id: `${id}-hint` }, hint ?? ''), error);
  made.problem = (text) => {
    error.hidden = text === null;
    control.setAttribute('aria-invalid', String(text !== null));
    if (text !== null) fill(error, text);
  };
  return made;
}

/** A choice of one among a few, as radio buttons in a row of cards: `[{value, label, note}]`. */
export function choice(legend, name, options, chosen, onchange) {
  return element('fieldset', { class: 'choice' },
    element('legend', {}, legend),
    element('div', { class: 'options' }, options.map(({ value, label, note }) => element('label', { class: 'option' },
      element('input', {
        type: 'radio', name, value, checked: value === chosen, onchange: () => onchange(value),
      }),
      element('span', { class: 'option-label' }, label),
      note ? element('span', { class: 'option-note' }, note) : null))));
}

/** A value with a button that copies it; `shown` is what is to be seen of it. */
export function copyable(text, name, shown = text) {
  const said = element('span', { class: 'copied', role: 'status' });
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    fill(said, say('copied'));
    setTimeout(() => fill(said), 2_000);
  };
  return element('span', { class: 'copyable' }, element('span', { class: 'copy-text' }, shown),
    element('button', { type: 'button', class: 'button plain small', onclick: copy, 'aria-label': () => t('copy.named', { name }) },
      say('copy')), said);
}

/**
 * A table that becomes a list of cards on a narrow screen. `columns` are `{label, cell(row), kind}`;
 * the kind `number` is set to the right.
 */
export function table(caption, columns, rows) {
  const head = columns.map(({ label, kind }) => element('th', { scope: 'col', class: kind ?? false }, label));
  const line = (row) => element('tr', {}, columns.map(({ label, cell, kind }) => element('td', { class: kind ?? false },
    element('span', { class: 'cell-label', 'aria-hidden': 'true' }, label), element('span', { class: 'cell' }, cell(row)))));
  return element('div', { class: 'table', role: 'region', 'aria-label': caption, tabindex: '0' },
    element('table', {}, element('caption', { class: 'visually-hidden' }, caption),
      element('thead', {}, element('tr', {}, head)), element('tbody', {}, rows.map(line))));
}

/**
 * Asks before something that cannot be taken back; resolves to whether the person said yes. `kind` is that of the
 * button which says it: `danger` where something is destroyed or taken away.
 */
export function confirmed(question, detail, yes, kind = 'primary') {
  return answered(question, detail,
    element('button', { class: 'button secondary', value: 'no' }, say('back')),
    element('button', { class: `button ${kind}`, value: 'yes' }, yes));
}

/** Says something that nobody may miss; resolves once it was read. */
export function noted(what, detail) {
  return answered(what, detail, element('button', { class: 'button primary', value: 'yes' }, say('understood')));
}

function answered(title, detail, ...buttons) {
  return new Promise((resolve) => {
    const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' },
      element('form', { method: 'dialog' },
        element('h2', { id: 'dialog-title' }, title), element('p', {}, detail),
        element('div', { class: 'actions' }, buttons)));
    // Whoever leaves the screen has not said yes to what it asked.
    const leave = () => dialog.close('no');
    addEventListener('hashchange', leave);
    dialog.addEventListener('close', () => {
      removeEventListener('hashchange', leave);
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The head of a screen: its one heading, which takes the focus when the screen is shown. */
export function heading(text, ...beside) {
  return element('div', { class: 'heading' }, element('h1', { tabindex: '-1' }, text), ...beside);
}
