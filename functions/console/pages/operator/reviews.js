// The review queue: who says that money is on its way, and whether it came.

import { get, list } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { say } from '../core/language.js';
import { money } from '../core/money.js';
import { accountLine } from '../core/orders.js';
import { actionButton, emptyHint, facts, freshId, heading, loaded, statusBadge } from '../core/parts.js';
import { may } from '../core/session.js';
import { day, time } from '../core/time.js';
import { acceptForm, decisionBanner, rejectForm } from './decision.js';
import { proofsOf } from './proofs.js';
import { accountLink, code, hint, missingScope, opening, orderLink, targetName, tellAt } from './shared.js';

/** The screen `/`. */
export function reviews() {
  const place = element('div', { class: 'loaded' });
  const load = () => fill(place, loaded(() => Promise.all([list('/v1/admin/reviews'), get('/v1/admin/catalogue')]), queue));
  load();
  const refresh = element('button', { type: 'button', class: 'button secondary small', onclick: load }, say('operator.refresh'));
  return [
    heading(say('operator.reviews'), refresh),
    hint(say('reviews.hint')), place,
  ];
}

function queue([first, catalogue]) {
  const place = element('div', { class: 'loaded' });
  const cards = element('div', { class: 'queue' });
  const add = ({ data, next_cursor: cursor }) => {
    cards.append(...data.map((order) => reviewCard(order, catalogue)));
    const more = () => list('/v1/admin/reviews', { cursor }).then(add);
    fill(place, cards.childElementCount > 0 ? cards : emptyHint(say('reviews.none')),
      cursor ? actionButton('secondary', say('more'), more) : null);
  };
  add(first);
  return place;
}

function reviewCard(order, catalogue) {
  const id = freshId('review');
  const body = element('div', { class: 'loaded' });
  const status = element('span', {}, statusBadge(order.status));
  const settled = async (outcome) => {
    tellAt(body, decisionBanner(outcome));
    if (outcome.order) fill(status, statusBadge(outcome.order.status));
    if (outcome.kind !== 'already') return;
    // Whoever was faster changed the order: what is shown is what became of it.
    const now = await get(`/v1/admin/orders/${order.order_id}`).catch(() => null);
    if (!now) return;
    tellAt(body, decisionBanner({ ...outcome, order: now }));
    fill(status, statusBadge(now.status));
  };
  fill(body, decisionParts(order, catalogue, settled));
  return element('article', { class: 'card', 'aria-labelledby': id },
    element('div', { class: 'section-head' },
      element('h2', { id }, orderLink(order.order_id)), status),
    body);
}

function decisionParts(order, catalogue, settled) {
  const decide = may('operator:review')
    ? [acceptForm(order, Object.keys(catalogue.bank_accounts), settled),
      opening(say('decision.reject.open'), rejectForm(order, settled))]
    : missingScope('operator:review');
  return element('div', { class: 'beside' },
    element('div', { class: 'half' }, element('h3', {}, say('decision.declared')),
      declared(order, catalogue.products), proofsOf(order)),
    element('div', { class: 'half' }, element('h3', {}, say('decision.received')), decide));
}

/** What the order asked for and what its customer reported. */
export function declared(order, products) {
  const { transfer_report: report, transfer_instructions: instructions } = order;
  return facts([
    [say('order.account'), accountLink(order.account_id)],
    [say('order.target'), targetName(order, products)],
    [say('order.amount'), money(order.amount, order.currency)],
    [say('order.pay_amount'), money(order.pay_amount, order.pay_currency)],
    [say('order.fx_rate'), order.fx_rate],
    [say('report.amount'), report && element('strong', {}, money(report.amount, report.currency))],
    [say('order.payer_name'), report?.payer_name],
    [say('order.bank_reference'), report && code(report.bank_reference)],
    [say('report.paid_on'), report && day(report.paid_on)],
    [say('order.reference'), instructions && code(instructions.reference_code)],
    [say('order.receiving_account'), instructions && accountLine(instructions.receiving_account)],
    [say('report.reported_at'), report && time(report.reported_at)],
    [say('by'), report?.by],
    [say('report.note'), report?.note],
  ]);
}
