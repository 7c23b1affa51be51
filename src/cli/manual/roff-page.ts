/** A manual page being written, in the macros of man(7). */
export class RoffPage {
  readonly #lines: string[];

  constructor(name: string, section: number, version: string) {
    const title = escapeRoff(name.toUpperCase());
    this.#lines = [
      '.\\" Generated from the command tree: npm run man',
      `.TH ${title} ${section} "" "backplane ${version}" "backplane manual"`,
      '.nh',
      '.ad l',
    ];
  }

  section(heading: string): this {
    return this.#add(`.SH ${heading}`);
  }

  subsection(heading: string): this {
    return this.#add(`.SS ${escapeRoff(heading)}`);
  }

  paragraph(text: string): this {
    return this.#add('.PP', textLine(text));
  }

  /** A line as it is, without a paragraph before it. */
  line(text: string): this {
    return this.#add(textLine(text));
  }

  /** A bold line that is not filled: a synopsis. */
  synopsis(text: string): this {
    return this.#add('.PP', `\\fB${escapeRoff(text)}\\fP`);
  }

  /** A name and what it is. */
  item(term: string, text: string): this {
    return this.#add('.TP', `\\fB${escapeRoff(term)}\\fP`, textLine(text));
  }

  example(run: string, shows: string): this {
    return this.#add(
      '.PP',
      textLine(`${capital(shows)}:`),
      '.RS 4',
      '.nf',
      textLine(run),
      '.fi',
      '.RE',
    );
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #add(...lines: string[]): this {
    this.#lines.push(...lines);
    return this;
  }
}

/** Text that roff prints as it is; dashes become those of the keyboard, so that flags can be copied. */
export function escapeRoff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[\u0080-\u{10ffff}]/gu, (character) => {
      const code = (character.codePointAt(0) as number).toString(16).toUpperCase();
      return `\\[u${code.padStart(4, '0')}]`;
    });
}

/** A line of text; one that begins like a request gets something invisible in front. */
function textLine(text: string): string {
  const escaped = escapeRoff(text);
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
