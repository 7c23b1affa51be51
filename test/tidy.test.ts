import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  placeOf,
  placesOf,
  projectRoot,
  type SourceFile,
  sourceFiles,
  strip,
} from './support/source-files.ts';

const sources = sourceFiles('src', '.ts').concat(sourceFiles('src', '.tsx'));
const byPath = new Map(sources.map((file) => [file.path, file]));

/** Files that wire everything, and so may know everything. */
const roots = sources.filter(({ path }) => posix.dirname(path) === 'src').map(({ path }) => path);

/** Who may import whom. `types` rooms give types only; a driver is a room of its own. */
const importTable: Readonly<Record<string, { all: string[]; types?: string[] }>> = {
  foundation: { all: [] },
  ports: { all: ['foundation'] },
  runtime: { all: ['ports', 'foundation'] },
  drivers: { all: ['ports', 'foundation'] },
  client: { all: ['foundation'], types: ['ports'] },
  gateway: { all: ['runtime', 'ports', 'foundation'] },
  operations: { all: ['runtime', 'client', 'ports', 'foundation'] },
  verification: {
    all: ['drivers/memory', 'runtime', 'gateway', 'client', 'operations', 'ports', 'foundation'],
  },
  cli: { all: ['operations', 'verification', 'foundation'], types: ['ports', 'runtime'] },
  tui: { all: ['operations', 'foundation'], types: ['ports'] },
};

/** `sleep`, `repeat` and `silentLogger` stand beside their port: who may know it may use them. */
const portsWithHelp = ['src/ports/clock.ts', 'src/ports/logger.ts'];

/**
 * The only doors to the machine's time and chance: that of a node, and that of a browser. A drill
 * steps the wall clock of a node's process, which it can do only behind the door of that node.
 */
const machineDoors =
  /^src\/(drivers\/system\/|client\/browser-(clock|random)\.ts$|verification\/drills\/nodes\/stepped-date\.ts$)/;

describe('the house', () => {
  it('has no import that goes up or across', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter(({ path, typeOnly }) => !mayImport(file.path, path, typeOnly))
        .map(({ path, place }) => `${place} imports ${path}`),
    );
    expect(wrong, 'see "Who may import whom" in the README').toEqual([]);
  });

  it('imports only files that exist, with their endings', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter(({ path }) => !byPath.has(path))
        .map(({ path, place }) => `${place} imports ${path}, which does not exist`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps sockets, files and processes out of the core', () => {
    const world = /from '(node:(?!crypto|events|util|buffer)[\w/]+|(?!node:|lru-cache'|\.)[^']+)'/g;
    const core = inRooms('foundation', 'ports', 'runtime', 'operations');
    expect(core.flatMap((file) => placesOf(file, 'code', world))).toEqual([]);
  });

  it('reaches every file from main.ts, index.ts or the client', () => {
    const reached = new Set<string>();
    const entries = ['src/main.ts', 'src/index.ts', 'src/client/index.ts'];
    const queue = entries.filter((path) => byPath.has(path));
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const file = byPath.get(path);
      if (file === undefined || reached.has(path)) continue;
      reached.add(path);
      queue.push(...mentionsOf(file));
    }
    const lost = sources.map(({ path }) => path).filter((path) => !reached.has(path));
    expect(lost, 'nothing uses these files: remove them').toEqual([]);
  });

  it('names files in kebab-case, after what they hold', () => {
    const vague =
      /(^|-)(utils?|helpers?|misc|common|base|types|shared|core|lib|manager|service|handler|impl)$/;
    const wrong = sources
      .map(({ path }) => path)
      .filter((path) => {
        const parts = path
          .replace(/\.tsx?$/, '')
          .split('/')
          .slice(1);
        const index = parts.at(-1) === 'index' && !/^src\/(client\/)?index\.ts$/.test(path);
        return index || parts.some((part) => !/^[a-z0-9-]+$/.test(part) || vague.test(part));
      });
    expect(wrong, 'a vague name fills up with anything; index files hide where things are').toEqual(
      [],
    );
  });
});

describe('a source file', () => {
  it('asks only its ports for time and chance', () => {
    const banned =
      /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval)\(|\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bperformance\.|\bhrtime\b|'node:timers[^']*'/g;
    const free = sources.filter(({ path }) => !machineDoors.test(path));
    const wrong = free.flatMap((file) => placesOf(file, 'bare', banned));
    expect(wrong, 'use Clock and Random; only drivers/system reads the machine').toEqual([]);
  });

  it('converts times in one place', () => {
    const free = sources.filter(
      ({ path }) => !machineDoors.test(path) && path !== 'src/foundation/iso-time.ts',
    );
    const wrong = free.flatMap((file) => placesOf(file, 'bare', /\bDate\b/g));
    expect(wrong, 'use foundation/iso-time.ts').toEqual([]);
  });

  it('leaves the process to the composition root and the drivers', () => {
    const rooms = inRooms(
      ...['foundation', 'ports', 'runtime', 'operations', 'client', 'gateway', 'cli', 'tui'],
    );
    const wrong = rooms.flatMap((file) =>
      placesOf(file, 'bare', /(?<!\.)\bprocess\.(?!nextTick)\w+/g),
    );
    expect(wrong, 'take it as a value, from main.ts').toEqual([]);
  });

  it('exports by name, and uses only syntax that can be erased', () => {
    const banned =
      /^\s*export default\b|\benum \w+ \{|^\s*(?:export )?namespace \w|\bexport \* from/gm;
    expect(sources.flatMap((file) => placesOf(file, 'bare', banned))).toEqual([]);
  });

  it('knows two kinds of failure: BackplaneError and InvariantViolated', () => {
    const wrong = sources.flatMap((file) =>
      placesOf(file, 'bare', /\bthrow new (?:Type|Range|Syntax)?Error\(/g),
    );
    expect(wrong, 'the world fails with a BackplaneError, we fail with invariant()').toEqual([]);
  });

  it('prints only through its terminal or logger', () => {
    expect(sources.flatMap((file) => placesOf(file, 'bare', /\bconsole\./g))).toEqual([]);
  });

  it('leaves nothing to do', () => {
    const all = [...sources, ...sourceFiles('test', '.ts')];
    const wrong = all.flatMap((file) =>
      placesOf(file, 'text', new RegExp('TO' + 'DO|FIX' + 'ME', 'g')),
    );
    expect(wrong).toEqual([]);
  });

  it('has at most 400 lines', () => {
    const all = [...sources, ...sourceFiles('test', '.ts')];
    const long = all
      .map(({ path, text }) => `${path} has ${text.split('\n').length - 1} lines`)
      .filter((line) => Number(/(\d+) lines$/.exec(line)?.[1]) > 400);
    expect(long).toEqual([]);
  });

  it('has functions that fit a screen', () => {
    const long = sources.flatMap((file) =>
      functionsOf(file)
        .filter(({ lines, name }) => lines > linesMaxOf(file, name))
        .map(({ place, name, lines }) => `${place} ${name} has ${lines} lines`),
    );
    expect(long, 'ifs go up, loops go down, leaves are pure').toEqual([]);
  });
});

describe('a port', () => {
  const ports = sources.filter(
    ({ path, text }) => path.startsWith('src/ports/') && /Laws?, /.test(text),
  );

  it('has a conformance suite that knows each of its laws, and is bound to a driver', () => {
    const tests = sourceFiles('test', '.test.ts');
    const wrong = ports.flatMap((port) => {
      const suite = /`(test\/conformance\/[\w-]+\.ts)`/.exec(port.text)?.[1];
      if (suite === undefined) return [`${port.path} names no conformance suite`];
      if (!existsSync(join(projectRoot, suite))) return [`${suite} of ${port.path} does not exist`];
      const bound = tests.some(({ code }) => code.includes(`conformance/${posix.basename(suite)}`));
      const text = suiteText(suite);
      const missing = lawNumbers(port).filter((law) => !new RegExp(`['"\`]${law}\\. `).test(text));
      return [
        ...(bound ? [] : [`no driver is bound to ${suite}`]),
        ...missing.map((law) => `${suite} has no test of law ${law} of ${port.path}`),
      ];
    });
    expect(wrong).toEqual([]);
  });
});

describe('a driver', () => {
  it('has a test named after it', () => {
    const drivers = readdirSync(join(projectRoot, 'src/drivers')).filter((name) =>
      sources.some(({ path }) => path.startsWith(`src/drivers/${name}/`)),
    );
    const tests = readdirSync(join(projectRoot, 'test/drivers'));
    const wrong = drivers.filter((name) => !tests.some((test) => test.startsWith(name)));
    expect(wrong, 'bind its laws in test/drivers/NAME.test.ts').toEqual([]);
  });

  it('says in each script what it does, takes and answers, and uses it', () => {
    const callers = sources.map(({ text }) => text).join('\n');
    const wrong = sourceFiles('src', '.lua').flatMap(({ path, text }) => {
      const header = text.split(/\n(?!--)/)[0] ?? '';
      const name = posix.basename(path, '.lua');
      return [
        ...(/^-- [A-Z][^.]*\.(?=[\s\S]*KEYS)/.test(header)
          ? []
          : [`${path} does not open with its purpose`]),
        ...(['KEYS', 'Returns'].every((word) => header.includes(word))
          ? []
          : [`${path} does not describe KEYS and what it returns`]),
        ...(!text.includes('ARGV[') || header.includes('ARGV') ? [] : [`${path}: ARGV?`]),
        ...(callers.includes(`'${name}'`) ? [] : [`${path} is not used`]),
      ];
    });
    expect(wrong).toEqual([]);
  });
});

describe('the project', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: projectRoot, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(projectRoot, path)));

  it('names no folder of the machine it was written on', () => {
    const here = /(?<![\w./])\/(?:work|root|home\/\w+\/work)\//g;
    const wrong = tracked.flatMap((path) => {
      const text = readFileSync(join(projectRoot, path), 'utf8');
      return placesOf({ path, text, code: text, bare: text }, 'text', here);
    });
    expect(wrong).toEqual([]);
  });

  it('locks dependencies without naming a registry', () => {
    const lock = readFileSync(join(projectRoot, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('"resolved"');
  });
});

describe('this test', () => {
  it('sees through comments, strings and regular expressions', () => {
    const { code, bare } = strip("f('//b', /['\"]/); /* c */ g(1 / 2); // d\n");
    expect(code).toBe("f('//b', /['\"]/);         g(1 / 2);     \n");
    expect(bare).toBe("f('   ', /    /);         g(1 / 2);     \n");
  });

  it('sees the code inside templates, and only that', () => {
    const { bare } = strip(['`a$', "{y({ z: 'b' })}c$", '{d}`, e'].join(''));
    expect(bare).toBe("`  {y({ z: ' ' })}  {d}`, e");
  });

  it('measures functions, methods and arrows', () => {
    const text = [
      'function a(',
      '  b: string,',
      '): void {',
      '  c();',
      '}',
      'const d = () => {',
      '};',
    ];
    const sample = { path: 'x.ts', text: '', code: '', bare: text.join('\n') };
    expect(functionsOf(sample).map(({ name, lines }) => [name, lines])).toEqual([
      ['a', 5],
      ['d', 2],
    ]);
  });
});

interface Import {
  readonly path: string;
  readonly place: string;
  readonly typeOnly: boolean;
}

/** The files of ours that a file imports, at once or later. */
function importsOf(file: SourceFile): Import[] {
  const pattern =
    /\b(import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)|\bimport\s+'(\.[^']+)'/g;
  return [...file.code.matchAll(pattern)].map((match) => ({
    path: posix.join(posix.dirname(file.path), match[3] ?? match[4] ?? match[5] ?? ''),
    place: placeOf(file, match.index),
    typeOnly: match[2] !== undefined,
  }));
}

/** The same, and files that are named otherwise: `new URL('./worker.ts', import.meta.url)`. */
function mentionsOf(file: SourceFile): string[] {
  const names = [...file.code.matchAll(/'(\.{1,2}\/[\w./-]+)\.(ts|tsx|js)'/g)];
  return names.flatMap(([, name]) =>
    ['.ts', '.tsx'].map((ending) => posix.join(posix.dirname(file.path), name + ending)),
  );
}

function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  if (roots.includes(from)) return true;
  const room = roomOf(from);
  if (roomOf(to) === room) return true;
  const rules = importTable[room.split('/')[0] as string];
  const asType = typeOnly || portsWithHelp.includes(to);
  const allowed = [...(rules?.all ?? []), ...(asType ? (rules?.types ?? []) : [])];
  return allowed.some((each) => roomOf(to) === each);
}

/** `src/drivers/redis/redis-bus.ts` is in the room `drivers/redis`. */
function roomOf(path: string): string {
  const [, room = '', technology = ''] = path.split('/');
  return room === 'drivers' ? `${room}/${technology}` : room;
}

function inRooms(...rooms: string[]): SourceFile[] {
  return sources.filter(({ path }) => rooms.includes(roomOf(path)));
}

/** Functions and methods by indentation, which the formatter guarantees. */
function functionsOf(file: SourceFile): { name: string; place: string; lines: number }[] {
  const lines = file.bare.split('\n');
  const start =
    /^( *)(?:export |async |static |override |private |get |set )*(?:function\*? ?(\w+)|(?!if\b|for\b|while\b|switch\b|catch\b)([#*\w]+)\(|(?:const |readonly )?(\w+)(?: =|:).*=> \{$)/;
  return lines.flatMap((line, at) => {
    const match = start.exec(line);
    if (match === null) return [];
    const [, indent = '', ...names] = match;
    const end = lines.findIndex(
      (each, later) =>
        later > at &&
        /^ *[})]/.test(each) &&
        indentOf(each) === indent.length &&
        !/[{(]$/.test(each),
    );
    const isBlock = lines.slice(at, end).some((each) => /\{$/.test(each));
    if (end < 0 || !isBlock || /[;,]$/.test(line)) return [];
    const name = names.find((each) => each !== undefined) ?? '';
    return [{ name, place: `${file.path}:${at + 1}`, lines: end - at + 1 }];
  });
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** The declaration of a command is a table of options and texts around an action. */
function linesMaxOf(file: SourceFile, name: string): number {
  const declares = file.path.startsWith('src/cli/commands/') && name.endsWith('Command');
  return declares ? 120 : 60;
}

/** The numbers of the laws in the comment of a port. */
function lawNumbers(port: SourceFile): number[] {
  return [...port.text.matchAll(/^ \* {1,2}(\d+)\. /gm)].map(([, law]) => Number(law));
}

/** A suite with the files of its folder that it is made of. */
function suiteText(suite: string): string {
  const text = readFileSync(join(projectRoot, suite), 'utf8');
  const parts = [...text.matchAll(/from '\.\/([\w-]+\.ts)'/g)].map(([, name]) =>
    readFileSync(join(projectRoot, dirname(suite), name as string), 'utf8'),
  );
  return [text, ...parts].join('\n');
}
