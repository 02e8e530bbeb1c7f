// The platform's endpoints: where it is told what happened.

import { get, post, postOnce, put, remove } from '../core/api.js';
import { element } from '../core/dom.js';
import { checkInput, entry, form, showAtField, textInput } from '../core/form.js';
import { say } from '../core/language.js';
import { actionButton, badge, confirmed, emptyHint, facts, heading, loaded } from '../core/parts.js';
import { may } from '../core/session.js';
import { submitOnce } from '../core/submission.js';
import { time } from '../core/time.js';
import { codeEntry } from './entries.js';
import { secretBanner } from './secret.js';
import { code, hint, opening, renewed, told, withScope } from './shared.js';

const TYPES = ['order.completed', 'order.failed', 'order.expired', 'order.rejected', 'order.refunded', 'order.disputed',
  'balance.low', 'hold.expired', 'endpoint.disabled'];

/** The screen `/endpoints`. */
export function endpoints() {
  const { news, body } = renewed((load) => loaded(() => get('/v1/admin/endpoints'), ({ data }) => endpointParts(data, load)));
  return [heading(say('operator.endpoints')), hint(say('endpoints.hint')), news, body];
}

function endpointParts(all, load) {
  const editable = may('operator:configure');
  return [
    all.length === 0 ? emptyHint(say('endpoints.none')) : all.map((one) => endpointCard(one, editable, load)),
    withScope('operator:configure', () => opening(say('endpoints.new'), endpointForm(null, load))),
  ];
}

function endpointCard(one, editable, load) {
  return element('article', { class: 'card' },
    element('div', { class: 'section-head' }, element('h2', {}, one.endpoint_id), stateBadge(one)),
    facts([
      [say('endpoint.url'), code(one.url)],
      [say('endpoint.types'), one.types.length === 0 ? say('endpoint.everything') : one.types.join(', ')],
      [say('endpoint.disabled_reason'), one.disabled_reason && say(`endpoint.disabled.${one.disabled_reason}`)],
      [say('endpoint.disabled_at'), one.disabled_at && time(one.disabled_at)],
      [say('endpoint.failing_since'), one.failing_since && time(one.failing_since)],
      [say('endpoint.previous_secret_until'), one.previous_secret_until && time(one.previous_secret_until)],
    ]),
    editable ? [endpointActions(one, load), opening(say('operator.edit'), endpointForm(one, load))] : null);
}

function stateBadge({ enabled, failing_since: failing }) {
  if (!enabled) return badge('bad', say('endpoint.off'));
  return failing ? badge('waiting', say('endpoint.failing')) : badge('good', say('endpoint.on'));
}

function endpointActions(one, load) {
  const path = `/v1/admin/endpoints/${one.endpoint_id}`;
  const name = { id: one.endpoint_id };
  const test = async () => {
    const answer = await submitOnce(`test.${one.endpoint_id}`, {}, (key) => post(`${path}/test`, {}, key));
    load(answer.delivered ? told('good', say('endpoint.delivered'))
      : told('bad', say('endpoint.not_delivered', { outcome: answer.outcome })));
  };
  const rotate = async () => {
    if (!await confirmed(say('endpoint.rotate.sure', name), say('endpoint.rotate.detail'), say('keys.rotate'))) return;
    const answer = await postOnce(`${path}/rotate`, {});
    load(secretBanner(answer.secret, say('endpoint.secret.of', name)));
  };
  const take = async () => {
    const sure = confirmed(say('endpoint.delete.sure', name), say('endpoint.delete.detail'), say('endpoint.delete'), 'danger');
    if (!await sure) return;
    await remove(path);
    load(told('good', say('endpoint.delete.told', name)));
  };
  return element('div', { class: 'actions' }, actionButton('secondary small', say('endpoint.test'), test),
    actionButton('secondary small', say('keys.rotate'), rotate), actionButton('danger small', say('endpoint.delete'), take));
}

function endpointForm(one, load) {
  const types = TYPES.map((type) => checkInput(code(type), { value: type, checked: one?.types.includes(type) ?? false }));
  const enabled = checkInput(say('endpoint.enabled'), { checked: one?.enabled ?? true });
  const name = one ? null : codeEntry('endpoint_id', say('endpoint.id'));
  const url = textInput({ value: one?.url ?? '', maxlength: '500', inputmode: 'url' });
  return form({
    parts: [name,
      entry('url', say('endpoint.url'), url, { hint: say('endpoint.url.hint') }),
      element('fieldset', { class: 'choice' }, element('legend', {}, say('endpoint.types')),
        hint(say('endpoint.types.hint')), types), enabled],
    submit: say('save'),
    send: async (typed) => {
      const chosen = types.filter(({ control }) => control.checked).map(({ control }) => control.value);
      const id = one?.endpoint_id ?? typed.endpoint_id;
      // PUT would change an endpoint that is there: a new one must not be one that is known.
      if (!one && (await get('/v1/admin/endpoints')).data.some((known) => known.endpoint_id === id)) {
        showAtField(name, say('endpoint.known'));
        return;
      }
      const body = { url: typed.url, types: chosen, enabled: enabled.control.checked };
      const answer = await put(`/v1/admin/endpoints/${id}`, body);
      // A new endpoint comes with its secret; a known one keeps it.
      const secret = one ? null : answer.secret;
      load(secret ? secretBanner(secret, say('endpoint.secret.of', { id })) : told('good', say('saved')));
    },
  });
}
