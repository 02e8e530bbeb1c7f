// Reporting a bank transfer: what finance needs to find it. May be sent again until it is decided on.

import { get, post } from '../core/api.js';
import { draftOf } from '../core/draft.js';
import { element } from '../core/dom.js';
import { form, Wrong } from '../core/form.js';
import { say } from '../core/language.js';
import { money } from '../core/money.js';
import { banner, buttonLink, emptyHint, facts, field, heading, loaded } from '../core/parts.js';
import { replace } from '../core/router.js';
import { today } from '../core/time.js';
import { amountOf } from './offer.js';
import { rejection } from './order.js';
import { billing, isReportable, told } from './pieces.js';
import { proofField } from './proofs.js';

/** The screen `/orders/{order_id}/report`. */
export function report({ order_id: id }) {
  const closed = () => emptyHint(say('report.closed'), buttonLink('secondary', `/orders/${id}`, say('result.order')));
  const read = () => get(`/v1/orders/${encodeURIComponent(id)}`);
  return [
    billing([`/orders/${id}`, id], [null, say('order.report')]),
    heading(say('order.report')),
    element('div', { class: 'narrow' }, loaded(read, (order) => (isReportable(order) ? reportable(order) : closed()))),
  ];
}

function reportable(order) {
  const reason = rejection(order);
  const { amount, currency, reference_code: reference } = order.transfer_instructions;
  return [
    reason ? told('bad', [say('order.reject_reason'), ': ', reason], say('report.corrected')) : null,
    order.status === 'pending_review' ? banner('waiting', say('report.replaces')) : null,
    element('section', { class: 'card', 'aria-label': say('transfer.title') }, facts([
      [say('transfer.amount'), money(amount, currency)],
      [say('transfer.reference'), reference],
    ])),
    reportForm(order),
  ];
}

function reportForm(order) {
  const before = order.transfer_report;
  const draft = draftOf(`report.${order.order_id}`, {
    payer_name: before?.payer_name ?? '', bank_reference: before?.bank_reference ?? '',
    paid_on: before?.paid_on ?? today(), amount: before?.amount ?? order.pay_amount, note: before?.note ?? '',
    proofs: (before?.proofs ?? []).map(({ proof_id: id }) => ({ id, name: null })),
  });
  const bound = (name, label, attributes, hint, tag = 'input') => field(
    say(label, { currency: order.pay_currency }), draft.bind(name, element(tag, { name, ...attributes })), hint && say(hint),
  );
  const line = { autocomplete: 'off', required: true };
  const fields = {
    payer_name: bound('payer_name', 'order.payer_name', { ...line, maxlength: 140, autocomplete: 'name' }, 'report.payer.hint'),
    bank_reference: bound('bank_reference', 'order.bank_reference', { ...line, maxlength: 70 }, 'report.reference.hint'),
    paid_on: bound('paid_on', 'report.paid_on', { type: 'date', max: today(), required: true }),
    amount: bound('amount', 'report.amount.in', { ...line, inputmode: 'decimal' }, 'report.amount.hint'),
    note: bound('note', 'report.note', { maxlength: 500 }, null, 'textarea'),
    proofs: proofField(order, draft),
  };
  return form(fields, say('submit'), () => send(order, draft), Object.values(fields));
}

async function send(order, draft) {
  const { values } = draft;
  for (const name of ['payer_name', 'bank_reference', 'paid_on']) {
    if (!values[name].trim()) throw new Wrong(name, say('problem.missing_field'));
  }
  if (values.paid_on > today()) throw new Wrong('paid_on', say('report.paid_on.future'));
  const amount = amountOf(values.amount, order.pay_currency);
  if (!amount) throw new Wrong('amount', say('top_up.amount.wrong'));
  const body = {
    payer_name: values.payer_name.trim(), bank_reference: values.bank_reference.trim(), paid_on: values.paid_on, amount,
    proofs: values.proofs.map(({ id }) => id),
  };
  if (values.note.trim()) body.note = values.note.trim();
  await post(`/v1/orders/${order.order_id}/transfer-report`, body);
  draft.clear();
  replace(`/orders/${order.order_id}`);
}
