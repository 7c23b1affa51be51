import type { Document, Node, ParsedNode } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { ScenarioProblem, TextPlace } from './scenario-problem.ts';

/** A text that says one thing a million times over is an attack, not a scenario. */
const aliasesMax = 100;

export interface YamlProblem {
  readonly message: string;
  readonly place: TextPlace;
}

/** YAML that knows where everything in it stands. */
export class YamlText {
  /** Why it cannot be read; then there is no value. */
  readonly problems: readonly YamlProblem[];
  readonly value: unknown;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed<ParsedNode>;

  constructor(text: string) {
    const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false };
    this.#document = parseDocument(text, options);
    const { errors, warnings } = this.#document;
    const broken = [...errors, ...warnings].map(({ message, pos }) => ({
      message: asWords(message),
      pos,
    }));
    const found = broken.length > 0 ? broken : doubleKeys(this.#document);
    this.problems = found.map(({ message, pos }) => ({ message, place: this.#placeAt(pos[0]) }));
    if (found.length > 0) return;
    try {
      this.value = this.#document.toJS({ maxAliasCount: aliasesMax });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.problems = [{ message, place: { line: 1, column: 1 } }];
    }
  }

  /** Where the value at a path begins, or its key; for what is not there, what should hold it. */
  placeOf({ path, atKey }: Pick<ScenarioProblem, 'path' | 'atKey'>): TextPlace {
    let node: Node | null = this.#document.contents;
    let at = node?.range?.[0] ?? 0;
    for (const [index, key] of path.entries()) {
      const child: Child | null = this.#child(node, key);
      if (child === null) break;
      node = child.value;
      const isWanted = index === path.length - 1 && atKey;
      at = (isWanted ? null : node?.range?.[0]) ?? child.keyAt ?? at;
    }
    return this.#placeAt(at);
  }

  #child(given: Node | null, key: string | number): Child | null {
    const node = isAlias(given) ? (given.resolve(this.#document) ?? null) : given;
    if (isSeq<Node>(node)) {
      const value = node.items[Number(key)] ?? null;
      return value === null ? null : { value, keyAt: null };
    }
    if (!isMap<Node, Node | null>(node)) return null;
    const pair = node.items.find(
      (each) => isScalar(each.key) && String(each.key.value) === String(key),
    );
    return pair === undefined ? null : { value: pair.value, keyAt: pair.key.range?.[0] ?? null };
  }

  #placeAt(offset: number): TextPlace {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

interface Child {
  readonly value: Node | null;
  readonly keyAt: number | null;
}

/** Keys that stand twice. The parser would look too, but compare each with all before it. */
function doubleKeys(document: Document): { message: string; pos: readonly [number] }[] {
  const found: { message: string; pos: readonly [number] }[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          found.push({
            message: `the key "${key.value}" stands twice`,
            pos: [key.range?.[0] ?? 0],
          });
        }
        seen.add(key.value);
      }
    },
  });
  return found;
}

function asWords(message: string): string {
  if (message.includes('call stack')) return 'it is nested too deep';
  return `it is not YAML: ${message.replace(/^./, (letter) => letter.toLowerCase())}`;
}
