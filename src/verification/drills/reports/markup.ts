import { safeText } from '../../../foundation/safe-text.ts';

/** HTML or SVG that is meant as such. Made by `html` only, and out of nothing from elsewhere. */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

type Value = string | number | Markup | readonly Markup[] | null;

const entities: Readonly<Record<string, string>> = {
  ...{ '\ufffe': '\ufffd', '\uffff': '\ufffd' },
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' },
};

/**
 * Markup with values in it: text and numbers are shown as they are, whatever they say, and become
 * neither a tag nor the end of an attribute; null is nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let source = parts[0] as string;
  values.forEach((value, at) => {
    source += sourceOf(value) + parts[at + 1];
  });
  return new Markup(source);
}

function sourceOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Markup) return value.source;
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  if (typeof value === 'string') {
    return safeText(value).replace(/[&<>"'`\ufffe\uffff]/g, entityOf);
  }
  return value.map(({ source }) => source).join('');
}

function entityOf(character: string): string {
  return entities[character] as string;
}
