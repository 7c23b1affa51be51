// Ink with all it stands on is 540 modules, and looking for them takes longer than running them:
// the dashboard is made one file, which halves what `top` spends before its first screen.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';

const room = resolve('dist/tui') + sep;
const entry = join(room, 'show-dashboard.js');

/** Other rooms stay where they are: an error is of one class, whoever throws it. */
function isOutside(id, importer) {
  if (id.startsWith('node:')) return true;
  return (
    id.startsWith('.') &&
    importer?.startsWith(room) &&
    !resolve(importer, '..', id).startsWith(room)
  );
}

/** Ink's door to a debugger that is not installed, and would not be opened here. */
const withoutDevtools = {
  name: 'without-devtools',
  resolveId: (id, importer) =>
    id === './devtools.js' && importer?.includes(`${sep}ink${sep}`) ? '\0none' : null,
  load: (id) => (id === '\0none' ? '' : null),
};

/** Yoga would unpack itself by fetching from a data URL, and wake an HTTP client for that. */
const withoutFetch = {
  name: 'without-fetch',
  transform: (code, id) =>
    id.includes('yoga-wasm-base64') ? `const fetch = undefined;\n${code}` : null,
};

const bundle = await rolldown({
  input: entry,
  platform: 'node',
  external: isOutside,
  plugins: [withoutDevtools, withoutFetch],
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
});
const made = join(room, 'bundle.js.new');
await bundle.write({ file: made, format: 'esm', codeSplitting: false });
await bundle.close();

// What went into it is not published twice.
for (const name of readdirSync(room, { recursive: true })) {
  if (name.endsWith('.js')) rmSync(join(room, name));
}
renameSync(made, entry);
