// Times as a person reads them: in the zone of the browser, which is always named.

import { element } from './dom.js';
import { locale } from './language.js';

/** A moment of the API as an element; the exact one is in `datetime` and on hover. */
export function time(at) {
  if (!at) return '—';
  return element('time', { datetime: at, title: at }, () => timeText(at));
}

/** The same as text of this moment. */
export function timeText(at) {
  return new Intl.DateTimeFormat(locale(), {
    year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
    hourCycle: 'h23', timeZoneName: 'short',
  }).format(new Date(at));
}

/** A day of the API (`2026-11-27`), which has no zone. */
export function day(text) {
  return () => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(text));
}

/** Today in the zone of the browser, as the API writes days. */
export function today() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** The latest day that has begun somewhere on Earth, where clocks are up to 14 hours ahead of UTC: the service's own limit. */
export function latestDay() {
  return new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
}

/** The moment at which a day of the browser's zone begins, for filters; the next day's for an end. */
export function startOfDay(text, later = 0) {
  const [year, month, date] = text.split('-').map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
