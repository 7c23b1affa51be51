import { errorCatalogue, publicCode } from '../../foundation/errors.ts';
import type { CommandDefinition, CommandNode } from '../command-definition.ts';
import { exitCodeOfError, exitCodes } from '../exit-codes.ts';
import { globalOptionList } from '../global-options.ts';
import { usageLine } from '../help-page.ts';
import { leavesOf } from '../load-commands.ts';
import { optionText, placeholder } from '../option-text.ts';
import { historyEvents, historyFormat } from './history.ts';
import { guarantees, terms } from './model.ts';
import { RoffPage } from './roff-page.ts';
import { environmentVariables, errorCodes } from './topics.ts';

const summary = 'run, operate and diagnose clusters of nodes that share documents';

/** Every page of the manual, by file name, made from the commands as they are. */
export function manualPages(
  commands: readonly CommandNode[],
  version: string,
): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  pages.set('backplane.1', toolPage(commands, version));
  for (const node of commands) pages.set(`backplane-${node.name}.1`, commandPage(node, version));
  pages.set('backplane.7', modelPage(version));
  pages.set('backplane-errors.7', errorsPage(version));
  pages.set('backplane-history.7', historyPage(version));
  return pages;
}

function toolPage(commands: readonly CommandNode[], version: string): string {
  const page = new RoffPage('backplane', 1, version);
  page.section('NAME').line(`backplane - ${summary}`);
  page.section('SYNOPSIS').synopsis('backplane COMMAND [options]');
  page
    .section('DESCRIPTION')
    .paragraph(
      'A backplane cluster is several server nodes that behave as one: every document is owned by exactly one node, which orders and stores its ops, and every other node proxies to it. backplane(7) has the words and the guarantees.',
    )
    .paragraph('A command that reads never changes the cluster.');
  page.section('COMMANDS');
  for (const node of commands) page.item(`backplane-${node.name}(1)`, node.summary);
  page.section('OPTIONS').paragraph('Every command has these:');
  for (const option of globalOptionList) page.item(option.flags, optionText(option));
  page.section('ENVIRONMENT').paragraph('Flag beats environment beats context beats default.');
  for (const [name, text] of environmentVariables()) page.item(name, text);
  page.section('EXIT STATUS');
  for (const [code, text] of Object.entries(exitCodes)) page.item(code, text);
  page.section('SEE ALSO').paragraph('backplane(7), backplane-errors(7)');
  return page.toString();
}

function commandPage(node: CommandNode, version: string): string {
  const page = new RoffPage(`backplane-${node.name}`, 1, version);
  const leaves = leavesOf([node]);
  page.section('NAME').line(`backplane-${node.name} - ${node.summary}`);
  page.section('SYNOPSIS');
  for (const [path, leaf] of leaves) page.synopsis(usageLine(path, leaf));
  page.section('DESCRIPTION');
  for (const paragraph of node.description) page.paragraph(paragraph);
  if (node.kind === 'command') {
    describe(page, node);
    page.section('EXAMPLES');
    for (const { run, shows } of node.examples) page.example(run, shows);
  } else {
    page.section('COMMANDS');
    for (const [path, leaf] of leaves) {
      page.subsection(path);
      for (const paragraph of leaf.description) page.paragraph(paragraph);
      describe(page, leaf);
      for (const { run, shows } of leaf.examples) page.example(run, shows);
    }
  }
  page
    .section('EXIT STATUS')
    .paragraph('See backplane(1); what each error means is in backplane-errors(7).');
  page.section('SEE ALSO').paragraph('backplane(1), backplane(7), backplane-errors(7)');
  return page.toString();
}

function describe(page: RoffPage, command: CommandDefinition): void {
  page.paragraph(
    command.impact === 'ro'
      ? 'It changes nothing in the cluster.'
      : 'It can change the cluster, or takes part in it.',
  );
  if (command.arguments.length + command.options.length === 0) return;
  if (command.arguments.length > 0) page.paragraph('Arguments:');
  for (const each of command.arguments) page.item(placeholder(each), each.description);
  if (command.options.length > 0) page.paragraph('Options, besides those of every command:');
  for (const each of command.options) page.item(each.flags, optionText(each));
}

function modelPage(version: string): string {
  const page = new RoffPage('backplane', 7, version);
  page.section('NAME').line('backplane - the model: its words and what it guarantees');
  page.section('WORDS');
  for (const [term, text] of terms) page.item(term, text);
  page
    .section('GUARANTEES')
    .paragraph(
      'They hold while processes are killed or paused longer than every timeout, connections are cut or half open, and the broker restarts empty. A broker that lost its data may cost availability, never an acknowledged op.',
    );
  for (const [name, text] of guarantees) page.item(name, text);
  page.section('SEE ALSO').paragraph('backplane(1), backplane-errors(7)');
  return page.toString();
}

function errorsPage(version: string): string {
  const page = new RoffPage('backplane-errors', 7, version);
  page.section('NAME').line('backplane-errors - every error code, and what to do');
  page
    .section('DESCRIPTION')
    .paragraph(
      'An error is definite when what was asked for did not happen and will not; it is indefinite when it may have happened. An error can know better than this page: what it says when it is printed counts.',
    );
  page.section('CODES');
  for (const code of errorCodes) {
    const { meaning, certainty, remedy } = errorCatalogue[code];
    const facts = `${certainty}; exit code ${exitCodeOfError[code]}`;
    page.item(publicCode(code), `${meaning} What to do: ${remedy}. (${facts})`);
  }
  page.section('SEE ALSO').paragraph('backplane(1), backplane-help(1)');
  return page.toString();
}

function historyPage(version: string): string {
  const page = new RoffPage('backplane-history', 7, version);
  page.section('NAME').line('backplane-history - the format of a recorded history');
  page.section('DESCRIPTION');
  for (const paragraph of historyFormat) page.paragraph(paragraph);
  page.section('EVENTS');
  for (const [name, text] of historyEvents()) page.item(name, text);
  page.section('SEE ALSO').paragraph('backplane-verify(1)');
  return page.toString();
}
