// An order that is shown as it is now, also while money moves.

import { get } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { loaded } from '../core/parts.js';
import { lookAgain } from '../core/polling.js';
import { announceStatus } from './pieces.js';

const MOVING = ['pending_payment', 'processing', 'pending_review', 'exception'];

/**
 * The order of this id, as `show(order, {draw, gaveUp})` makes it; it is looked at again after each of
 * `pauses_s` while it may change. `draw(order)` shows another state of it; `gaveUp` is true once nobody looks any more.
 */
export function watchedOrder(id, pauses_s, show) {
  const read = () => get(`/v1/orders/${encodeURIComponent(id)}`);
  return loaded(read, (first) => {
    const place = element('div', { class: 'loaded' });
    let shown = null;
    let quiet = false;
    const draw = (order, gaveUp = false) => {
      const before = shown;
      shown = order;
      const hadFocus = place.contains(document.activeElement);
      fill(place, show(order, { draw, gaveUp }));
      if (hadFocus) document.querySelector('h1')?.focus({ preventScroll: true });
      const changed = before && before.status !== order.status;
      if (changed) announceStatus(order);
      quiet = gaveUp;
      if (!gaveUp && isMoving(order)) watch(order);
    };
    const watch = (order) => lookAgain(place, pauses_s, async () => {
      if (shown !== order) return true;
      const now = await read();
      if (shown !== order) return true;
      if (JSON.stringify(now) === JSON.stringify(order)) return false;
      draw(now);
      return true;
    }, () => shown === order && place.isConnected && draw(order, true));
    // Somebody who comes back to the page after a while sees what is so now.
    const returned = async () => {
      if (!place.isConnected) {
        document.removeEventListener('visibilitychange', returned);
        return;
      }
      if (document.hidden || !isMoving(shown)) return;
      const before = shown;
      const now = await read().catch(() => before);
      if (shown === before && place.isConnected && (quiet || JSON.stringify(now) !== JSON.stringify(before))) draw(now);
    };
    draw(first);
    document.addEventListener('visibilitychange', returned);
    return place;
  });
}

function isMoving({ status, refunds }) {
  return MOVING.includes(status) || refunds.some((refund) => refund.status === 'pending');
}
