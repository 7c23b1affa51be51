/**
 * Why something is as it is: statements, each with what it rests on and which others it follows
 * from. As JSON it is a graph; for people it is read from top to bottom.
 */
export interface Explanation {
  readonly subject: string;
  readonly statements: readonly Statement[];
  /** The next command to type. */
  readonly next: string;
}

export interface Statement {
  /** Unique within the explanation, so that `because` can name it. */
  readonly id: string;
  readonly tone: 'good' | 'bad' | 'plain';
  readonly text: string;
  /** Where it was read, and what stood there. */
  readonly evidence: readonly Evidence[];
  /** The statements it follows from. */
  readonly because: readonly string[];
}

export interface Evidence {
  readonly source: string;
  readonly fact: string;
}

/** Collects statements in the order in which they are to be read. */
export class Account {
  readonly #statements: Statement[] = [];

  say(
    id: string,
    tone: Statement['tone'],
    text: string,
    evidence: Readonly<Record<string, unknown>>,
    because: readonly string[] = [],
  ): void {
    const told = Object.entries(evidence).map(([source, fact]) => ({
      source,
      fact: factText(fact),
    }));
    this.#statements.push({ id, tone, text, evidence: told, because });
  }

  end(subject: string, next: string): Explanation {
    return { subject, statements: this.#statements, next };
  }
}

function factText(fact: unknown): string {
  return typeof fact === 'string' ? fact : JSON.stringify(fact);
}
