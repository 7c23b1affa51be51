import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** A file of ours, in the forms that rules look at. Every form has the same lines. */
export interface SourceFile {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** Without comments and without what is inside strings. */
  readonly bare: string;
}

/** Every file below a folder whose name ends so, by path. */
export function sourceFiles(folder: string, ending: string): SourceFile[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => readSource(join(projectRoot, folder, name)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readSource(file: string): SourceFile {
  const text = readFileSync(file, 'utf8');
  return { path: relative(projectRoot, file), text, ...strip(text) };
}

/** `src/cli/program.ts:12`, for the place of a match. */
export function placeOf(file: SourceFile, offset: number): string {
  return `${file.path}:${file.text.slice(0, offset).split('\n').length}`;
}

/** The places where a pattern occurs in one form of a file. */
export function placesOf(
  file: SourceFile,
  form: 'text' | 'code' | 'bare',
  pattern: RegExp,
): string[] {
  return [...file[form].matchAll(pattern)].map(
    (match) => `${placeOf(file, match.index)} ${match[0].trim()}`,
  );
}

/** Blanks comments, and strings, keeping every line where it is. TypeScript 7 gives no parser. */
export function strip(text: string): { code: string; bare: string } {
  const code = [...text];
  const bare = [...text];
  const blank = (target: string[], from: number, to: number) => {
    for (let at = from; at < to; at += 1) if (target[at] !== '\n') target[at] = ' ';
  };
  // One entry for each template we are inside an expression of: how many braces are open there.
  const templates: number[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const character = text[at] as string;
    let end = at + 1;
    if (rest === '//') {
      end = endOf(text.indexOf('\n', at), text);
      blank(code, at, end);
      blank(bare, at, end);
    } else if (rest === '/*') {
      end = endOf(text.indexOf('*/', at), text) + 2;
      blank(code, at, end);
      blank(bare, at, end);
    } else if (character === "'" || character === '"') {
      end = closing(text, at + 1, character);
      blank(bare, at + 1, end - 1);
    } else if (character === '/' && startsRegex(text, at)) {
      end = regexEnd(text, at + 1);
      blank(bare, at + 1, end - 1);
    } else if (character === '`' || (character === '}' && templates.at(-1) === 0)) {
      if (character === '}') templates.pop();
      end = templatePart(text, at + 1);
      blank(bare, at + 1, end - 1);
      if (text[end - 1] === '{') templates.push(0);
    } else if (templates.length > 0 && (character === '{' || character === '}')) {
      const top = templates.length - 1;
      templates[top] = (templates[top] as number) + (character === '{' ? 1 : -1);
    }
    at = end;
  }
  return { code: code.join(''), bare: bare.join('') };
}

function endOf(found: number, text: string): number {
  return found < 0 ? text.length : found;
}

function closing(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The end of a template, or of its part before an expression, braces included. */
function templatePart(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '`') {
    if (text[at] === '$' && text[at + 1] === '{') return at + 2;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

/** A slash after a value divides; anywhere else it begins a regular expression. */
function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 20), at).trimEnd();
  return /(^|[=(,:[!&|?{};>])$|\b(return|case|typeof)$/.test(before);
}

function regexEnd(text: string, from: number): number {
  let at = from;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}
