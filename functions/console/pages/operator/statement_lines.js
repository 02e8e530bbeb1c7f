// The lines of a statement: accepting those that fit exactly, and those that a person decided on.

import { get, post } from '../core/api.js';
import { element, fill, refresh } from '../core/dom.js';
import { selectInput } from '../core/form.js';
import { knows, say, t } from '../core/language.js';
import { money } from '../core/money.js';
import { actionButton, badge, confirmed, emptyHint, field, link, table } from '../core/parts.js';
import { day } from '../core/time.js';
import { accountLink, code, lines, orderLink, tellAt, told } from './shared.js';

const STATES = ['exact', 'proposed', 'unmatched', 'credited'];
const TONES = { exact: 'good', proposed: 'waiting', unmatched: 'bad', credited: 'neutral' };
/** The orders that still wait for money. */
const OPEN = ['pending_payment', 'pending_review'];
const SHOWN_AT_ONCE = 100;
const MOST_PER_REQUEST = 100;

/** The lines with what can be done; `again()` reads the statement as it is now. */
export function statementLines(first, again) {
  const desk = { statement: first, chosen: new Map(), state: '', shown: SHOWN_AT_ONCE, again };
  desk.news = element('div', { class: 'loaded' });
  desk.lines = element('div', { class: 'loaded' });
  desk.bar = element('div', { class: 'actions' },
    actionButton('primary', () => t('statement.accept_exact', { count: exactCount(desk) }), () => acceptExact(desk)),
    actionButton('secondary', () => t('statement.accept_chosen', { count: desk.chosen.size }), () => acceptChosen(desk)));
  const filter = selectInput([['', say('statement.all')], ...STATES.map((state) => [state, say(`line.${state}`)])], '');
  filter.addEventListener('change', () => {
    desk.state = filter.value;
    desk.shown = SHOWN_AT_ONCE;
    showLines(desk);
  });
  showLines(desk);
  return element('div', { class: 'loaded' }, desk.bar, desk.news,
    element('div', { class: 'filters' }, field(say('statement.filter'), filter)), desk.lines);
}

function exactCount({ statement }) {
  return statement.lines.filter(({ state }) => state === 'exact').length;
}

async function acceptExact(desk) {
  if (exactCount(desk) === 0) {
    tellAt(desk.news, told('waiting', say('statement.no_exact')));
    return;
  }
  const total = { accepted: 0, results: [] };
  try {
    // At most a hundred in one request: asked again until none is left, or none can be taken any more.
    for (let remaining = 1, accepted = 1; remaining > 0 && accepted > 0;) {
      const answer = await accept(desk, { exact: true });
      ({ remaining, accepted } = answer);
      total.accepted += accepted;
      total.results.push(...answer.results);
    }
  } finally {
    // What was credited is told, also if a later request failed.
    await showOutcome(desk, total);
  }
}

async function acceptChosen(desk) {
  const lines = [...desk.chosen].map(([line, order]) => ({ line, order_id: order })).slice(0, MOST_PER_REQUEST);
  if (lines.length === 0) {
    tellAt(desk.news, told('waiting', say('statement.none_chosen')));
    return;
  }
  const answer = await accept(desk, { lines });
  const differing = answer.results.filter(({ code }) => code === 'difference_not_confirmed');
  try {
    if (differing.length > 0) await confirmDifferences(desk, answer, differing);
  } finally {
    await showOutcome(desk, answer);
  }
}

async function confirmDifferences(desk, answer, differing) {
  const orders = await Promise.all(differing.map(({ order_id: id }) => get(`/v1/admin/orders/${id}`)));
  const detail = differing.map(({ line }, at) => element('span', { class: 'each' }, differenceText(desk, line, orders[at])));
  if (!await confirmed(say('decision.difference'), detail, say('decision.difference.yes'))) return;
  const lines = differing.map(({ line, order_id: order }) => ({ line, order_id: order, confirm_difference: true }));
  const second = await accept(desk, { lines });
  answer.accepted += second.accepted;
  answer.results = answer.results.filter((one) => !differing.includes(one)).concat(second.results);
}

function differenceText({ statement }, number, order) {
  const line = statement.lines.find((one) => one.line === number);
  return say('statement.difference.line', {
    line: number, received: money(line.amount, line.currency), payable: money(order.pay_amount, order.pay_currency),
  });
}

// Accepting a line again changes nothing, so this takes no key.
function accept(desk, choice) {
  return post(`/v1/admin/statements/${desk.statement.statement_id}/accept`, choice);
}

async function showOutcome(desk, { accepted, results }) {
  const refused = results.filter(({ outcome }) => outcome === 'refused');
  const refusal = (one) => element('p', {}, say('statement.refused', { line: one.line }), ' ',
    orderLink(one.order_id), ' ', refusalText(one));
  const outcome = told(refused.length > 0 ? 'waiting' : 'good',
    element('p', {}, say('statement.accepted', { count: accepted })), refused.map(refusal));
  for (const { line } of results) desk.chosen.delete(line);
  try {
    desk.statement = await desk.again();
    showLines(desk);
  } finally {
    // What was done is told, also if what is now cannot be read.
    tellAt(desk.news, outcome);
  }
}

function refusalText({ code, detail }) {
  return knows(`line.refused.${code}`) ? say(`line.refused.${code}`) : detail;
}

function showLines(desk) {
  const fitting = desk.statement.lines.filter(({ state }) => desk.state === '' || state === desk.state);
  const rows = fitting.slice(0, desk.shown);
  const more = () => {
    desk.shown += SHOWN_AT_ONCE;
    showLines(desk);
  };
  const button = element('button', { type: 'button', class: 'button secondary', onclick: more }, say('more'));
  fill(desk.lines, rows.length > 0 ? lineTable(desk, rows) : emptyHint(say('statement.no_lines')),
    fitting.length > rows.length ? button : null);
  refresh(desk.bar);
}

function lineTable(desk, rows) {
  return table(say('statement.lines'), [
    { label: say('line.number'), cell: ({ line }) => String(line) },
    { label: say('line.booked_on'), cell: ({ booked_on: on }) => day(on) },
    { label: say('entry.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    { label: say('line.who'), cell: whoAndWhat },
    { label: say('operator.status'), cell: standing },
    { label: say('line.pays'), cell: (line) => pays(desk, line) },
  ], rows);
}

function standing({ state, doubt }) {
  const shown = badge(TONES[state], say(`line.${state}`));
  return doubt ? lines(shown, badge('bad', say(`line.doubt.${doubt}`))) : shown;
}

function whoAndWhat({ payer_name: payer, information, bank_reference: reference }) {
  const quiet = (text) => element('span', { class: 'hint' }, text);
  return lines(element('span', {}, payer ?? '—'), quiet(information),
    quiet(reference ? code(reference) : say('line.no_reference')));
}

function pays(desk, line) {
  if (line.state === 'credited') {
    return lines(orderLink(line.credited.order_id), accountLink(line.credited.account_id));
  }
  const { used_for: used } = line;
  if (used) {
    return lines(say('line.used_for', { amount: money(used.amount, used.currency) }), orderLink(used.order_id),
      accountLink(used.account_id), recordLink(desk, { ...line, bank_reference: null }));
  }
  if (line.proposals.length === 0) return unmatched(desk, line);
  // Of an order that nobody waits for any more, which may have been paid by another line, it is said.
  const over = ({ status }) => (OPEN.includes(status) ? null : badge('bad', say(`status.${status}`)));
  const proposals = line.proposals.map((one) => element('li', {}, orderLink(one.order_id), ' ', over(one), ' ',
    element('span', { class: 'hint' }, evidenceText(one))));
  // Without a reference of the bank the same money could be credited twice: the API does not take it.
  return lines(element('ul', { class: 'plain' }, proposals), line.bank_reference ? chooser(desk, line) : null);
}

function unmatched(desk, line) {
  return lines(element('span', { class: 'hint' }, say('line.unmatched.hint')), recordLink(desk, line));
}

function recordLink({ statement }, { amount, currency, bank_reference: reference, booked_on: on }) {
  const known = { amount, currency, reference, on, statement: statement.statement_id };
  return link('/received', known, say('line.record'));
}

function chooser(desk, { line, proposals }) {
  const options = [['', say('line.choose')], ...proposals.map(({ order_id: id }) => [id, say('line.accept_for', { id })])];
  const control = selectInput(options, desk.chosen.get(line) ?? '', { 'aria-label': say('line.choose.named', { line }) });
  control.addEventListener('change', () => {
    if (control.value) desk.chosen.set(line, control.value);
    else desk.chosen.delete(line);
    refresh(desk.bar);
  });
  return control;
}

function evidenceText({ reasons, score }) {
  return () => t('line.evidence', { score, reasons: reasons.map((reason) => t(`evidence.${reason}`)).join(t('operator.comma')) });
}
