// The files of a report. Each is sent as soon as it is chosen, so that it outlives an ended session and
// a reload like everything else that was filled in; it counts once the report is sent.

import { SignedOut, upload } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { entry } from '../core/form.js';
import { say, t } from '../core/language.js';
import { problemText } from '../core/parts.js';

const TYPES = ['image/jpeg', 'image/png', 'application/pdf'];
const MAX_FILES = 3;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * A field for the files; those that were sent are in the draft as `proofs`: `[{id, name}]`, and go by their ids.
 * `allSent()` waits for those that are under way, and tells whether none of them failed; else the field says what is wrong.
 */
export function proofField(order, draft) {
  const input = element('input', { type: 'file', accept: TYPES.join(','), multiple: true });
  const made = entry('proofs', say('report.proofs'), input, {
    hint: say('report.proofs.hint'), optional: true, read: () => draft.values.proofs.map(({ id }) => id),
  });
  const sent = element('ul', { class: 'files', 'aria-label': say('report.proofs') });
  const progress = element('p', { class: 'hint', role: 'status' });
  const show = () => fill(sent, draft.values.proofs.map((proof) => line(proof, () => {
    draft.set('proofs', draft.values.proofs.filter(({ id }) => id !== proof.id));
    show();
    input.focus();
  })));
  let failed = false;
  const send = async (files) => {
    try {
      for (const file of files) {
        fill(progress, say('report.proofs.sending', { name: file.name }));
        await add(order, draft, file);
        show();
      }
    } catch (failure) {
      failed = true;
      if (!(failure instanceof SignedOut)) made.problem(wordsOf(failure));
    } finally {
      fill(progress);
    }
  };
  // One after the other, and not `disabled` meanwhile: the focus would be lost, and a screen reader with it.
  let underWay = Promise.resolve();
  input.addEventListener('change', () => {
    const files = [...input.files];
    input.value = '';
    made.problem(null);
    underWay = underWay.then(() => send(files));
  });
  made.allSent = async () => {
    failed = false;
    for (let seen = null; seen !== underWay;) {
      seen = underWay;
      await seen;
    }
    if (failed) input.focus();
    return !failed;
  };
  show();
  made.append(progress, sent);
  return made;
}

/** A file that the browser sees is not one that can be sent. */
class NotTaken extends Error {
  constructor(key, name) {
    super(key);
    this.text = say(key, { name });
  }
}

function wordsOf(failure) {
  if (failure instanceof NotTaken) return failure.text;
  // What was removed here is the order's until the report is sent.
  return failure.code === 'too_many_proofs' ? say('report.proofs.place') : problemText(failure);
}

async function add(order, draft, file) {
  const { proofs } = draft.values;
  if (!TYPES.includes(file.type)) throw new NotTaken('report.proofs.type', file.name);
  if (file.size > MAX_BYTES) throw new NotTaken('report.proofs.large', file.name);
  if (file.size === 0) throw new NotTaken('report.proofs.empty', file.name);
  if (proofs.length >= MAX_FILES) throw new NotTaken('report.proofs.many', file.name);
  const { proof_id: id } = await upload(`/v1/orders/${order.order_id}/proofs`, file, file.type);
  const others = draft.values.proofs.filter((proof) => proof.id !== id);
  draft.set('proofs', [...others, { id, name: file.name }]);
}

function line({ id, name }, takeAway) {
  // A file of an earlier report has no name: the service keeps none.
  const label = () => name ?? t('report.proofs.earlier', { id: id.slice(0, 8) });
  const remove = element('button', {
    type: 'button', class: 'button plain small', onclick: takeAway,
    'aria-label': () => t('report.proofs.remove', { name: label() }),
  }, say('remove'));
  return element('li', {}, element('span', {}, label), remove);
}
