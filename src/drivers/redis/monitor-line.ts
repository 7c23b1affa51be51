/** A command as MONITOR tells it, of which only the beginning may be there. */
export interface MonitoredCommand {
  readonly db: number;
  /** Run by a script, not by a client. */
  readonly inScript: boolean;
  /** In lower case. */
  readonly verb: string;
  /** Its arguments as far as they are whole, at most that many. */
  arguments(count: number): string[];
}

/** `+1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value"`; a script is `[0 lua]`. */
const pattern = /^\+\d+\.\d+ \[(\d+) (lua\] |[^"]*\] )"([A-Za-z_]+)"/;

/** Reads one line, as latin1 text; null for what is no command. */
export function readMonitorLine(line: string): MonitoredCommand | null {
  const parts = pattern.exec(line);
  if (parts === null) return null;
  const [start, db, by, verb] = parts as unknown as [string, string, string, string];
  return {
    db: Number(db),
    inScript: by === 'lua] ',
    verb: verb.toLowerCase(),
    arguments: (count) => readArguments(line, start.length, count),
  };
}

function readArguments(line: string, from: number, count: number): string[] {
  const found: string[] = [];
  for (let at = from; found.length < count && line.startsWith(' "', at); ) {
    const end = endOfArgument(line, at + 2);
    if (end < 0) break;
    found.push(unescaped(line.slice(at + 2, end)));
    at = end + 1;
  }
  return found;
}

/** Where the closing quote is; -1 when the line was cut before it. */
function endOfArgument(line: string, from: number): number {
  for (let end = line.indexOf('"', from); end >= 0; end = line.indexOf('"', end + 1)) {
    let slashes = 0;
    while (line[end - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

const letters: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' },
};

/** Bytes outside of ASCII come as `\xHH`, so the text is theirs, read as UTF-8. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (_, hex?: string, letter = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return letters[letter] ?? letter;
  });
  return Buffer.from(bytes, 'latin1').toString();
}
