import { BackplaneError, isBackplaneError, publicCode } from '../../foundation/errors.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { contextFile, contextNamed, readContextBook } from '../contexts/context-book.ts';
import type { Column } from '../output/column.ts';
import { flag, optional } from '../parameters.ts';
import { resolveSettings } from '../settings.ts';

interface ValidationRow {
  readonly name: string;
  readonly ok: boolean;
  /** As people see it; null when all is well. */
  readonly code: string | null;
  readonly detail: string;
}

const columns: readonly Column<ValidationRow>[] = [
  { key: 'name', header: 'NAME' },
  {
    key: 'ok',
    header: 'STATE',
    text: ({ ok }) => (ok ? 'ok' : 'broken'),
    style: ({ ok }) => (ok ? 'good' : 'bad'),
  },
  { key: 'code', header: 'CODE' },
  { key: 'detail', header: 'WHY' },
];

/** Tries named clusters. */
export function contextValidateCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'validate',
    summary: 'try the named clusters',
    description: [
      'Of each context, or of one: do the settings make sense, are the secrets where the references say, and does somebody answer? Exits 9 when one of them is broken.',
    ],
    impact: 'ro',
    output: 'listing',
    opensNothing: true,
    arguments: { name: optional('only this context', { completes: 'context' }) },
    options: { offline: flag('--offline', 'look at settings and secrets only; connect to nobody') },
    examples: [
      { run: 'backplane context validate', shows: 'which names lead nowhere' },
      { run: 'backplane context validate prod --offline', shows: 'whether its secrets are there' },
    ],
    action: async ({ name }, { offline }) => {
      const { environment, home } = context.world;
      const book = readContextBook(contextFile(environment, home));
      if (name !== undefined) contextNamed(book, name);
      const names = name === undefined ? Object.keys(book.contexts) : [name];
      const rows = await Promise.all(names.map((each) => validate(context, each, offline)));
      await context.print.listing({ noun: 'contexts', columns, rows, empty: 'no contexts' });
      const broken = rows.filter(({ ok }) => !ok).map((row) => row.name);
      if (broken.length === 0) return;
      throw new BackplaneError('ASSERTION_FAILED', `broken: ${broken.join(', ')}`, {
        remedy: `backplane context show ${broken[0]} --origin`,
        facts: { broken },
      });
    },
  });
}

async function validate(
  context: CommandContext,
  name: string,
  offline: boolean,
): Promise<ValidationRow> {
  const { environment, home, doors, redact } = context.world;
  try {
    // Without the variables of this shell, or they would stand in for what is wrong.
    const { BACKPLANE_URL: _, BACKPLANE_STORE: __, ...others } = environment;
    const settings = resolveSettings({ context: name }, others, home);
    for (const secret of settings.secrets) redact.learn(secret.reveal());
    if (offline) return { name, ok: true, code: null, detail: settings.engineUrl.text };
    const engine = await context.use(() => doors.openEngine(settings, context.logger));
    return { name, ok: true, code: null, detail: engine.name };
  } catch (error) {
    if (!isBackplaneError(error)) throw error;
    return { name, ok: false, code: publicCode(error.code), detail: redact(error.message) };
  }
}
