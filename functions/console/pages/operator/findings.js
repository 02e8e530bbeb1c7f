// Findings: where money and records disagree.

import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { pages } from '../core/lists.js';
import { money } from '../core/money.js';
import { badge, heading, link, table } from '../core/parts.js';
import { time } from '../core/time.js';
import { accountLink, orderLink } from './shared.js';

/** The screen `/findings`; with `status=closed` those that are done with. */
export function findings(_, { status = 'open' }) {
  const tab = (one) => link('/findings', { status: one === 'open' ? '' : one },
    element('span', {}, say(`findings.${one}`)));
  const tabs = ['open', 'closed'].map((one) => {
    const made = tab(one);
    if (one === status) made.setAttribute('aria-current', 'page');
    return made;
  });
  const none = say(status === 'closed' ? 'findings.none.closed' : 'findings.none.open');
  return [
    heading(say('operator.findings')),
    element('nav', { class: 'tabs', 'aria-label': say('findings.filter') }, tabs),
    pages('/v1/admin/findings', { status }, findingTable, none),
  ];
}

/** Whether a person must look at it: colour, sign and word. */
export function findingBadge({ status, closed_how: how }) {
  return status === 'open' ? badge('bad', say('finding.open')) : badge('good', say(`finding.how.${how}`));
}

/** An amount of a finding; a dash if that side has none. */
export function side(amount) {
  return amount ? money(amount.amount, amount.currency) : '—';
}

function findingTable(rows) {
  return table(say('operator.findings'), [
    { label: say('finding.found_at'), cell: ({ found_at: at }) => time(at) },
    { label: say('finding.type'), cell: ({ finding_id: id, type }) => link(`/findings/${id}`, {}, say(`finding.type.${type}`)) },
    { label: say('order.account'), cell: ({ account_id: id }) => accountLink(id) },
    { label: say('entry.order'), cell: ({ order_id: id }) => orderLink(id) },
    { label: say('finding.expected'), cell: ({ expected }) => side(expected), kind: 'number' },
    { label: say('finding.actual'), cell: ({ actual }) => side(actual), kind: 'number' },
    { label: say('operator.status'), cell: findingBadge },
  ], rows);
}
