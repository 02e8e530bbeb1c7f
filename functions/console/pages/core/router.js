// Which screen an address shows. Addresses are fragments (`#/orders?status=completed`): the server
// has one page, and nothing of what a person looks at is in its logs.

const routes = [];

/** Shows `screen(parameters, query)` at a path such as `/orders/{id}`. */
export function route(path, screen) {
  routes.push({ path: path.split('/'), screen });
}

/** The screen of the present address, and what it is given; null if there is none. */
export function matched() {
  const [path, query = ''] = location.hash.replace(/^#/, '').split('?');
  const parts = (path || '/').split('/');
  for (const { path: form, screen } of routes) {
    const parameters = {};
    const fits = form.length === parts.length && form.every((part, at) => {
      const [, name] = part.match(/^\{(\w+)\}$/) ?? [];
      if (!name) return part === parts[at];
      parameters[name] = decoded(parts[at]);
      return Boolean(parameters[name]);
    });
    if (fits) return { screen, parameters, query: Object.fromEntries(new URLSearchParams(query)) };
  }
  return null;
}

/** What a person typed into the address may not be well formed; then it is no address of ours. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** An address within the page. Query values that are empty are left out. */
export function to(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value);
  return `#${path}${kept.length > 0 ? `?${new URLSearchParams(kept)}` : ''}`;
}

/** Goes there. */
export function go(path, query) {
  location.hash = to(path, query);
}

/** Sends the person to another site; done only if they come back to this very page. */
export function leave(address) {
  const back = new Promise((resolve) => {
    addEventListener('pageshow', ({ persisted }) => persisted && resolve(), { once: true });
  });
  location.assign(address);
  return back;
}

/** Shows another address in place of this one, without a step in the history. */
export function replace(path, query) {
  history.replaceState(null, '', location.pathname + to(path, query));
  dispatchEvent(new HashChangeEvent('hashchange'));
}
