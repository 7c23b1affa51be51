import type { Command, Help } from 'commander';

/** The help of a command: its commands first, since most people look for one. */
export function formatHelp(command: Command, help: Help): string {
  const width = help.padWidth(command, help);
  const item = (term: string, text: string) => help.formatItem(term, width, text, help);
  const commands = help.groupItems(
    [...command.commands],
    help.visibleCommands(command),
    (each) => each.helpGroup() || 'Commands:',
  );
  const sections = [...commands].map(([heading, members]) => ({
    heading,
    items: members.map((each) => item(help.subcommandTerm(each), help.subcommandDescription(each))),
  }));
  sections.push({
    heading: 'Arguments:',
    items: help
      .visibleArguments(command)
      .map((each) => item(help.argumentTerm(each), help.argumentDescription(each))),
  });
  sections.push({
    heading: command.parent === null ? 'Options of every command:' : 'Options:',
    items: help
      .visibleOptions(command)
      .map((each) => item(help.optionTerm(each), help.optionDescription(each))),
  });
  const description = help.boxWrap(help.commandDescription(command), help.helpWidth ?? 80);
  return [
    `Usage: ${help.commandUsage(command)}`,
    '',
    ...(description === '' ? [] : [description, '']),
    ...sections
      .filter(({ items }) => items.length > 0)
      .flatMap(({ heading, items }) => [heading, ...items, '']),
  ].join('\n');
}
