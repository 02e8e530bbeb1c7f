// Forms that are sent by the API, not by the browser: what was typed is looked at here first, then sent
// once, and what is wrong with it is said at its field, with the focus there. Nothing that was typed is
// taken away by an error.

import { Refusal } from './api.js';
import { element } from './dom.js';
import { say } from './language.js';
import { isAmount, typed } from './money.js';
import { field, locked, problemText } from './parts.js';
import { latestDay, today } from './time.js';

/** The service knows no day before it. */
const FIRST_DAY = '1970-01-01';
const TOO_LITTLE = ['insufficient_balance', 'refund_too_large'];

/**
 * A field that knows its name in the API. `check(value)` is what is wrong with a value, or null; `optional` may stay
 * empty, and is left out of the body then, unless `empty()` says that it must not now. `hidden()` takes it out of
 * sight: it is neither looked at nor sent then. A `draft` fills it, and keeps what is typed there.
 */
export function entry(name, label, control, settings = {}) {
  const { hint, check, read, empty, hidden, draft, optional = false } = settings;
  control.name = name;
  control.required = !optional;
  draft?.bind(name, control);
  const made = field(label, control, hint, hidden ? { hidden } : {});
  made.entry = { name, control, check, empty, optional, read: read ?? (() => control.value.trim()) };
  return made;
}

/** A field for an amount of a currency; the currency is asked for when it is needed. */
export function amountEntry(name, label, currency, { check = () => null, ...settings } = {}) {
  const control = textInput({ inputmode: 'decimal', value: settings.value ?? '' });
  return entry(name, label, control, {
    ...settings, read: () => typed(control.value),
    check: (value) => (isAmount(value, currency()) ? check(value) : say('form.amount', { currency: currency() })),
  });
}

/** A field for a day that is not in the future, wherever the bank that names it is. */
export function pastDayEntry(name, label, settings = {}) {
  const control = element('input', { type: 'date', value: settings.value ?? today(), max: latestDay() });
  const check = (day) => {
    if (day > latestDay()) return say('form.future');
    return day < FIRST_DAY ? say('form.past') : null;
  };
  return entry(name, label, control, { ...settings, check });
}

/** A field for the number by which a bank knows a transfer: letters of one script, so that none looks like another. */
export function bankReferenceEntry(label, attributes, settings) {
  const check = (text) => (/^[\p{Script=Latin}\p{ASCII}]+$/u.test(text.normalize('NFKC')) ? null : say('form.bank_reference'));
  return entry('bank_reference', label, textInput({ maxlength: '70', ...attributes }), { ...settings, check });
}

/** A line of text. */
export function textInput(attributes = {}) {
  return element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
}

/** A choice of one: `[[value, label]]`. */
export function selectInput(options, chosen, attributes = {}) {
  return element('select', attributes, options.map(
    ([value, label]) => element('option', { value, selected: value === chosen }, label),
  ));
}

/** A choice of yes or no, with its words beside it: the label, whose `control` is the input. */
export function checkInput(label, attributes = {}) {
  return element('label', { class: 'tick' }, element('input', { type: 'checkbox', ...attributes }), element('span', {}, label));
}

/**
 * A form of entries and whatever stands around them. `send(values, form)` is called with what was typed into those that
 * are seen; its refusal is shown at the field that it names, any other failure beside the button.
 */
export function form({ parts, submit, send, kind = 'primary' }) {
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const button = element('button', { type: 'submit', class: `button ${kind}` }, submit);
  const made = element('form', { novalidate: true }, parts, element('div', { class: 'action' }, button, problem));
  // What is being corrected is not called wrong any more.
  made.addEventListener('input', ({ target }) => target.closest('.field')?.problem?.(null));
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    problem.hidden = true;
    const seen = [...made.querySelectorAll('.field')].filter((one) => one.entry && !one.closest('[hidden]'));
    if (looksRight(seen)) locked(button, problem, () => sent(seen, send, made));
  });
  return made;
}

/** Says at a field what is wrong with it, and goes there. */
export function showAtField(made, text) {
  made.problem(text);
  made.entry.control.focus();
}

/**
 * Does it, and says at the amount if there is less than that; null then. The answer names what is
 * there without its currency, so the currency is given.
 */
export async function withinMeans(amount, currency, act) {
  try {
    return await act();
  } catch (failure) {
    if (!TOO_LITTLE.includes(failure.code)) throw failure;
    failure.problem.currency = currency;
    showAtField(amount, problemText(failure));
    return null;
  }
}

// Whether every field can be sent; the first that cannot takes the focus.
function looksRight(entries) {
  let first = null;
  for (const made of entries) {
    const wrong = wrongWith(made.entry);
    made.problem(wrong);
    if (wrong) first ??= made;
  }
  first?.entry.control.focus();
  return first === null;
}

async function sent(entries, send, made) {
  try {
    await send(valuesOf(entries), made);
  } catch (failure) {
    const at = failure instanceof Refusal ? entryNamed(entries, failure.problem.field) : null;
    // A field that the person does not see at the moment cannot say anything.
    if (!at || at.closest('[hidden]')) throw failure;
    showAtField(at, problemText(failure));
  }
}

function wrongWith({ read, check, empty, optional }) {
  const value = read();
  if (value === '') return optional ? empty?.() ?? null : say('problem.missing_field');
  return check?.(value) ?? null;
}

function valuesOf(entries) {
  const read = entries.map(({ entry: { name, read: value } }) => [name, value()]);
  return Object.fromEntries(read.filter(([, value]) => value !== ''));
}

// The API may name a part of a field, as `name.en` of `name`.
function entryNamed(entries, name) {
  return entries.find((made) => made.entry.name === name)
    ?? entries.find((made) => name?.startsWith(`${made.entry.name}.`));
}
