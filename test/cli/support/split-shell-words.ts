/**
 * The words of the first backplane command in a line of shell, without what follows a redirection
 * or a pipe. Knows quotes and `<(...)`, which is all that examples use.
 */
export function splitShellWords(line: string): string[] {
  const start = line.indexOf('backplane ');
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (const character of line.slice(start)) {
    if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (/[|<>)]/.test(character)) break;
    else if (character === ' ') {
      if (word !== '') words.push(word);
      word = '';
    } else word += character;
  }
  return word === '' ? words : [...words, word];
}
