// The words of the page, in the language of a test, so that one story is told in both.

import { readdir } from 'node:fs/promises';

const FOLDER = new URL('../../../functions/console/pages/words/', import.meta.url);

const files = (await readdir(FOLDER)).sort();
const all = await Promise.all(files.map((file) => import(new URL(file, FOLDER))));

/** All words of the page: `[key, [English, 中文]]`, file by file. */
export const words = all.flatMap((module) => Object.entries(module.default));

/** Says what the page says for a key. */
export function speaker(language) {
  const known = new Map(words);
  return (key, values = {}) => {
    const pair = known.get(key);
    if (!pair) throw new Error(`the page has no words for ${key}`);
    return pair[language === 'zh' ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
}
