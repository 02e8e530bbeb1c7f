// What the page is made of: small, from one place, in two languages that say the same things.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artefact, baseUrl, newAccount, person, settled, signIn, withBrowser } from './support/world.mjs';
import { speaker, words } from './support/words.mjs';

const KILOBYTE = 1_000;
const MAX_FIRST_LOAD = 100 * KILOBYTE;

withBrowser();

test('the first load is one page, one sheet and one entry, and below 100 KB', async () => {
  const ann = await person();
  const files = [];
  ann.context.on('response', async (response) => {
    const { pathname } = new URL(response.url());
    if (pathname !== '/' && !pathname.startsWith('/assets/')) return;
    const { responseBodySize } = await response.request().sizes();
    files.push({ pathname, kind: response.headers()['content-type'].split(';')[0], size: responseBodySize });
  });
  const page = await signIn(ann, await newAccount());
  await settled(page);
  await page.waitForLoadState('networkidle');
  const total = files.reduce((sum, { size }) => sum + size, 0);
  await artefact('first-load.txt', `${files.map(({ size, pathname }) => `${size} ${pathname}`).join('\n')}\n${total} in all\n`);
  const kinds = (kind) => files.filter((file) => file.kind === kind).length;
  assert.deepEqual([kinds('text/html'), kinds('text/css')], [1, 1]);
  assert.equal(await page.locator('script').count(), 1);
  assert.ok(total < MAX_FIRST_LOAD, `${total} bytes`);
  assert.ok(!files.some(({ pathname }) => pathname.includes('/operator/')), 'a customer loads nothing of the desk');
  await ann.close();
});

test('the policy of the page stops what is not the page\'s own', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  const ran = await page.evaluate(() => new Promise((resolve) => {
    const script = document.createElement('script');
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective), { once: true });
    try { script.textContent = 'globalThis.ran = true'; } catch { resolve('trusted types'); }
    document.body.append(script);
  }));
  assert.match(ran, /trusted|script/);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  const elsewhere = await page.evaluate(() => fetch('http://127.0.0.1:1/').then(() => 'asked', () => 'stopped'));
  assert.equal(elsewhere, 'stopped');
  // What was tried here on purpose.
  assert.ok(ann.wrong.splice(0).length > 0);
  await ann.close();
});

test('every word has both languages, with the same values in it', () => {
  const values = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
  const seen = new Map();
  for (const [key, pair] of words) {
    assert.equal(pair.length, 2, key);
    assert.ok(pair.every((text) => text.length > 0), key);
    assert.equal(values(pair[0]), values(pair[1]), key);
    if (seen.has(key)) assert.deepEqual(pair, seen.get(key), `${key} is said in two ways`);
    seen.set(key, pair);
  }
});

test('the labels are those of the platform', () => {
  const labels = {
    'status.pending_payment': ['Unpaid', '待支付'], 'status.processing': ['Processing', '支付中'],
    'status.pending_review': ['Pending review', '待审核'], 'status.completed': ['Completed', '已完成'],
    'status.rejected': ['Rejected', '已驳回'], 'status.failed': ['Failed', '支付失败'],
    'status.cancelled': ['Cancelled', '已取消'], 'status.expired': ['Expired', '已失效'],
    'status.exception': ['Under investigation', '异常'], 'status.partially_refunded': ['Partially refunded', '部分退款'],
    'status.refunded': ['Refunded', '已退款'],
    'type.wallet': ['Wallet top-up', '钱包充值'], 'type.product': ['Product top-up', '产品充值'],
    'method.card': ['Card', '信用卡'], 'method.offline': ['Offline', '线下充值'], 'method.balance': ['Balance', '余额支付'],
  };
  for (const [key, [english, chinese]] of Object.entries(labels)) {
    assert.deepEqual([speaker('en')(key), speaker('zh')(key)], [english, chinese], key);
  }
});

test('every refusal of the API has a sentence', async () => {
  const document = await (await fetch(`${baseUrl}/v1/openapi.json`)).json();
  const codes = new Set(JSON.stringify(document).match(/"code":"[a-z_]+"/g).map((found) => found.slice(8, -1)));
  const known = new Set(words.map(([key]) => key));
  assert.deepEqual([...codes].filter((code) => !known.has(`problem.${code}`)), []);
});

test('money goes from the text of the API to the reader without a float', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  const module = await page.evaluate(() => document.querySelector('script').src.replace('main.js', 'core/money.js'));
  const [large, small, rounded, even, back, typed] = await page.evaluate(async (address) => {
    const { moneyText, divided, multiplied, typed: read } = await import(address);
    return [moneyText('90071992547409931.07', 'USD'), moneyText('0.0075', 'USD'), divided('720.00', '7.2000', 2), divided('0.125', '1', 2),
      [multiplied('33.33', '7.2000', 2), multiplied('0.125', '1', 2), multiplied('100', '149.505', 0)],
      ['00100', '0720', '05', '00.50', '0', '.5', '1,000', '0,100', '１００'].map(read)];
  }, module);
  assert.deepEqual([large.replace(/\s/, ' '), small.replace(/\s/, ' ')], ['USD 90,071,992,547,409,931.07', 'USD 0.0075']);
  assert.deepEqual([rounded, even], ['100.00', '0.12']);
  assert.deepEqual(back, ['239.98', '0.12', '14950']);
  assert.deepEqual(typed, ['100', '720', '5', '0.50', '0', '0.5', '1000', '0,100', '100']);
  await ann.close();
});
