// Bars of amounts, drawn by the page itself. Their lengths come from whole numbers (BigInt); the table
// beside a chart says the same, so the drawing carries only a summary for those who cannot see it.

import { element } from '../core/dom.js';
import { compare, money, moneyText, share } from '../core/money.js';

const SPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 1_000;
const ROW = 44;
const MIDDLE = WIDTH / 2;

/** A chart of net amounts by category: to the right what came in, to the left what went out. */
export function amountBars(title, currency, rows) {
  const largest = rows.map(({ net }) => net.replace('-', '')).reduce((most, one) => (compare(one, most) > 0 ? one : most), '0');
  const height = rows.length * ROW;
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', class: 'bars', preserveAspectRatio: 'none' });
  const summary = () => `${title()}: ${rows.map(({ category, net }) => `${category} ${moneyText(net, currency)}`).join('; ')}`;
  drawing.setAttribute('aria-label', summary());
  // `refresh` asks again when the language changes.
  drawing.liveAttributes = new Map([['aria-label', summary]]);
  drawing.append(svg('line', { x1: MIDDLE, x2: MIDDLE, y1: 0, y2: height, class: 'axis' }));
  drawing.append(...rows.map((row, at) => bar(row, at, largest)));
  const labels = (kind, text) => element('div', { class: `chart-labels ${kind}`, 'aria-hidden': 'true' },
    rows.map((row) => element('span', {}, text(row))));
  return element('figure', { class: 'card' }, element('figcaption', {}, element('h3', {}, title)),
    element('div', { class: 'chart' },
      labels('', ({ category }) => category), drawing, labels('number', ({ net }) => money(net, currency))));
}

function bar({ net }, at, largest) {
  const out = net.startsWith('-');
  const length = Number(share(net.replace('-', ''), largest, MIDDLE));
  // What is not nothing is seen, however small it is beside the largest.
  const width = /[1-9]/.test(net) ? Math.max(length, 4) : 0;
  return svg('rect', { x: out ? MIDDLE - width : MIDDLE, y: at * ROW + 8, width, height: ROW - 16, class: out ? 'out' : 'in' });
}

function svg(tag, attributes) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
