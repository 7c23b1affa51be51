import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { OutputFormat } from '../../src/cli/global-options.ts';
import type { Listing } from '../../src/cli/output/column.ts';
import { Printer } from '../../src/cli/output/printer.ts';
import { agoSince } from '../../src/cli/output/relative-time.ts';
import { safeJson } from '../../src/cli/output/safe-json.ts';
import { fieldLines } from '../../src/cli/output/styled-text.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { clipText, safeText } from '../../src/foundation/safe-text.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Capture, cliWorld } from './support/cli-world.ts';

/** What a terminal, an editor or a reader's eye would act on. */
const acting =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;
const nasty = '\u001b[31mred\u001b]8;;http://x\u0007 \u009b2J \u202edcba\u200b\u007f\r\n\ud800';
const anyString = fc.string({ unit: 'binary' });

interface Row {
  readonly name: string;
  readonly count: number | null;
  readonly note: string;
}

const columns = [
  { key: 'name', header: 'NAME' },
  { key: 'count', header: 'COUNT', align: 'right' },
  { key: 'note', header: 'NOTE', wide: true },
] as const;

const rows: Row[] = [
  { name: 'doc-1', count: 7, note: 'plain' },
  { name: '文档', count: 12_345, note: '=1+1' },
  { name: nasty, count: null, note: 'a "b", c' },
];

async function printed(
  format: OutputFormat,
  print: (printer: Printer) => Promise<unknown>,
  colour = false,
): Promise<{ out: string; err: string }> {
  const out = new Capture();
  const err = new Capture();
  const { terminal } = cliWorld({ out, err });
  const clock = new VirtualClock();
  const { signal } = new AbortController();
  await print(new Printer({ terminal, format, colour, errColour: colour, clock, signal }));
  return { out: out.text, err: err.text };
}

const listed = (format: OutputFormat, some: Row[] = rows) =>
  printed(format, (printer) => printer.listing<Row>({ noun: 'things', columns, rows: some }));

describe('text for people', () => {
  it('shows what a terminal would act on, and acts on nothing', () => {
    expect(safeText(nasty)).toBe(
      '\\e[31mred\\e]8;;http://x\\x07 \\x9b2J \\u{202e}dcba\\u{200b}\\x7f\\r\\n\\u{d800}',
    );
    fc.assert(fc.property(anyString, (text) => !acting.test(safeText(text))));
  });

  it('leaves ordinary text of every language as it is', () => {
    const text = 'Grüße, 文档, עברית, 🗎, naïve';
    expect(safeText(text)).toBe(text);
  });

  it('cuts without tearing a character apart', () => {
    expect(clipText('abcdef', 4)).toBe('abc…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 9 }), (text, max) => {
        const clipped = clipText(text, max);
        return clipped.length <= max && clipped.isWellFormed();
      }),
    );
  });
});

describe('JSON', () => {
  it('is harmless on a terminal, and says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = safeJson(value);
        expect(text).not.toMatch(acting);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('a listing', () => {
  it('is an aligned table, wide when wanted', async () => {
    const { out } = await listed('table');
    await expect(out).toMatchFileSnapshot('golden/listing.txt');
    expect((await listed('wide')).out.split('\n')[0]).toMatch(/^NAME +COUNT +NOTE$/);
    expect(out).not.toContain('NOTE');
  });

  it('lines up columns of wide characters', async () => {
    const { out } = await listed('table', rows.slice(0, 2));
    expect(out.split('\n').slice(1, 3)).toEqual(['doc-1       7', '文档    12345']);
  });

  it('is one JSON document that begins with its version', async () => {
    const { out } = await listed('json');
    expect(out).toMatch(/^\{"schemaVersion":1,"things":\[/);
    expect(JSON.parse(out)).toEqual({ schemaVersion: 1, things: JSON.parse(JSON.stringify(rows)) });
    expect(out).not.toMatch(/\u001b|\u202e|\u007f/);
    expect(JSON.parse((await listed('json', [])).out)).toEqual({ schemaVersion: 1, things: [] });
  });

  it('is a JSON line for each row', async () => {
    const lines = (await listed('jsonl')).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(rows.map(({ name }) => name));
  });

  it('is CSV that no spreadsheet runs', async () => {
    const { out } = await listed('csv', rows.slice(0, 2));
    expect(out).toBe("name,count,note\r\ndoc-1,7,plain\r\n文档,12345,'=1+1\r\n");
    expect((await listed('csv')).out).toContain('"a ""b"", c"');
    for (const note of ['+1', '-1', '@x', ' =1', '|x']) {
      const { out: one } = await listed('csv', [{ name: 'x', count: 1, note }]);
      expect(one).toContain(`'${note}`);
    }
  });

  it('is CSV whose text a terminal does not act on', async () => {
    const { out } = await listed('csv');
    expect(out.replaceAll('\r\n', '')).not.toMatch(acting);
  });

  it('is YAML that says the same', async () => {
    const { out } = await listed('yaml');
    expect(parseYaml(out)).toEqual({ schemaVersion: 1, things: JSON.parse(JSON.stringify(rows)) });
    expect(out.replaceAll('\n', '')).not.toMatch(acting);
    expect(parseYaml((await listed('yaml', [])).out)).toEqual({ schemaVersion: 1, things: [] });
  });

  it('without rows says so on standard error only', async () => {
    expect(await listed('table', [])).toEqual({ out: '', err: 'no things\n' });
  });

  it('takes no row before the last was read', async () => {
    let taken = 0;
    const many = async function* () {
      for (; taken < 100_000; taken += 1) yield { name: 'x'.repeat(100), count: taken, note: '' };
    };
    const { stream, read } = slowReader();
    const terminal = createTerminal({ out: stream, err: new Capture(), input: process.stdin });
    const clock = new VirtualClock();
    const stop = new AbortController();
    const printer = new Printer({
      terminal,
      format: 'jsonl',
      colour: false,
      errColour: false,
      clock,
      signal: stop.signal,
    });
    const listing: Listing<Row> = { noun: 'things', columns, rows: many() };
    const done = printer.listing(listing);
    await expect.poll(() => taken).toBeGreaterThan(200);
    const before = taken;
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(before);
    expect(taken).toBeLessThan(2_000);
    read();
    await expect.poll(() => taken).toBeGreaterThan(before);
    stop.abort();
    stream.destroy();
    await done;
  });
});

describe('a report', () => {
  const report = { doc: nasty, seq: 1 };
  const asLines = () =>
    fieldLines([
      ['doc', nasty],
      ['seq', 1],
      ['owner', null],
    ]);

  it('has its version first, as JSON and YAML', async () => {
    const json = await printed('json', (printer) => printer.report(report, asLines));
    expect(json.out).toMatch(/^\{\n {2}"schemaVersion": 1,/);
    const jsonl = await printed('jsonl', (printer) => printer.report(report, asLines));
    expect(jsonl.out.split('\n').length).toBe(2);
    const yaml = await printed('yaml', (printer) => printer.report(report, asLines));
    expect(parseYaml(yaml.out)).toMatchObject({ schemaVersion: 1, seq: 1 });
  });

  it('has one harmless line for each field that is there', async () => {
    const { out } = await printed('table', (printer) => printer.report(report, asLines));
    expect(out.split('\n').length).toBe(3);
    expect(out.replaceAll('\n', '')).not.toMatch(acting);
  });

  it('is coloured only around text that was made harmless', async () => {
    const line = () => [[{ text: 'a\u001b[2Jb', style: 'bad' as const }]];
    const { out } = await printed('table', (printer) => printer.report({}, line), true);
    expect(out).toBe('\u001b[31ma\\e[2Jb\u001b[39m\n');
  });
});

describe('a stream', () => {
  const shape = {
    noun: 'events',
    asLines: ({ name }: Row) => [name],
    keys: ['name', 'count'] as const,
  };
  const streamed = (format: OutputFormat, some: Row[]) =>
    printed(format, async (printer) => {
      const stream = printer.stream<Row>(shape);
      for (const row of some) await stream.write(row);
      await stream.end();
    });

  it('is a line each, a JSON line each, or one document', async () => {
    expect((await streamed('table', rows)).out.split('\n')[0]).toBe('doc-1');
    expect((await streamed('jsonl', rows)).out.trimEnd().split('\n').length).toBe(3);
    expect(JSON.parse((await streamed('json', rows)).out).events.length).toBe(3);
    expect(JSON.parse((await streamed('json', [])).out)).toEqual({ schemaVersion: 1, events: [] });
    expect((await streamed('csv', rows.slice(0, 1))).out).toBe('name,count\r\ndoc-1,7\r\n');
    expect((await streamed('csv', [])).out).toBe('name,count\r\n');
  });
});

describe('relative times', () => {
  it('are of the same clock, and never of the future', () => {
    const now = 1_767_225_600_000;
    expect(agoSince('2026-01-01T00:00:00.000Z', now + 90_000)).toBe('1.5m ago');
    expect(agoSince('2026-01-01T00:00:00.000Z', now - 90_000)).toBe('now');
    expect(agoSince('never', now)).toBe('never');
  });
});

/** A stream whose reader takes nothing until `read` is called. */
function slowReader(): { stream: Writable; read: () => void } {
  let pending: (() => void) | null = null;
  const stream = new Writable({
    highWaterMark: 16_384,
    write(_chunk, _encoding, done) {
      pending = done;
    },
  });
  return { stream, read: () => pending?.() };
}
