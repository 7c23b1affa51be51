import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackplaneError } from '../../foundation/errors.ts';
import { nearest } from '../../foundation/nearest.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { loadCommands } from '../load-commands.ts';
import { manualPages } from '../manual/manual-pages.ts';
import { option, optional } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

export function manCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'man',
    summary: 'print a manual page, or write all of them',
    description: [
      'Prints the manual page of a command, as source for man(1); without a command, that of backplane itself.',
      'The pages are made from the commands as they are, so they cannot be out of date.',
    ],
    impact: 'ro',
    output: 'text',
    opensNothing: true,
    arguments: {
      page: optional('a command, "model", "errors" or "history"', {
        completes: ['model', 'errors', 'history'],
      }),
    },
    options: {
      write: option('--write <DIR>', 'write every page into this folder', anyText, {
        completes: 'file',
      }),
    },
    examples: [
      { run: 'backplane man tail | man -l -', shows: 'the manual page of tail' },
      { run: 'backplane man --write ./man1', shows: 'every page, for a package' },
    ],
    action: async ({ page }, { write }) => {
      const pages = manualPages(await loadCommands(context), context.world.about.version);
      if (write === undefined) await context.print.text(pageNamed(page, pages));
      else await writePages(pages, write);
    },
  });
}

const pagesOfTopics: Readonly<Record<string, string>> = {
  model: 'backplane.7',
  errors: 'backplane-errors.7',
  history: 'backplane-history.7',
};

function pageNamed(name: string | undefined, pages: ReadonlyMap<string, string>): string {
  const file = name === undefined ? 'backplane.1' : (pagesOfTopics[name] ?? `backplane-${name}.1`);
  const page = pages.get(file);
  if (page !== undefined) return page;
  const names = [...pages.keys()].map((each) => each.replace(/^backplane-|\.\d$/g, ''));
  const suggestion = nearest(name ?? '', names);
  throw new BackplaneError('USAGE', `there is no manual page for "${name}"`, {
    remedy: suggestion === null ? 'backplane man' : `did you mean ${suggestion}?`,
  });
}

/** Writes the pages, and removes those of commands that are gone. */
async function writePages(pages: ReadonlyMap<string, string>, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const file of await readdir(folder)) {
      if (/^backplane(-[a-z]+)?\.[17]$/.test(file) && !pages.has(file)) {
        await rm(join(folder, file));
      }
    }
    for (const [file, text] of pages) await writeFile(join(folder, file), text);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
    throw new BackplaneError('CONFIG_INVALID', `cannot write pages into "${folder}": ${why}`, {
      cause,
      remedy: 'choose another folder with --write',
    });
  }
}
