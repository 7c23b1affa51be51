import fs from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { mutantNamed, withEdits } from './mutants.ts';

/**
 * Loaded into the processes of a drill (`--import`, by NODE_OPTIONS, so into their threads as
 * well): takes one mechanism out of the program while it is loaded. The program itself has no
 * switch for that.
 */
const dist = new URL('../../../../dist/', import.meta.url).href;
const name = new URL(import.meta.url).searchParams.get('mutant') ?? '';
const { edits } = mutantNamed(name);

function editsOf(url: string) {
  if (!url.startsWith(dist)) return [];
  const file = url.slice(dist.length).replace(/\?.*$/, '');
  return edits.filter((edit) => edit.file === file);
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const wanted = url.endsWith('.js') ? editsOf(url) : [];
    if (wanted.length === 0) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    return { ...loaded, source: withEdits(source, wanted) };
  },
});

const readFileSync = fs.readFileSync;
fs.readFileSync = ((file: unknown, ...rest: unknown[]) => {
  const read = (readFileSync as (...args: unknown[]) => string | Buffer)(file, ...rest);
  const wanted = file instanceof URL && file.href.endsWith('.lua') ? editsOf(file.href) : [];
  if (wanted.length === 0) return read;
  if (typeof read === 'string') return withEdits(read, wanted);
  throw new Error(`${fileURLToPath(file as URL)} was not read as text`);
}) as typeof fs.readFileSync;
syncBuiltinESMExports();
