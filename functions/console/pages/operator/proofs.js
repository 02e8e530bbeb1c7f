// The files of a report. They are fetched with the session's token, so an address of the API alone
// shows nothing to anybody; an image is shown here, a PDF opens beside.

import { download } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { loaded } from '../core/parts.js';

/** The proofs of an order's report, beside each other; null if there are none. */
export function proofsOf(order) {
  const proofs = order.transfer_report?.proofs ?? [];
  if (proofs.length === 0) return null;
  return element('div', { class: 'proofs' }, proofs.map((proof, at) => proofOf(order.order_id, proof, at + 1)));
}

function proofOf(orderId, { proof_id: id, media_type: type, size }, number) {
  const path = `/v1/admin/orders/${orderId}/proofs/${id}`;
  const place = loaded(() => download(path), (file) => {
    // The type is the one that the API found in the content, whatever the answer said.
    const address = URL.createObjectURL(new Blob([file], { type }));
    place.closest('.screen')?.addEventListener('left', () => URL.revokeObjectURL(address), { once: true });
    const words = say(type === 'application/pdf' ? 'proof.pdf' : 'proof.image', { number, size: kilobytes(size) });
    const open = element('a', { href: address, target: '_blank', rel: 'noopener' }, words);
    if (type === 'application/pdf') return open;
    const image = element('img', { src: address, alt: say('proof.alt', { number }) });
    return element('figure', {}, image, element('figcaption', {}, open));
  });
  return place;
}

function kilobytes(size) {
  return String(Math.ceil(size / 1024));
}
