// Who sits before the page. The platform sends a person here with a one-time code in the fragment;
// it is taken out of the address at once and exchanged for a token of thirty minutes, which stays in
// this tab (sessionStorage), also while the tab is away at the payment page. No API key comes here.

const STORED = 'topup.session';
const channel = new BroadcastChannel('topup.session');
let session = JSON.parse(sessionStorage.getItem(STORED) ?? 'null');
let expiryTimer;

/** Told when the session has ended, and when there is one again. */
export const sessionEvents = new EventTarget();

/** The session (`token`, `role`, `account_id`, `person`, `scopes`, `expires_at`), or null. */
export function currentSession() {
  return session;
}

/** Whether the person may do what needs this scope. */
export function may(scope) {
  return session?.scopes.includes(scope) ?? false;
}

/**
 * Takes a code out of the address, if there is one, and begins its session.
 * Answers whether a code was there and was not good any more.
 */
export async function takeCode() {
  const [, code] = location.hash.match(/^#code=(.+)$/) ?? [];
  if (!code) {
    if (session) watchExpiry();
    return { refused: false };
  }
  history.replaceState(null, '', location.pathname + location.search);
  const answer = await fetch('/v1/console-tokens', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }),
    referrerPolicy: 'no-referrer', cache: 'no-store',
  }).catch(() => null);
  if (!answer?.ok) {
    forget();
    return { refused: true };
  }
  begin(await answer.json());
  // A tab of the same person whose session has ended goes on with this one, with what was typed there.
  channel.postMessage(session);
  return { refused: false };
}

/** The session is over: the token is forgotten, and the page says so. */
export function endSession() {
  if (!session) return;
  const ended = session;
  forget();
  channel.onmessage = ({ data }) => {
    const same = data.role === ended.role && data.account_id === ended.account_id && data.person === ended.person;
    if (session || !same) return;
    begin(data);
    sessionEvents.dispatchEvent(new Event('resumed'));
  };
  sessionEvents.dispatchEvent(new Event('ended'));
}

function begin(begun) {
  session = begun;
  sessionStorage.setItem(STORED, JSON.stringify(session));
  watchExpiry();
}

function forget() {
  clearTimeout(expiryTimer);
  session = null;
  sessionStorage.removeItem(STORED);
}

function watchExpiry() {
  clearTimeout(expiryTimer);
  expiryTimer = setTimeout(endSession, Math.max(0, Date.parse(session.expires_at) - Date.now()));
}
