// The public API, and nothing else.
//
// An answer is one of three: what was asked for; a `Refusal`, which trying again does not change; or
// `Unavailable`, which it may. Reading, and writing with an idempotency key, is tried again by itself.

import { currentSession, endSession } from './session.js';

const PAUSES_MS = [300, 900, 2_500];
const TIMEOUT_MS = 35_000;
const repeated = new WeakSet();

/** The API said no, and why: `code` is the contract's, `problem` the whole answer (RFC 9457). */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.message ?? String(status));
    this.status = status;
    this.problem = problem;
    this.code = problem.code ?? (status === 404 ? 'not_found' : 'refused');
  }
}

/** The network, or the service, did not answer. What was to be written (`wrote`) may have been: nobody knows. */
export class Unavailable extends Error {
  constructor(wrote) {
    super('no answer');
    this.wrote = wrote;
  }
}

/** The person thought better of it. There is nothing to say. */
export class Abandoned extends Error {}

/** The session has ended: the page has said so already. What an earlier try was to write (`wrote`) may have been. */
export class SignedOut extends Error {
  wrote = false;
}

/** Reads. Query values that are empty are left out. */
export function get(path, query = {}) {
  return json(address(path, query), { method: 'GET' }, true);
}

/** Reads a page of a list to its end, at most `pages` of them, because a filtered page may be empty. */
export async function list(path, query = {}, pages = 5) {
  let data = [];
  let cursor = query.cursor ?? null;
  for (let page = 0; page < pages; page += 1) {
    const answer = await get(path, { ...query, cursor });
    data = data.concat(answer.data);
    cursor = answer.next_cursor;
    if (!cursor || data.length >= (query.limit ?? 20)) break;
  }
  return { data, next_cursor: cursor };
}

/** Makes something, under an idempotency key, or does what may be done again. */
export function post(path, body, key) {
  return json(path, request('POST', body, key), true);
}

/** Does something that takes no key and must not be done again by itself. */
export function postOnce(path, body) {
  return json(path, request('POST', body), false);
}

/** Whether this answer to `post` is that of an earlier request with the same key. */
export function isRepeated(answer) {
  return repeated.has(answer);
}

/** Says what is to be so; saying it again changes nothing. */
export function put(path, body) {
  return json(path, request('PUT', body), true);
}

/** Takes something away. */
export function remove(path) {
  return json(path, { method: 'DELETE' }, true);
}

/** Sends a file as it is. */
export function upload(path, file, mediaType, query = {}) {
  const headers = { 'content-type': mediaType };
  return json(address(path, query), { method: 'POST', body: file, headers }, false);
}

/** Reads something that is not JSON: an image, a table of comma-separated values. */
export async function download(path, query = {}) {
  const answer = await send(address(path, query), { method: 'GET' }, true);
  return answer.blob();
}

/** Reads an export to its end, part by part: `file`, and whether it is `whole` (at most `parts` are read). */
export async function downloadParts(path, query = {}, parts = 50) {
  const blobs = [];
  let cursor = null;
  for (let part = 0; part < parts; part += 1) {
    const answer = await send(address(path, { ...query, cursor }), { method: 'GET' }, true);
    blobs.push(await answer.blob());
    cursor = answer.headers.get('x-next-cursor');
    if (!cursor) break;
  }
  return { file: new Blob(blobs, { type: 'text/csv;charset=utf-8' }), whole: !cursor };
}

function request(method, body, key) {
  const headers = { 'content-type': 'application/json' };
  if (key) headers['idempotency-key'] = key;
  return { method, body: JSON.stringify(body), headers };
}

function address(path, query) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return kept.length > 0 ? `${path}?${new URLSearchParams(kept)}` : path;
}

async function json(path, options, repeatable) {
  const answer = await send(path, options, repeatable);
  if (answer.status === 204) return null;
  const content = await answer.json();
  if (answer.headers.get('idempotent-replayed') === 'true') repeated.add(content);
  return content;
}

async function send(path, options, repeatable) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await once(path, options);
    } catch (failure) {
      if (failure instanceof SignedOut) failure.wrote = tries > 0 && options.method !== 'GET';
      if (!(failure instanceof Unavailable) || !repeatable || tries >= PAUSES_MS.length) throw failure;
      await new Promise((resolve) => { setTimeout(resolve, PAUSES_MS[tries]); });
    }
  }
}

async function once(path, options) {
  const session = currentSession();
  if (!session) throw new SignedOut();
  const headers = { ...options.headers, authorization: `Bearer ${session.token}` };
  const settings = { cache: 'no-store', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(TIMEOUT_MS) };
  const answer = await fetch(path, { ...options, ...settings, headers }).catch(() => null);
  if (answer === null || answer.status >= 500 || answer.status === 429) throw new Unavailable(options.method !== 'GET');
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  // The gateway's own refusals carry no code: it does not know this token any more.
  if ((answer.status === 401 || answer.status === 403) && !problem.code) {
    endSession();
    throw new SignedOut();
  }
  throw new Refusal(answer.status, problem);
}
