// Who sits before the page. The platform sends a person here with a one-time code in the fragment;
// it is taken out of the address at once and exchanged for a token of thirty minutes, which stays in
// this tab (sessionStorage), also while the tab is away at the payment page. No API key comes here.
//
// Tabs of one browser help each other, by a channel that only pages of this origin hear: a new tab goes on with the
// session of the others, if they are of one person; one whose session has ended, with a new one of its person; and
// whoever signs out in one tab is signed out in all, and goes on as nobody. A tab that is away at the payment page hears
// nothing: its own token goes on until it ends, within half an hour.

const STORED = 'topup.session';
/** Who sat before this tab last, once their session is over. */
const BEFORE = 'topup.before';
/** Somebody has signed out here: nobody else goes on in this tab by itself. */
const LEFT = 'topup.left';
const KEPT = 'topup.';
const EXCHANGE_TIMEOUT_MS = 10_000;
const EXCHANGE_PAUSES_MS = [500, 2_000];
const OFFER_TIME_MS = 250;
const channel = new BroadcastChannel('topup.session');
/** Who sits, or sat, before the other tabs: the session, or only whose it was. */
let offered = [];
let session = stored(STORED);
let ended = null;
let expiryTimer;

channel.onmessage = ({ data }) => {
  if (data === 'ask') {
    if (session) channel.postMessage(session);
    else if (ended) channel.postMessage({ was: whoIn(ended) });
  } else if (data.was) {
    offered.push(data.was);
  } else if (data.left) {
    offered = offered.filter((one) => personOf(one) !== data.left);
    const here = session ?? ended;
    const before = stored(BEFORE);
    if (here && personOf(here) === data.left) {
      if (session && session.token !== data.token) revoke(session.token);
      leave();
    } else if (before && personOf(before) === data.left) forgetAll();
  } else if (!session && ended && personOf(data) === personOf(ended)) {
    begin(data);
    sessionEvents.dispatchEvent(new Event('resumed'));
  } else if (!session && !ended) offered.push(data);
};

/** Told when the session has ended, and when there is one again. */
export const sessionEvents = new EventTarget();

/** The session (`token`, `role`, `account_id`, `person`, `scopes`), or null. */
export function currentSession() {
  return session;
}

/** Whether the person may do what needs this scope. */
export function may(scope) {
  return session?.scopes.includes(scope) ?? false;
}

/**
 * Takes a code out of the address, if there is one, and begins its session. Answers why there is none,
 * although a code was there: it was `refused`, or nobody answered (`unanswered`); else null.
 *
 * Somebody else's page can send people here with a code of its own. So nobody's place is taken before `mayReplace(one,
 * other)` says so: of whoever sits, or sat, before this tab; nor of whoever has the same part in another one, as a
 * customer who pays must not do so for a stranger.
 */
export async function takeCode(mayReplace) {
  const [, code] = location.hash.match(/^#code=(.+)$/) ?? [];
  if (!code) {
    const going = session ?? await sessionOfOthers();
    if (going) begin(going);
    return null;
  }
  history.replaceState(null, '', location.pathname + location.search);
  const [answer] = await Promise.all([exchanged(code), session ? null : sessionOfOthers()]);
  if (!answer?.ok) {
    // Whoever sat here before is not the person whom this code was for.
    forget();
    return answer ? 'refused' : 'unanswered';
  }
  const begun = await answer.json();
  // By the clock of the service: that of this machine may be anything.
  const ahead = Date.now() - (Date.parse(answer.headers.get('date')) || Date.now());
  const same = (one) => personOf(one) === personOf(begun);
  const elsewhere = offered.some(same) ? null : offered.find(({ role }) => role === begun.role);
  const known = session ?? stored(BEFORE) ?? elsewhere;
  const other = known && !same(known);
  if (other && !await mayReplace(known, begun)) {
    revoke(begun.token);
    // Theirs may have ended while the question was asked, here or in the other tab.
    const staying = session ?? offered.find((one) => one.token && personOf(one) === personOf(known));
    if (staying) begin(staying);
    return null;
  }
  if (other) forgetAll();
  begin({ ...begun, ends_at: Date.parse(begun.expires_at) + ahead });
  // A tab of the same person whose session has ended goes on with this one, with what was typed there.
  channel.postMessage(session);
  return null;
}

/** The session is over: the token is forgotten, and the page says so. */
export function endSession() {
  if (!session) return;
  ended = session;
  forget();
  sessionEvents.dispatchEvent(new Event('ended'));
}

/** The person leaves: nothing of theirs stays in this tab, nor in others. */
export function signOut() {
  channel.postMessage({ left: personOf(session ?? ended), token: session?.token });
  if (session) revoke(session.token);
  leave();
}

/** The session, and what was typed in it. */
function forgetAll() {
  forget();
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(KEPT)) sessionStorage.removeItem(key);
  }
}

function leave() {
  forgetAll();
  ended = null;
  // Anew, so that nothing of the person stays in memory either.
  sessionStorage.setItem(LEFT, 'true');
  location.replace(location.pathname);
}

/** A token is of no use to anybody any more. If that is not heard it ends by itself, within half an hour. */
function revoke(token) {
  fetch('/v1/console-tokens/revoke', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }),
    referrerPolicy: 'no-referrer', keepalive: true,
  }).catch(() => {});
}

function personOf({ role, account_id: account, person }) {
  return JSON.stringify([role, account, person]);
}

function whoIn({ role, account_id: account, person }) {
  return { role, account_id: account, person };
}

/**
 * The session of the other tabs; null if there is none, if they are of several people, or if this tab was somebody
 * else's.
 */
async function sessionOfOthers() {
  channel.postMessage('ask');
  await new Promise((resolve) => { setTimeout(resolve, OFFER_TIME_MS); });
  const before = stored(BEFORE);
  const sessions = offered.filter(({ token }) => token);
  const people = new Set([...sessions, ...(before ? [before] : [])].map(personOf));
  return people.size === 1 && !stored(LEFT) ? sessions[0] : null;
}

async function exchanged(code) {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch('/v1/console-tokens', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }),
      referrerPolicy: 'no-referrer', cache: 'no-store', signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS),
    }).catch(() => null);
    const came = answer && answer.status < 500 && answer.status !== 429;
    if (came) return answer;
    if (tries >= EXCHANGE_PAUSES_MS.length) return null;
    await new Promise((resolve) => { setTimeout(resolve, EXCHANGE_PAUSES_MS[tries]); });
  }
}

function stored(name) {
  return JSON.parse(sessionStorage.getItem(name) ?? 'null');
}

function begin(begun) {
  session = begun;
  sessionStorage.removeItem(BEFORE);
  sessionStorage.removeItem(LEFT);
  sessionStorage.setItem(STORED, JSON.stringify(session));
  watchExpiry();
}

function forget() {
  clearTimeout(expiryTimer);
  if (session) sessionStorage.setItem(BEFORE, JSON.stringify(whoIn(session)));
  session = null;
  sessionStorage.removeItem(STORED);
}

function watchExpiry() {
  clearTimeout(expiryTimer);
  expiryTimer = setTimeout(endSession, Math.max(0, session.ends_at - Date.now()));
}
