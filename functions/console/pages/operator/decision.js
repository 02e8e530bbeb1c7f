// What finance decides on a bank transfer: it arrived, and this much is credited, or it did not.
//
// `settled(outcome)` is told once: `{kind: 'accepted' | 'rejected', order}`, `{kind: 'changed' | 'replaced', order}` if the
// order, or its report, is not any more what the person sees, or `{kind: 'already', problem}` if somebody was faster.

import { get, post } from '../core/api.js';
import { element, refresh } from '../core/dom.js';
import { amountEntry, bankReferenceEntry, entry, form, pastDayEntry, selectInput, showAtField } from '../core/form.js';
import { say, t } from '../core/language.js';
import { compare, digitsOf, divided, isAmount, minus, money, moneyText, typed } from '../core/money.js';
import { reasonWords } from '../core/orders.js';
import { confirmed, statusBadge } from '../core/parts.js';
import { submitOnce } from '../core/submission.js';
import { timeText } from '../core/time.js';
import { reasonEntry } from './entries.js';
import { orderLink, told, usedBefore } from './shared.js';

const ACCEPTABLE = ['pending_payment', 'pending_review', 'rejected', 'expired', 'cancelled'];

/** Whether finance may still say that the money of this order arrived. */
export function isAcceptable({ method, status }) {
  return method === 'offline' && ACCEPTABLE.includes(status);
}

/** Whether there is a report that may be turned down. */
export function isRejectable({ method, status }) {
  return method === 'offline' && status === 'pending_review';
}

/** The form of what arrived, filled in from the report. */
export function acceptForm(order, currencies, settled) {
  const { transfer_report: report } = order;
  const currency = selectInput(currenciesOf(order, currencies).map((code) => [code, code]), order.pay_currency);
  const amount = amountEntry('received_amount', say('decision.received_amount'), () => currency.value,
    { value: report?.amount ?? order.pay_amount });
  const reference = bankReferenceEntry(say('order.bank_reference'), { value: report?.bank_reference ?? '' },
    { hint: say('decision.bank_reference.hint') });
  const preview = element('p', { class: 'hint', role: 'status' },
    () => previewText(order, typed(amount.entry.control.value), currency.value));
  const made = form({
    parts: [
      element('div', { class: 'columns' }, amount, entry('received_currency', say('decision.received_currency'), currency)),
      preview,
      element('div', { class: 'columns' }, reference,
        pastDayEntry('received_on', say('decision.received_on'), { value: report?.paid_on })),
    ],
    submit: say('decision.accept'),
    send: (body) => accepted(order, body, reference, settled),
  });
  made.addEventListener('input', () => refresh(preview));
  return made;
}

/** The form that turns a report down; the customer sees its reason. */
export function rejectForm(order, settled) {
  return form({
    parts: [reasonEntry(say('order.reject_reason'), say('decision.reject.hint'))],
    submit: say('decision.reject'), kind: 'danger',
    send: (body) => unlessDecided(order, settled, async () => {
      const answer = await post(`/v1/admin/orders/${order.order_id}/reject`, { ...body, ...seenOf(order) });
      settled({ kind: 'rejected', order: answer });
    }),
  });
}

/** What came of a decision, in words. */
export function decisionBanner({ kind, order, problem }) {
  if (kind === 'already') {
    const at = () => timeText(problem.reviewed_at);
    return told('waiting', element('p', {}, say('problem.already_reviewed', { ...problem, reviewed_at: at })),
      order ? element('p', {}, statusBadge(order.status), ' ', orderLink(order.order_id)) : null);
  }
  if (kind === 'changed') {
    return told('bad', element('p', {}, say('decision.changed', { reason: reasonWords(order.status_reason) })), orderLink(order.order_id));
  }
  if (kind === 'replaced') return told('bad', element('p', {}, say('decision.replaced')), orderLink(order.order_id));
  if (kind === 'rejected') {
    return told('neutral', element('p', {}, say('decision.rejected', { reason: order.status_reason })), orderLink(order.order_id));
  }
  return told('good', element('p', {}, say('decision.accepted', { amount: money(order.credited_amount, order.currency) })),
    orderLink(order.order_id));
}

function currenciesOf(order, currencies) {
  return [...new Set([order.pay_currency, order.currency, ...currencies])];
}

function previewText(order, amount, currency) {
  if (!isAmount(amount, currency)) return '';
  const said = [];
  if (currency === order.pay_currency) said.push(differenceText(order, amount, currency));
  if (currency === order.currency) said.push(t('decision.credits', { amount: moneyText(amount, currency) }));
  else if (currency === order.pay_currency && order.fx_rate) {
    const worth = divided(amount, order.fx_rate, digitsOf(order.currency));
    said.push(t('decision.credits.rate', { amount: moneyText(worth, order.currency), rate: order.fx_rate }));
  } else said.push(t('decision.credits.today'));
  return said.join(' ');
}

function differenceText(order, amount, currency) {
  const difference = minus(amount, order.pay_amount);
  const sign = compare(difference, '0');
  if (sign === 0) return t('decision.same');
  const size = moneyText(difference.replace('-', ''), currency);
  return t(sign > 0 ? 'decision.over' : 'decision.under', { amount: size });
}

async function accepted(order, body, reference, settled) {
  await unlessDecided(order, settled, async () => {
    try {
      const answer = await accept(order, body);
      if (answer) settled(answer);
    } catch (failure) {
      if (failure.code !== 'bank_reference_used') throw failure;
      showAtField(reference, usedBefore(failure.problem));
    }
  });
}

async function accept(order, body) {
  const name = `accept.${order.order_id}`;
  const path = `/v1/admin/orders/${order.order_id}/accept`;
  const send = async (content) => {
    // A person decides on what they see. What is completed the service refuses, and says who was first.
    const now = await get(`/v1/admin/orders/${order.order_id}`);
    if (isAcceptable(now) && now.status !== order.status) return { kind: 'changed', order: now };
    return { kind: 'accepted', order: await submitOnce(name, content, (key) => post(path, content, key)) };
  };
  try {
    return await send({ ...body, ...seenOf(order) });
  } catch (failure) {
    if (failure.code !== 'difference_not_confirmed') throw failure;
    const detail = say('decision.difference.detail', {
      received: money(body.received_amount, body.received_currency), payable: money(order.pay_amount, order.pay_currency),
    });
    const sure = await confirmed(say('decision.difference'), detail, say('decision.difference.yes'));
    return sure ? send({ ...body, ...seenOf(order), confirm_difference: true }) : null;
  }
}

/** Which report the person looks at: the customer may send another one meanwhile. */
function seenOf({ transfer_report: report }) {
  return report ? { reported_at: report.reported_at } : {};
}

async function unlessDecided(order, settled, act) {
  try {
    await act();
  } catch (failure) {
    if (failure.code === 'report_changed') settled({ kind: 'replaced', order });
    else if (failure.code === 'already_reviewed') settled({ kind: 'already', problem: failure.problem });
    else throw failure;
  }
}
