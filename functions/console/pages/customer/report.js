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
import { billing, isReportable } from './pieces.js';
import { proofField } from './proofs.js';

/** The screen `/orders/{order_id}/report`. */
export function report({ order_id: id }) {
  return [
    billing([`/orders/${id}`, id], [null, say('order.report')]),
    heading(say('order.report')),
    element('div', { class: 'narrow' }, loaded(() => get(`/v1/orders/${encodeURIComponent(id)}`), (order) => (isReportable(order)
      ? reportable(order)
      : emptyHint(say('report.closed'), buttonLink('secondary', `/orders/${id}`, say('result.order')))))),
  ];
}

function reportable(order) {
  const reason = rejection(order);
  const told = order.transfer_instructions;
  return [
    reason ? banner('bad', element('strong', {}, say('order.reject_reason'), ': ', reason), element('span', {}, say('report.corrected'))) : null,
    order.status === 'pending_review' ? banner('waiting', say('report.replaces')) : null,
    element('section', { class: 'card', 'aria-label': say('transfer.title') }, facts([
      [say('transfer.amount'), money(told.amount, told.currency)],
      [say('transfer.reference'), told.reference_code],
    ])),
    reportForm(order),
  ];
}

function reportForm(order) {
  const before = order.transfer_report;
  const draft = draftOf(`report.${order.order_id}`, {
    payer_name: before?.payer_name ?? '', bank_reference: before?.bank_reference ?? '', paid_on: before?.paid_on ?? today(),
    amount: before?.amount ?? order.pay_amount, note: before?.note ?? '',
    proofs: (before?.proofs ?? []).map(({ proof_id: id }) => ({ id, name: null })),
  });
  const bound = (name, attributes, tag = 'input') => draft.bind(name, element(tag, { name, ...attributes }));
  const proofs = proofField(order, draft);
  const fields = {
    payer_name: field(say('order.payer_name'), bound('payer_name', { maxlength: 140, autocomplete: 'name', required: true }), say('report.payer.hint')),
    bank_reference: field(say('order.bank_reference'), bound('bank_reference', { maxlength: 70, autocomplete: 'off', required: true }), say('report.reference.hint')),
    paid_on: field(say('report.paid_on'), bound('paid_on', { type: 'date', max: today(), required: true })),
    amount: field(say('report.amount.in', { currency: order.pay_currency }), bound('amount', { inputmode: 'decimal', autocomplete: 'off', required: true }), say('report.amount.hint')),
    note: field(say('report.note'), bound('note', { maxlength: 500 }, 'textarea')),
    proofs,
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
