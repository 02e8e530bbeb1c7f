// Bank statements: uploading one, and what its lines may pay. Nothing is credited by an upload.

import { get, upload } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { entry, form, showAtField } from '../core/form.js';
import { say, t } from '../core/language.js';
import { pages } from '../core/lists.js';
import { banner, facts, heading, link, loaded, table } from '../core/parts.js';
import { go } from '../core/router.js';
import { time } from '../core/time.js';
import { section } from './shared.js';
import { statementLines } from './statement_lines.js';

const MAX_BYTES = 4 * 1024 * 1024;
const MEDIA_TYPES = { csv: 'text/csv', xml: 'application/xml' };

/** The screen `/statements`. */
export function statements() {
  return [
    heading(say('operator.statements')),
    section(say('statements.upload'), element('div', { class: 'card' }, uploadForm())),
    section(say('statements.list'), pages('/v1/admin/statements', {}, statementTable, say('statements.none'))),
  ];
}

/** The screen `/statements/{statement_id}`. */
export function statement({ statement_id: id }) {
  const place = element('div', { class: 'loaded' });
  const read = () => get(`/v1/admin/statements/${encodeURIComponent(id)}`);
  fill(place, loaded(read, (first) => statementParts(first, read)));
  return [heading(say('statement.title', { id }), link('/statements', {}, say('statements.list'))), place];
}

function uploadForm() {
  const control = element('input', { type: 'file', accept: '.csv,.xml,text/csv,application/xml,text/xml' });
  const file = entry('file', say('statements.file'), control, {
    hint: say('statements.file.hint'), read: () => control.files[0] ?? '', check: wrongFile,
  });
  return form({
    parts: [file], submit: say('statements.upload'),
    send: async ({ file: chosen }, made) => {
      try {
        const answer = await upload('/v1/admin/statements', chosen, mediaTypeOf(chosen));
        if (made.isConnected) go(`/statements/${answer.statement_id}`);
      } catch (failure) {
        if (failure.code !== 'invalid_statement') throw failure;
        showAtField(file, say('statements.invalid', { detail: failure.problem.detail }));
      }
    },
  });
}

function wrongFile(file) {
  if (!mediaTypeOf(file)) return say('statements.file.type');
  return file.size > MAX_BYTES ? say('statements.file.size') : null;
}

// The ending decides: browsers name the type of a .csv file in several ways.
function mediaTypeOf(file) {
  return MEDIA_TYPES[file.name.split('.').pop().toLowerCase()] ?? null;
}

function statementTable(rows) {
  return table(say('statements.list'), [
    { label: say('statements.imported_at'), cell: ({ imported_at: at }) => time(at) },
    { label: say('statements.id'), cell: ({ statement_id: id }) => link(`/statements/${id}`, {}, id), kind: 'code' },
    { label: say('statements.format'), cell: ({ format }) => format },
    { label: say('statements.account'), cell: ({ currency, receiving_account: number }) => `${currency} ${number}` },
    { label: say('statements.lines'), cell: ({ line_count: count }) => String(count), kind: 'number' },
    { label: say('by'), cell: ({ imported_by: by }) => by },
  ], rows);
}

function statementParts(first, read) {
  const counts = element('p', { role: 'status' });
  const summarize = (now) => fill(counts, () => t('statement.summary', {
    lines: now.line_count, exact: now.lines.filter(({ state }) => state === 'exact').length,
    proposed: now.lines.filter(({ state }) => state === 'proposed').length,
    unmatched: now.lines.filter(({ state }) => state === 'unmatched').length,
    credited: now.lines.filter(({ state }) => state === 'credited').length, skipped: now.skipped,
  }));
  summarize(first);
  return [
    element('div', { class: 'card' }, facts([
      [say('statements.account'), `${first.currency} ${first.receiving_account}`],
      [say('statements.format'), first.format],
      [say('statements.imported_at'), time(first.imported_at)],
      [say('by'), first.imported_by],
    ]), counts),
    first.complete ? null : banner('waiting', element('p', {}, say('statement.incomplete'))),
    statementLines(first, async () => {
      const now = await read();
      summarize(now);
      return now;
    }),
  ];
}
