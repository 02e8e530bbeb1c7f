// A customer, an operator and the platform that signs them in, in front of a running Topup.
//
// TOPUP_READY is what a local runner writes into its ready file (`cargo run -- --ready-file F`); tests/tests/browser.rs
// starts one and says it. Each test has an account of its own, so that none sees what another did.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

// What Chromium needs as root and without a network, so that it asks nobody else for anything.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };
// A busy machine of two cores; nothing is waited for that takes as long.
const WAIT_MS = 20_000;
const SHOTS = process.env.TOPUP_SCREENSHOTS;

const ready = JSON.parse(process.env.TOPUP_READY);
let browser;

/** Starts the browser before the tests of a file, and ends it after them. */
export function withBrowser() {
  before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  });
  after(() => browser.close());
}

/** Asks the API as the platform does, with the operator's key; a refusal is an error. */
export function platform(method, path, body, key = ready.operator_key) {
  return asked(method, path, body && JSON.stringify(body), 'application/json', key);
}

/** Uploads a bank statement as comma-separated values. */
export function uploaded(statement) {
  return asked('POST', '/v1/admin/statements', statement, 'text/csv', ready.operator_key);
}

async function asked(method, path, body, mediaType, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': mediaType, 'idempotency-key': randomUUID() };
  const answer = await fetch(`${ready.base_url}${path}`, { method, headers, body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Tells the stand-in for Stripe what to do. */
export async function provider(path, body) {
  const answer = await fetch(`${ready.provider_url}/_control/${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** A new customer of the platform: an account with nothing in it. */
export async function newAccount(name = 'Ann', currency = 'USD') {
  const id = `browser-${randomUUID().slice(0, 13)}`;
  await platform('PUT', `/v1/admin/accounts/${id}`, { name, currency });
  return id;
}

/** A key by which the platform acts for an account. */
export async function keyOf(account) {
  return (await platform('POST', '/v1/admin/api-keys', { account_id: account, name: 'server' })).secret;
}

/** What an account has, as the API says: the wallet and every product. */
export async function balances(account) {
  const { wallet, products } = await platform('GET', `/v1/admin/accounts/${account}/balances`);
  return Object.fromEntries([['wallet', wallet.available], ...products.map(({ product, available }) => [product, available])]);
}

/** The orders of an account, as the API says, newest first. */
export async function orders(account) {
  return (await platform('GET', `/v1/admin/accounts/${account}/orders?limit=100`)).data;
}

/**
 * A person's browser, with nothing of anybody else in it. It keeps what goes wrong unseen: errors of scripts, what the
 * policy of the page blocked, and requests to anybody but the API and the payment page; `close()` fails if there was any.
 */
export async function person({ language = 'en', size = 'desktop', dark = false, zone = 'Asia/Shanghai' } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size], locale: language === 'zh' ? 'zh-CN' : 'en-US', timezoneId: zone,
    colorScheme: dark ? 'dark' : 'light', acceptDownloads: true,
  });
  context.setDefaultTimeout(WAIT_MS);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ready.base_url });
  const wrong = [];
  context.on('weberror', (error) => wrong.push(error.error().message));
  context.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    const known = protocol === 'blob:' || origin === ready.base_url || origin === ready.provider_url;
    if (!known) wrong.push(`a request to ${origin}`);
  });
  const close = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return { context, wrong, close };
}

/** The address that the platform sends a person to. An operator may what the key may. */
export async function signInAddress(account, who, key = ready.operator_key) {
  const role = account ? 'customer' : 'operator';
  const wanted = { role, person: who, ...(account && { account_id: account }) };
  return (await platform('POST', '/v1/admin/console-sessions', wanted, key)).url;
}

/** Sends a person to the console as the platform does, in a new tab, and gives the tab. */
export async function signIn({ context }, account = null, who = account ? 'Ann' : 'Bob', key = ready.operator_key) {
  const page = await context.newPage();
  await page.goto(await signInAddress(account, who, key));
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** Shows another screen of the console, as its address does. */
export async function show(page, path) {
  await page.evaluate((hash) => { location.hash = hash; }, `#${path}`);
  await settled(page);
}

/** Waits until nothing of the screen is still being loaded. */
export async function settled(page) {
  await page.locator('main h1').first().waitFor();
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
}

/**
 * Holds what is asked for at this path until `release()`, which answers it as the API does, or as `answer` says;
 * `asked` is the request once there is one.
 */
export async function held(page, path, method, answer = null) {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const asked = page.waitForRequest((request) => request.method() === method && request.url().endsWith(path));
  await page.route(`**${path}`, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    await released;
    return answer ? route.fulfill(answer) : route.continue();
  });
  return { asked, release };
}

/** Fills in the payment page of the stand-in and pays. */
export async function pay(page, card = '4242424242424242', email = 'ann@example.com') {
  await page.waitForURL(`${ready.provider_url}/**`);
  await page.locator('[name=email]').fill(email);
  await page.locator('[name=card_number]').fill(card);
  await page.locator('[name=expiry]').fill('12/34');
  await page.locator('[name=cvc]').fill('123');
  await page.locator('button[type=submit], input[type=submit]').first().click();
}

/** Keeps a picture of the whole page among the artefacts, if they are wanted. */
export async function picture(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Keeps a text among the artefacts, if they are wanted. */
export async function artefact(name, text) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await writeFile(`${SHOTS}/${name}`, text);
}

export const baseUrl = ready.base_url;
export const providerUrl = ready.provider_url;
