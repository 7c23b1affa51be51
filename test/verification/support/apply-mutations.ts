import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A mechanism taken out of the product: in one file, some text is replaced by another. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * From now on whatever is loaded of the product is without it, be it the sources or what was
 * compiled of them. Answers the mutations that were applied so far.
 */
export function applyMutations(mutations: readonly Mutation[]): ReadonlySet<Mutation> {
  const applied = new Set<Mutation>();
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const mine = mutations.filter(({ file }) => isIn(url, file));
      if (mine.length === 0) return loaded;
      let source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      for (const mutation of mine) {
        if (source.split(mutation.from).length !== 2) {
          throw new Error(`${fileURLToPath(url)} has not exactly one place with: ${mutation.from}`);
        }
        source = source.replace(mutation.from, () => mutation.to);
        applied.add(mutation);
      }
      return { ...loaded, source };
    },
  });
  return applied;
}

function isIn(url: string, file: string): boolean {
  return url.endsWith(`/src/${file}`) || url.endsWith(`/dist/${file.replace(/ts$/, 'js')}`);
}
