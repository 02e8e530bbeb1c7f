// The console: who is here, what they may see, and which screen is shown.

import { element, fill, icon, refresh } from './core/dom.js';
import { addWords, language, locale, say, speak } from './core/language.js';
import { announce, banner, buttonLink, heading } from './core/parts.js';
import { matched, replace, to } from './core/router.js';
import { currentSession, sessionEvents, signOut, takeCode } from './core/session.js';
import common from './words/common.js';
import problems from './words/problems.js';

const MARK = 'M12 20V5m-6 6 6-6 6 6';

addWords(common);
addWords(problems);
const main = element('main', { id: 'main' });
let shown = null;
let entrance;

/** What belongs to the role: its links, and its screens, which add themselves to the router. */
async function entranceOf(role) {
  const module = role === 'operator' ? await import('./operator/screens.js') : await import('./customer/screens.js');
  return module.default;
}

function frame(links) {
  const session = currentSession();
  const navigation = links.map(([path, label]) => element('a', { href: to(path) }, label));
  const other = () => (language() === 'en' ? 'zh' : 'en');
  return [
    element('a', { class: 'skip', href: '#main', onclick: skip }, say('skip')),
    element('header', { class: 'bar' },
      element('a', { class: 'mark', href: to('/') }, icon(MARK), element('span', {}, 'Topup')),
      element('nav', { 'aria-label': say('navigation') }, navigation),
      element('div', { class: 'who' },
        element('span', { class: 'person' }, session?.person ?? ''),
        element('button', {
          type: 'button', class: 'button plain small', lang: () => (other() === 'zh' ? 'zh-CN' : 'en-US'),
          onclick: () => {
            speak(other());
            nameTab();
          },
        }, () => (other() === 'zh' ? '中文' : 'English')),
        session ? element('button', { type: 'button', class: 'button plain small', onclick: signOut }, say('sign_out')) : null)),
    main,
    element('p', { id: 'announced', class: 'visually-hidden', role: 'status' }),
    element('footer', {}, say('zone', { zone: zone() })),
  ];
}

function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function skip(event) {
  event.preventDefault();
  main.querySelector('h1')?.focus();
}

function showScreen({ moved }) {
  const found = matched();
  const screen = found ? found.screen(found.parameters, found.query) : notFound();
  shown?.dispatchEvent(new Event('left'));
  shown = element('div', { class: 'screen' }, screen);
  fill(main, shown);
  announce('');
  markCurrent();
  nameTab();
  if (moved) {
    scrollTo(0, 0);
    main.querySelector('h1')?.focus({ preventScroll: true });
  }
}

function nameTab() {
  const title = main.querySelector('h1');
  document.title = title ? `${title.textContent} · Topup` : 'Topup';
}

function markCurrent() {
  const [path] = (location.hash || '#/').split('?');
  for (const anchor of document.querySelectorAll('header nav a')) {
    const [own] = anchor.getAttribute('href').split('?');
    const here = own === path || (own !== '#/' && path.startsWith(`${own}/`));
    if (here) {
      anchor.setAttribute('aria-current', 'page');
      // On a narrow screen the links scroll sideways: where one is must be seen.
      anchor.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else anchor.removeAttribute('aria-current');
  }
}

function notFound() {
  return [heading(say('screen.none')), buttonLink('secondary', '/', say('home'))];
}

/** Nobody is signed in; `why` is `refused` or `unanswered` of a code, or null. */
function signedOut(why) {
  fill(document.body, ...frame([]));
  fill(main, element('div', { class: 'screen narrow' }, heading(say('signed_out.title')),
    why ? banner('bad', say(`signed_out.${why}`)) : null, element('p', {}, say('signed_out.how'))));
}

/** The session has ended: what was typed stays where it is, beneath this dialog. */
function sessionEnded() {
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'ended-title' },
    element('h2', { id: 'ended-title' }, say('ended.title')), element('p', {}, say('ended.how')),
    element('p', { class: 'hint' }, say('ended.kept')));
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  // Browsers let somebody who insists on Escape close it all the same.
  dialog.addEventListener('close', () => dialog.isConnected && dialog.showModal());
  sessionEvents.addEventListener('resumed', () => dialog.remove(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
}

/** The payment page sends people back to `/?order_id=…`; the page shows what became of that order. */
function takeReturn() {
  const order = new URLSearchParams(location.search).get('order_id');
  if (!order) return;
  history.replaceState(null, '', location.pathname);
  replace(`/result/${encodeURIComponent(order)}`);
}

/** Whether the link that was opened is to sign in another person than the one who is here. */
function askWho(one, other) {
  const who = ({ person, account_id: account }) => (account ? `${person} (${account})` : person);
  return new Promise((resolve) => {
    const choose = (kind, label, chosen) => element('button', { type: 'button', class: `button ${kind}`, onclick: () => resolve(chosen) }, label);
    fill(document.body, ...frame([]));
    fill(main, element('div', { class: 'screen narrow' }, heading(say('who.title')),
      element('p', {}, say('who.one', { one: who(one) })), element('p', {}, say('who.other', { other: who(other) })),
      element('div', { class: 'actions' }, choose('primary', say('who.stay', { one: one.person }), false),
        choose('secondary', say('who.go', { other: other.person }), true))));
    main.querySelector('h1').focus();
  });
}

async function start() {
  document.documentElement.lang = locale();
  const why = await takeCode(askWho);
  takeReturn();
  const session = currentSession();
  if (!session) {
    signedOut(why);
    return;
  }
  entrance = await entranceOf(session.role);
  fill(document.body, ...frame(entrance.links));
  addEventListener('hashchange', () => showScreen({ moved: true }));
  sessionEvents.addEventListener('ended', sessionEnded);
  showScreen({ moved: false });
  refresh(document.documentElement);
  // It may have ended while the page was away, or while its files came.
  if (!currentSession()) sessionEnded();
}

/** A file of the page did not come, or a new version is being deployed. */
function notStarted(failure) {
  console.error(failure);
  fill(document.body, element('main', { class: 'narrow' }, heading(say('not_started.title')), element('p', {}, say('not_started.how')),
    element('button', { type: 'button', class: 'button primary', onclick: () => location.reload() }, say('retry'))));
}

// A new code in an open tab is a new session: everything begins anew, and the other person's screens are gone.
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#code=')) location.reload();
});
start().catch(notStarted);
