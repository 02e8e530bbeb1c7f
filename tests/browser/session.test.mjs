// How people come in, stay, and are sent away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, newAccount, person, show, signIn, signInAddress, settled, withBrowser } from './support/world.mjs';

withBrowser();

const whose = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('topup.session'))?.person);

test('the code of a sign-in leaves the address at once, and no key ever comes into the browser', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  assert.equal(page.url(), `${baseUrl}/`);
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie);
  assert.match(kept, /ct_/);
  assert.doesNotMatch(kept, /tk_[0-9a-f]{20}_/);
  await ann.close();
});

test('a link that was used says so, and shows nothing of anybody', async () => {
  const ann = await person();
  let used;
  ann.context.on('request', (request) => { if (request.url().endsWith('/v1/console-tokens')) used = request.postDataJSON(); });
  await (await signIn(ann, await newAccount())).close();
  const page = await ann.context.newPage();
  await page.goto(`${baseUrl}/#code=${used.code}`);
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await page.getByText('This sign-in link was used already').waitFor();
  await ann.close();
});

test('a session that has ended says so, keeps what was typed, and goes on after a sign-in in another tab', async () => {
  const ann = await person();
  const account = await newAccount();
  const page = await signIn(ann, account);
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('123.45');
  await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem('topup.session'));
    sessionStorage.setItem('topup.session', JSON.stringify({ ...session, token: session.token.replace(/.$/, '') }));
  });
  await page.reload();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  const other = await signIn(ann, account);
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor({ state: 'detached' });
  await settled(page);
  assert.equal(await page.locator('[name=amount]').inputValue(), '123.45');
  await other.close();
  await ann.close();
});

test('who insists on closing what says that the session has ended can still sign out', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  await page.route('**/v1/orders*', (route) => route.fulfill({ status: 401, body: '{}' }));
  await page.evaluate(() => { location.hash = '#/orders'; });
  const ended = page.getByRole('heading', { name: 'Your session has ended' });
  await ended.waitFor();
  for (let times = 0; times < 4; times += 1) await page.keyboard.press('Escape');
  await ended.waitFor();
  await page.evaluate(() => document.querySelector('header button:last-of-type').click());
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await ann.close();
});

test('another customer in the same browser sees nothing of the first', async () => {
  const ann = await person();
  const first = await signIn(ann, await newAccount('First'), 'Ann');
  const second = await signIn(ann, await newAccount('Second'), 'Ben');
  await second.getByRole('button', { name: 'Go on as Ben' }).click();
  await second.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  await second.getByText('Ben').waitFor();
  await first.getByText('Ann').waitFor();
  assert.notEqual(await first.evaluate(() => JSON.parse(sessionStorage.getItem('topup.session')).account_id),
    await second.evaluate(() => JSON.parse(sessionStorage.getItem('topup.session')).account_id));
  await ann.close();
});

test('a link that signs in somebody else takes nobody\'s place without a question', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount('First'), 'Ann');
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('123.45');
  const ofMallory = await newAccount('Second');
  await page.goto(await signInAddress(ofMallory, 'Mallory'));
  await page.getByRole('heading', { name: 'Sign in as somebody else?' }).waitFor();
  await page.getByText('signs in as Mallory').waitFor();
  await page.getByRole('button', { name: 'Stay Ann' }).click();
  await page.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  assert.equal(await whose(page), 'Ann');
  await page.goto(await signInAddress(ofMallory, 'Mallory'));
  await page.getByRole('button', { name: 'Go on as Mallory' }).click();
  await page.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  assert.equal(await whose(page), 'Mallory');
  await show(page, '/top-up/wallet');
  assert.equal(await page.locator('[name=amount]').inputValue(), '');
  await ann.close();
});

test('nor in another tab, nor after a link that is not good any more', async () => {
  const ann = await person();
  const first = await signIn(ann, await newAccount('First'), 'Ann');
  await settled(first);
  const ofMallory = await newAccount('Second');
  const another = await ann.context.newPage();
  await another.goto(await signInAddress(ofMallory, 'Mallory'));
  await another.getByText('signs in as Mallory').waitFor();
  await another.getByRole('button', { name: 'Stay Ann' }).click();
  await another.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  assert.equal(await whose(another), 'Ann');
  await another.goto(`${baseUrl}/#code=00000000000000000000.00`);
  await another.getByText('This sign-in link was used already').waitFor();
  await first.close();
  await another.goto(await signInAddress(ofMallory, 'Mallory'));
  await another.getByText('signs in as Mallory').waitFor();
  await another.getByRole('button', { name: 'Stay Ann' }).click();
  await another.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  assert.equal(await whose(another), undefined);
  ann.wrong.splice(0);
  await ann.close();
});

test('a tab whose session has ended asks for its person, and becomes nobody else\'s', async () => {
  const ann = await person();
  const account = await newAccount('First');
  const page = await signIn(ann, account, 'Ann');
  await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem('topup.session'));
    sessionStorage.setItem('topup.session', JSON.stringify({ ...session, ends_at: Date.now() - 60_000 }));
  });
  await page.reload();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  const other = await signIn(ann, await newAccount('Second'), 'Mallory');
  await other.getByText('So far this browser was used as Ann').waitFor();
  await other.getByRole('button', { name: 'Go on as Mallory' }).click();
  await other.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  // In a new tab it is whoever is signed in who goes on.
  const fresh = await ann.context.newPage();
  await fresh.goto(`${baseUrl}/#/settings`);
  await fresh.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  assert.equal(await whose(fresh), 'Mallory');
  await page.reload();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  // Two are there by now: whoever is one of them is asked nothing.
  await page.goto(await signInAddress(account, 'Ann'));
  await page.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  const third = await signIn(ann, account, 'Ann');
  await third.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  assert.equal(await whose(third), 'Ann');
  await ann.close();
});

test('the language is the browser\'s, and can be changed without losing what was typed', async () => {
  const ann = await person({ language: 'zh' });
  const page = await signIn(ann, await newAccount());
  await page.getByRole('heading', { name: '账户余额' }).waitFor();
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('77.00');
  assert.match(await page.title(), /^钱包充值/);
  await page.getByRole('button', { name: 'English' }).click();
  assert.match(await page.title(), /^Wallet top-up/);
  assert.equal(await page.locator('[name=amount]').inputValue(), '77.00');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en-US');
  await ann.close();
});

test('a session that ended while the tab was away says so at once', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem('topup.session'));
    sessionStorage.setItem('topup.session', JSON.stringify({ ...session, ends_at: Date.now() - 60_000 }));
  });
  await page.goto(`${baseUrl}/?order_id=ord_00000000000000000000`);
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await ann.close();
});

test('who signs out leaves nothing in the tab, nor in another', async () => {
  const ann = await person();
  const account = await newAccount();
  const page = await signIn(ann, account);
  const other = await signIn(ann, account);
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('123.45');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), '{"topup.left":"true"}');
  await page.goBack();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await other.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await ann.close();
});

test('who signs out in one tab is nobody there, though another one is of somebody else, and leaves no token', { timeout: 30_000 }, async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount('First'), 'Ann');
  const other = await signIn(ann, await newAccount('Second'), 'Ben');
  await other.getByRole('button', { name: 'Go on as Ben' }).click();
  await other.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('topup.session')).token);
  const asked = () => fetch(`${baseUrl}/v1/balances`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);
  await show(page, '/orders');
  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const again of [() => page.reload(), () => page.goBack(), () => page.reload(), () => page.goto(`${baseUrl}/`)]) {
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await again();
  }
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  assert.equal(await whose(page), undefined);
  assert.equal(await whose(other), 'Ben');
  // The page does not wait for the answer, and neither was this seen: it must come, and soon.
  while ((await asked()).status !== 403) await page.waitForTimeout(50);
  await ann.close();
});

test('who signs out leaves nothing in a tab whose session had ended before', async () => {
  const ann = await person();
  const account = await newAccount();
  const page = await signIn(ann, account, 'Ann');
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('123.45');
  await page.route('**/v1/orders*', (route) => route.fulfill({ status: 401, body: '{}' }));
  await page.evaluate(() => { location.hash = '#/orders'; });
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  const other = await ann.context.newPage();
  await other.goto(await signInAddress(await newAccount('Second'), 'Ben'));
  await other.getByRole('button', { name: 'Go on as Ben' }).click();
  await other.getByRole('heading', { level: 1, name: 'Balances' }).waitFor();
  await page.evaluate((account_id) => {
    const left = JSON.stringify(['customer', account_id, 'Ann']);
    new BroadcastChannel('topup.session').postMessage({ left });
  }, account);
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), '{"topup.left":"true"}');
  assert.equal(await whose(other), 'Ben');
  ann.wrong.splice(0);
  await ann.close();
});

test('an address that is none, and a file that does not come, are said', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  await show(page, '/orders/%');
  await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
  await page.route('**/customer/screens.js', (route) => route.abort());
  await page.reload();
  await page.getByRole('heading', { name: 'The page could not be loaded' }).waitFor();
  // The browser says it of the file, and the page of itself: both are meant.
  ann.wrong.splice(0);
  await ann.close();
});

test('a link that is opened in another tab is signed in as well, unless two people are', async () => {
  const ann = await person();
  const account = await newAccount();
  const page = await signIn(ann, account);
  await settled(page);
  const [tab] = await Promise.all([
    ann.context.waitForEvent('page'), page.getByRole('link', { name: 'Settings' }).click({ modifiers: ['ControlOrMeta'] }),
  ]);
  await tab.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  const desk = await signIn(ann, null, 'Bob');
  await settled(desk);
  const third = await ann.context.newPage();
  await third.goto(`${baseUrl}/#/settings`);
  await third.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await ann.close();
});
