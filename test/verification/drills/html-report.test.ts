import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DrillReport } from '../../../src/verification/drills/drill-report.ts';
import { htmlReport } from '../../../src/verification/drills/reports/html-report.ts';
import { verdictSentences } from '../../../src/verification/drills/reports/verdict-words.ts';
import type { Happening } from '../../support/history-text.ts';
import { DrillStory, reportOf } from './support/drill-story.ts';
import { hostile } from './support/hostile-text.ts';
import { readXml, type XmlElement } from './support/read-xml.ts';

const tale = {
  proves: 'Another node takes over.\nNothing is lost.\n',
  elsewhere: 'It went wrong there:\n  https://example.com/issues/1\n  javascript:alert(4)\n',
};

async function pageOf(
  happenings: readonly Happening[],
  more: Partial<DrillReport> = {},
  about = tale,
): Promise<string> {
  const { report, series } = await reportOf(happenings, more);
  return htmlReport(report, about, series);
}

const storyPage = (plan = {}, more: Partial<DrillReport> = {}) =>
  pageOf(new DrillStory(plan).happenings(), more);

function pictureIn(page: string): XmlElement {
  const source = /<svg[\s\S]*<\/svg>/.exec(page)?.[0];
  expect(source).toBeDefined();
  return readXml(source as string);
}

const below = (element: XmlElement): XmlElement[] =>
  element.children.flatMap((each) => [each, ...below(each)]);
const classed = (root: XmlElement, name: string) =>
  below(root).filter((each) => each.attributes.class?.split(' ').includes(name));
const textsOf = (root: XmlElement) => below(root).map(({ text }) => text);

describe('the page of a drill', () => {
  test('loads nothing and runs nothing, by a policy that names its style', async () => {
    const page = await storyPage({ losesOne: true });
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] as string;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri`);
    expect(page).not.toMatch(
      /<script|<link|<img|<iframe|<object|@import|\bsrc=|\bstyle=|\son\w+=/i,
    );
    const addresses = [...page.matchAll(/(?:href|url)[=(]"?([^")\s>]*)/g)].map(([, to]) => to);
    expect(new Set(addresses)).toEqual(new Set(['#hatch', 'https://example.com/issues/1']));
  });

  test('says the verdict first, in words', async () => {
    const page = await storyPage({ losesOne: true });
    const text = page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<[^>]*>/g, '');
    expect(text.indexOf('The cluster broke a promise')).toBeLessThan(400);
    expect(page).toMatch(/<strong>acked-is-kept<\/strong>: p\d:\d+ was acknowledged as seq/);
    expect(page).toContain('<p>Another node takes over. Nothing is lost.</p>');
    expect(page).toContain('backplane drill run owner-crash --seed 4711');
  });

  test('shows the events that prove a violation, with their lines and times', async () => {
    const page = await storyPage({ losesOne: true });
    expect(page).toMatch(
      /<td class="number">\d+<\/td><td class="number">[\d.]+ s<\/td><td><code>op\.ok<\/code>/,
    );
    expect(await storyPage()).not.toContain('What proves it');
  });

  test('shows a pass, a law without data, and a budget that was not measured as what they are', async () => {
    const budgets = [{ name: 'p99', limitMs: 5, actualMs: null, kept: false }];
    const page = await storyPage({}, { budgets });
    expect(page).toContain('The cluster kept its promises');
    expect(page).toContain('– unknown');
    expect(page).toContain('– not measured');
    expect(page).not.toContain('✕');
  });

  test('holds nothing but text of what a peer wrote', async () => {
    const happenings = new DrillStory({ losesOne: true }).happenings().map((each) => ({
      ...each,
      ...(typeof each.doc === 'string' ? { doc: `${each.doc}${hostile}-2` } : {}),
      ...(typeof each.nodeId === 'string' ? { nodeId: `${each.nodeId}${hostile}` } : {}),
      ...(typeof each.opId === 'string' ? { opId: `${each.opId}${hostile}` } : {}),
      ...(each.ev === 'fault.start' ? { fault: `kill on ${hostile}` } : {}),
    }));
    const more = { scenario: hostile, summary: hostile, reason: hostile, replay: hostile };
    const page = await pageOf(happenings, more, { proves: hostile, elsewhere: ` ${hostile}` });
    const plain = await storyPage({ losesOne: true });
    const tags = (text: string) =>
      new Set([...text.matchAll(/<\/?([^\s>]+)/g)].map(([, name]) => name));
    expect([...tags(page)].filter((name) => !tags(plain).has(name))).toEqual([]);
    const names = [...page.matchAll(/<[a-z][^>]*>/gi)].flatMap(([tag]) =>
      [...tag.replace(/"[^"]*"/g, '""').matchAll(/\s([^\s=>]+)=/g)].map(([, name]) => name),
    );
    expect(names.filter((name) => name?.startsWith('on'))).toEqual([]);
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2066\u200b]/);
    expect(classed(pictureIn(page), 'violation').length).toBeGreaterThan(0);
  });
});

describe('the picture', () => {
  test('has a title, a description in words, and a band or a line for each fault', async () => {
    const picture = pictureIn(await storyPage());
    expect(picture.attributes).toMatchObject({ role: 'img' });
    const [title, description] = picture.children;
    expect([title?.name, description?.name]).toEqual(['title', 'desc']);
    expect(description?.text).toContain('kill on n2 at 6s, after which the longest outage was ');
    const labels = classed(picture, 'fault-text').map(({ text }) => text);
    expect(labels).toEqual(['1  kill on n2', '2  partition on n1']);
    const widths = classed(picture, 'fault-band').map(({ attributes }) => Number(attributes.width));
    expect(widths[0]).toBe(0);
    expect(widths[1]).toBeGreaterThan(50);
  });

  test('has a lane for each document and each node, and shows when nobody owned one', async () => {
    const picture = pictureIn(await storyPage());
    const lanes = classed(picture, 'lane-name').map(({ text }) => text);
    expect(lanes).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `drill-k3f9-${n}`).concat('n1', 'n2', 'n3'),
    );
    const texts = textsOf(picture);
    expect(texts.filter((text) => text.startsWith('nobody owned it for '))).toHaveLength(2);
    expect(texts).toContain('n2 in epoch 1, from +902ms to +6s');
  });

  test('shows the sum of many documents, and stays small', async () => {
    const page = await storyPage({ documents: 400 });
    const picture = pictureIn(page);
    expect(textsOf(picture)).toContain('Documents owned by each node');
    expect(classed(picture, 'lane-name').length).toBe(8 + 3);
    expect(page.length).toBeLessThan(250_000);
  });

  test('marks a violation where it was seen, not where the log was read', async () => {
    const picture = pictureIn(await storyPage({ losesOne: true }));
    expect(classed(picture, 'violation').length).toBe(2);
    const told = textsOf(picture).filter((text) => text.startsWith('acked-is-kept is violated'));
    expect(told[0]).toMatch(/\(\+(1\d(\.\d)?|20)s\)$/);
  });

  test('can be drawn of a run in which next to nothing happened', async () => {
    const nothing: Happening[] = [{ ev: 'note', text: '' }];
    const fault = { ev: 'fault.start', id: 'f', fault: 'kill on n', recoveryFrom: 'start' };
    const failed = { ev: 'op.fail', doc: 'd', opId: 'p:1', code: 'X', certainty: 'definite' };
    const one: Happening[] = [{ ev: 'op.invoke', doc: 'd', opId: 'p:1' }, failed];
    for (const happenings of [nothing, [fault, ...nothing], one]) {
      const picture = pictureIn(await pageOf(happenings));
      const values = below(picture).flatMap(({ attributes }) => Object.values(attributes));
      expect(values.join(' ')).not.toMatch(/NaN|Infinity|undefined|null/);
    }
  });
});

describe('the verdict in words', () => {
  test('is short, and understood without us', async () => {
    const words = async (plan: object, more: Partial<DrillReport> = {}) =>
      verdictSentences((await reportOf(new DrillStory(plan).happenings(), more)).report);
    // How many laws there are is not what is tested here.
    const passed = (await words({})).map((each) => each.replace(/\b\d+(?= (laws|others))/, 'N'));
    expect(passed).toEqual([
      'A cluster of 3 nodes was put under load by 8 clients writing to 6 documents, and 2 faults were injected (kill on n2, partition on n1).',
      '2,873 writes were acknowledged, 2 refused. After a fault no document was out for longer than 1.2s.',
      'N laws were checked against the recorded history, and held.',
      'For N others this run had no data.',
      'Both budgets were kept.',
    ]);
    const open = { outcome: 'inconclusive', reason: 'no fault was injected', faults: [] } as const;
    expect((await words({}, open)).at(-1)).toBe(
      'It is neither a pass nor a failure, because no fault was injected.',
    );
    expect((await words({ losesOne: true })).at(-1)).toBe('1 law is violated.');
  });
});
