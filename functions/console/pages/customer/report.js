// Reporting a bank transfer: what finance needs to find it. May be sent again until it is decided on.

import { get, post } from '../core/api.js';
import { element } from '../core/dom.js';
import { draftOf } from '../core/draft.js';
import { amountEntry, bankReferenceEntry, entry, form, pastDayEntry, textInput } from '../core/form.js';
import { say } from '../core/language.js';
import { money } from '../core/money.js';
import { banner, buttonLink, emptyHint, facts, heading, loaded } from '../core/parts.js';
import { replace } from '../core/router.js';
import { today } from '../core/time.js';
import { rejection } from './order.js';
import { billing, explained, isReportable } from './pieces.js';
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
    reason ? explained('bad', [say('order.reject_reason'), ': ', reason], say('report.corrected')) : null,
    order.status === 'pending_review' ? banner('waiting', say('report.replaces')) : null,
    element('section', { class: 'card', 'aria-label': say('transfer.title') }, facts([
      [say('transfer.amount'), money(amount, currency)],
      [say('order.reference'), reference],
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
  const proofs = proofField(order, draft);
  const line = (name, hint, attributes) => entry(name, say(`order.${name}`), textInput(attributes), { draft, hint: say(hint) });
  return form({
    parts: [
      line('payer_name', 'report.payer.hint', { maxlength: 140, autocomplete: 'name' }),
      bankReferenceEntry(say('order.bank_reference'), {}, { draft, hint: say('report.reference.hint') }),
      pastDayEntry('paid_on', say('report.paid_on'), { draft }),
      amountEntry('amount', say('report.amount.in', { currency: order.pay_currency }), () => order.pay_currency,
        { draft, hint: say('report.amount.hint') }),
      entry('note', say('report.note.optional'), element('textarea', { maxlength: 500 }), { draft, optional: true }),
      proofs,
    ],
    submit: say('submit'),
    send: async (body, made) => {
      if (!await proofs.allSent()) return;
      await post(`/v1/orders/${order.order_id}/transfer-report`, { ...body, proofs: proofs.entry.read() });
      draft.clear();
      if (made.isConnected) replace(`/orders/${order.order_id}`);
    },
  });
}
