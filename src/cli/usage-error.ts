import type { Command, CommanderError } from 'commander';
import { BackplaneError } from '../foundation/errors.ts';
import { nearest } from '../foundation/nearest.ts';
import { pathOf } from './program.ts';

/** The command that the parser had reached, following the words of the command line. */
export function commandAt(program: Command): Command {
  const next = program.commands.find((each) => each.name() === program.args[0]);
  return next === undefined ? program : commandAt(next);
}

/**
 * What the parser says about a command line, as ours; null when help or the version was asked for
 * and the words before it made sense.
 */
export function usageError(error: CommanderError, at: Command): BackplaneError | null {
  const path = pathOf(at);
  const word = at.commands.length > 0 ? at.args[0] : undefined;
  if (word !== undefined && !word.startsWith('-')) return unknownCommand(word, at, path);
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return null;
  if (error.code === 'commander.help') return missingCommand(at, path);
  const [first = '', ...others] = error.message.split('\n');
  const suggestion = /\(Did you mean (.*?)\?\)/s.exec(others.join(' '))?.[1];
  const message = first.replace(/^error: /, '').replaceAll("'", '"');
  return usage(message, suggestion ?? null, path);
}

function unknownCommand(word: string, at: Command, path: string): BackplaneError {
  const kind = at.parent === null ? 'command' : `${at.name()} command`;
  return usage(`unknown ${kind} "${word}"`, nearest(word, namesOf(at)), path);
}

function missingCommand(at: Command, path: string): BackplaneError {
  return new BackplaneError('USAGE', `"${path}" needs one of: ${namesOf(at).join(', ')}`, {
    remedy: `${path} --help`,
  });
}

function usage(message: string, suggestion: string | null, path: string): BackplaneError {
  const help = `${path} --help`;
  return new BackplaneError('USAGE', message, {
    remedy: suggestion === null ? help : `did you mean ${suggestion}? See ${help}`,
  });
}

function namesOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name());
}
