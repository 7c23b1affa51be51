import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dropping,
  FrameCutter,
  passing,
} from '../../../src/verification/drills/proxy/frame-cutter.ts';
import { matchesGlob } from '../../../src/verification/drills/proxy/matches-glob.ts';
import { ReplyPlaces } from '../../../src/verification/drills/proxy/reply-places.ts';
import { RespScanner, wordBytesMax } from '../../../src/verification/drills/proxy/resp-scanner.ts';

interface Frame {
  readonly bytes: Buffer;
  readonly words: readonly string[];
}

const bulk = (bytes: Buffer) => Buffer.concat([line(`$${bytes.length}`), bytes, line('')]);
const line = (text: string) => Buffer.from(`${text}\r\n`);
const join = (...parts: Buffer[]) => Buffer.concat(parts);

const text = fc.string({ maxLength: 12 }).map((each) => Buffer.from(each));
const binary = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));

const command: fc.Arbitrary<Frame> = fc
  .array(text, { minLength: 1, maxLength: 6 })
  .map((words) => ({
    bytes: join(line(`*${words.length}`), ...words.map(bulk)),
    words: words.slice(0, 3).map(String),
  }));

const scalar = fc.oneof(
  binary.map(bulk),
  fc
    .constantFrom('$-1', '+OK', '-ERR no', ':42', ',1.5', '#t', '_', '(123', '*-1', '*0', '%0')
    .map(line),
  text.map((each) => join(line(`=${each.length + 4}`), Buffer.from('txt:'), each, line(''))),
);
const { value } = fc.letrec<{ value: Buffer }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }).map((all) => join(line(`*${all.length}`), ...all)),
    fc.array(tie('value'), { maxLength: 4 }).map((all) => join(line(`~${all.length}`), ...all)),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
      .map((pairs) => join(line(`%${pairs.length}`), ...pairs.flat())),
    fc
      .tuple(scalar, scalar, tie('value'))
      .map(([name, about, value]) => join(line('|1'), name, about, value)),
  ),
}));
const pushed: fc.Arbitrary<Frame> = fc.array(text, { minLength: 1, maxLength: 4 }).map((words) => ({
  bytes: join(line(`>${words.length}`), ...words.map(bulk)),
  words: words.slice(0, 3).map(String),
}));

/** A stream cut anywhere, also within a number or between CR and LF. */
const cuts = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });

function chunksOf(stream: Buffer, at: readonly number[]): Buffer[] {
  const edges = [...new Set([0, ...at, stream.length])]
    .filter((each) => each <= stream.length)
    .sort((a, b) => a - b);
  return edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
}

const three = () => 3;

/** Where frames end in the stream, and the first words of each. */
function scan(side: 'commands' | 'replies', chunks: readonly Buffer[]) {
  const scanner = new RespScanner({ side, wordsWanted: three });
  const ends: number[] = [];
  const heads: string[][] = [];
  let before = 0;
  for (const chunk of chunks) {
    let mark = scanner.next(chunk, 0);
    for (; mark !== 'more' && mark !== 'lost'; mark = scanner.next(chunk, scanner.at)) {
      if (mark === 'head') heads.push([...scanner.words]);
      else ends.push(before + scanner.at);
    }
    if (mark === 'lost') return { ends, heads, isLost: true };
    before += chunk.length;
  }
  return { ends, heads, isLost: false };
}

function endsOf(frames: readonly Buffer[]): number[] {
  let end = 0;
  return frames.map((frame) => (end += frame.length));
}

describe('the scanner', () => {
  it('finds every command and its first words, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), cuts, (commands, at) => {
        const frames = commands.map(({ bytes }) => bytes);
        const found = scan('commands', chunksOf(join(...frames), at));
        expect(found.ends).toEqual(endsOf(frames));
        expect(found.heads).toEqual(commands.map(({ words }) => words));
      }),
    );
  });

  it('finds every reply and push of RESP2 and RESP3, however the stream is cut', () => {
    const reply = fc.oneof(
      value,
      pushed.map(({ bytes }) => bytes),
    );
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 8 }), cuts, (frames, at) => {
        const stream = join(...frames);
        const found = scan('replies', chunksOf(stream, at));
        expect(found.ends).toEqual(endsOf(frames));
        expect(found).toEqual(scan('replies', [stream]));
      }),
    );
  });

  it('reads the words of a push', () => {
    fc.assert(
      fc.property(pushed, cuts, ({ bytes, words }, at) => {
        expect(scan('replies', chunksOf(bytes, at)).heads).toEqual([words]);
      }),
    );
  });

  it('survives any bytes, and comes to the same end however they are cut', () => {
    const odd = fc.oneof(
      binary,
      fc
        .constantFrom('*', '$', '>', '\r\n', '-1', '99999999999999', '*1', '$3', 'a')
        .map((each) => Buffer.from(each)),
    );
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 20 }), cuts, (parts, at) => {
        const stream = join(...parts);
        for (const side of ['commands', 'replies'] as const) {
          expect(scan(side, chunksOf(stream, at))).toEqual(scan(side, [stream]));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['too deep', line('*1').toString().repeat(100)],
    ['a size that is no number', '*x\r\n'],
    ['a size beyond reason', '*99999999999\r\n'],
    ['a string that does not end where it says', '*1\r\n$1\r\nabc\r\n'],
    ['streamed strings, which no server sends', '$?\r\n'],
  ])('gives up a stream with %s', (_, stream) => {
    expect(scan('replies', [Buffer.from(stream)]).isLost).toBe(true);
  });

  it('takes a handshake of TLS for what it is', () => {
    expect(scan('commands', [Buffer.from([0x16, 3, 1, 2, 0])]).isLost).toBe(true);
  });

  it('reads inline commands, and keeps no more of a long word than it must', () => {
    expect(scan('commands', [Buffer.from('GET  key\r\n\r\nPING\n')]).heads).toEqual([
      ['GET', 'key'],
      [],
      ['PING'],
    ]);
    const long = join(line('*3'), bulk(Buffer.from('SET')), bulk(Buffer.alloc(wordBytesMax + 1)));
    expect(scan('commands', [long]).heads).toEqual([['SET']]);
  });
});

describe('the cutter', () => {
  const wholeStream = (scanner: RespScanner, judge: () => typeof passing, chunks: Buffer[]) => {
    const sent: Buffer[] = [];
    const judging = { judge, ended: () => null, lost: () => {} };
    const cutter = new FrameCutter(scanner, judging);
    for (const chunk of chunks) {
      cutter.cut(chunk, true, (bytes, { isDropped }) => isDropped || sent.push(bytes));
    }
    return join(...sent);
  };

  it('removes exactly the frames it was told to, wherever the chunks end', () => {
    const fates = fc.array(fc.tuple(command, fc.boolean()), { maxLength: 8 });
    fc.assert(
      fc.property(fates, cuts, (frames, at) => {
        const scanner = new RespScanner({ side: 'commands', wordsWanted: three });
        let index = 0;
        const judge = () => (frames[index++]?.[1] ? dropping : passing);
        const stream = join(...frames.map(([{ bytes }]) => bytes));
        const kept = frames.filter(([, isDropped]) => !isDropped).map(([{ bytes }]) => bytes);
        expect(wholeStream(scanner, judge, chunksOf(stream, at))).toEqual(join(...kept));
      }),
    );
  });

  it('passes on every byte of a stream that it cannot read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), cuts, (bytes, at) => {
        // What follows makes sure that no inline command is still open.
        const stream = join(Buffer.from(bytes), line(''), line('*x'), line('the rest'));
        const scanner = new RespScanner({ side: 'replies', wordsWanted: three });
        const whole = wholeStream(scanner, () => passing, chunksOf(stream, at));
        const rest = stream.subarray(whole.length);
        expect(whole).toEqual(stream.subarray(0, whole.length));
        expect(scanner.isLost ? rest.length : 0).toBe(0);
      }),
    );
  });

  it('lets a frame pass of which a part has left before there was a fault', () => {
    const frame = join(line('*2'), bulk(Buffer.from('GET')), bulk(Buffer.from('key')));
    const sent: Buffer[] = [];
    const cutter = new FrameCutter(new RespScanner({ side: 'commands', wordsWanted: three }), {
      judge: (_, isFree) => (isFree ? dropping : passing),
      ended: () => null,
      lost: () => {},
    });
    const emit = (bytes: Buffer, { isDropped }: { isDropped: boolean }) => {
      if (!isDropped) sent.push(bytes);
    };
    cutter.cut(frame.subarray(0, 7), false, emit);
    cutter.cut(join(frame.subarray(7), frame), true, emit);
    expect(join(...sent)).toEqual(frame);
  });
});

describe('the places of replies', () => {
  const forged = Buffer.from('-ERR ours\r\n');

  it('gives a forged reply its turn behind those of earlier commands, and before later ones', () => {
    const places = new ReplyPlaces();
    places.expectPlain();
    places.expectPlain();
    places.forge(forged);
    places.expectPlain();
    expect(places.takeForged()).toBeNull();
    places.replied(false);
    expect(places.takeForged()).toBeNull();
    places.replied(false);
    expect(places.takeForged()).toEqual(forged);
    expect(places.takeForged()).toBeNull();
  });

  it('counts the confirmations of a subscription, or its one error', () => {
    const places = new ReplyPlaces();
    places.expectSubscription(2);
    places.expectSubscription(1);
    places.forge(forged);
    places.confirmed();
    expect(places.takeForged()).toBeNull();
    places.confirmed();
    places.replied(true);
    expect(places.takeForged()).toEqual(forged);
  });

  it('waits for at least one confirmation of leaving everything', () => {
    const places = new ReplyPlaces();
    places.expectSubscription(0);
    places.forge(forged);
    expect(places.takeForged()).toBeNull();
    places.confirmed();
    expect(places.takeForged()).toEqual(forged);
  });

  it('remembers what was said of a reply that is to be late', () => {
    const places = new ReplyPlaces<string>();
    places.expectPlain();
    places.expectLate('late');
    expect([places.replied(false), places.replied(false), places.replied(false)]).toEqual([
      ...[null, 'late', null],
    ]);
  });

  it('keeps no more than it must, and says when it lost the count', () => {
    const places = new ReplyPlaces<string>();
    for (let count = 0; count < 200_000; count++) places.expectPlain();
    expect(places.isKnown).toBe(true);
    for (let count = 0; count < 70_000; count++) places.expectLate('late');
    expect(places.isKnown).toBe(false);
  });
});

describe('a glob', () => {
  it('is one of stars and question marks, in linear time', () => {
    expect(matchesGlob('*:doc:*', 'backplane:doc:a')).toBe(true);
    expect(matchesGlob('backplane:inbox:?', 'backplane:inbox:ab')).toBe(false);
    expect(matchesGlob('*a*b*c', 'xxaxxbxxbxc')).toBe(true);
    expect(matchesGlob('', '')).toBe(true);
    expect(matchesGlob('*', '')).toBe(true);
    expect(matchesGlob('*a'.repeat(30), 'a'.repeat(5_000))).toBe(true);
    expect(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(5_000))).toBe(false);
  });
});
