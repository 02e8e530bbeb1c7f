// The daily comparisons with the payment provider: green only if every figure agrees.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { exportButton, pages } from '../core/lists.js';
import { money } from '../core/money.js';
import { badge, banner, emptyHint, facts, heading, link, loaded, table } from '../core/parts.js';
import { day, time } from '../core/time.js';
import { amountBars } from './bars.js';
import { hint, section } from './shared.js';

/** The screen `/reconciliations`. */
export function reconciliations() {
  return [
    heading(say('operator.reconciliations')),
    hint(say('reconciliations.hint')),
    pages('/v1/admin/reconciliations', {}, runTable, say('reconciliations.none')),
  ];
}

/** The screen `/reconciliations/{run_id}`. */
export function reconciliation({ run_id: id }) {
  const path = `/v1/admin/reconciliations/${encodeURIComponent(id)}`;
  return [
    heading(say('reconciliation.title', { id }), link('/reconciliations', {}, say('operator.reconciliations'))),
    loaded(() => get(path), (run) => runParts(run, path)),
  ];
}

/** Green, not green, or not known yet: colour, sign and word. */
function runBadge({ status, green }) {
  if (status === 'running') return badge('waiting', say('run.running'));
  return green ? badge('good', say('run.green')) : badge('bad', say('run.not_green'));
}

function runTable(rows) {
  return table(say('operator.reconciliations'), [
    { label: say('run.day'), cell: ({ run_id: id, day: on }) => link(`/reconciliations/${id}`, {}, day(on)) },
    { label: say('operator.status'), cell: runBadge },
    { label: say('run.movements'), cell: ({ movements }) => String(movements), kind: 'number' },
    { label: say('run.payments'), cell: ({ payments }) => String(payments), kind: 'number' },
    { label: say('run.reversals'), cell: ({ reversals }) => String(reversals), kind: 'number' },
    { label: say('run.drift'), cell: ({ drift }) => (drift.length > 0 ? driftText(drift) : '—'), kind: 'number' },
    { label: say('operator.findings'), cell: ({ finding_count: count }) => String(count), kind: 'number' },
    { label: say('run.finished_at'), cell: ({ finished_at: at }) => time(at) },
  ], rows);
}

function driftText(drift) {
  return drift.map(({ amount, currency }) => element('div', {}, money(amount, currency)));
}

function runParts(run, path) {
  return [
    run.status === 'running' ? banner('waiting', say('run.running.hint'))
      : banner(run.green ? 'good' : 'bad', say(run.green ? 'run.green.hint' : 'run.not_green.hint')),
    element('div', { class: 'card' }, runFacts(run)),
    section(say('run.drift'), run.drift.length === 0 ? emptyHint(say('run.no_drift')) : table(say('run.drift'), [
      { label: say('run.currency'), cell: ({ currency }) => currency },
      { label: say('run.drift.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    ], run.drift)),
    section(say('run.totals'), run.totals.length === 0 ? emptyHint(say('run.no_totals')) : totals(run.totals)),
    section(say('operator.findings'), foundParts(run)),
    exportButton(`${path}.csv`, {}, run.run_id),
  ];
}

function runFacts(run) {
  const count = (key) => [say(`run.${key}`), String(run[key])];
  return facts([
    [say('run.day'), day(run.day)],
    [say('operator.status'), runBadge(run)],
    [say('run.compared_until'), time(run.compared_until)],
    [say('run.started_at'), time(run.started_at)],
    [say('run.finished_at'), time(run.finished_at)],
    ...['movements', 'payments', 'reversals', 'claims', 'credited', 'taken', 'unreadable'].map(count),
  ]);
}

function totals(rows) {
  const currencies = [...new Set(rows.map(({ currency }) => currency))];
  return [
    element('div', { class: 'charts' }, currencies.map((currency) => amountBars(
      say('run.chart', { currency }), currency, rows.filter((row) => row.currency === currency)))),
    table(say('run.totals'), [
      { label: say('run.category'), cell: ({ category }) => category },
      { label: say('run.count'), cell: ({ count }) => String(count), kind: 'number' },
      { label: say('entry.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
      { label: say('run.fee'), cell: ({ fee, currency }) => money(fee, currency), kind: 'number' },
      { label: say('run.net'), cell: ({ net, currency }) => money(net, currency), kind: 'number' },
    ], rows),
  ];
}

function foundParts({ findings, finding_count: count }) {
  if (count === 0) return emptyHint(say('run.no_findings'));
  return element('div', { class: 'card' },
    count > findings.length ? hint(say('run.first_findings', { shown: findings.length, count })) : null,
    element('ul', { class: 'plain' }, findings.map(({ finding_id: id, type }) => element('li', {},
      link(`/findings/${id}`, {}, say(`finding.type.${type}`)), ' ', element('span', { class: 'hint code' }, id)))));
}
