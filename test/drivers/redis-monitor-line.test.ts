import { describe, expect, it } from 'vitest';
import { HeadLines } from '../../src/drivers/redis/head-lines.ts';
import { readMonitorLine } from '../../src/drivers/redis/monitor-line.ts';

const line = (by: string, ...args: string[]) => `+1795268785.775572 [1 ${by}] ${args.join(' ')}`;

describe('a line of MONITOR', () => {
  it('tells the database, the command, and whether a script ran it', () => {
    for (const by of ['127.0.0.1:39572', '[::1]:50000', 'unix:/run/redis.sock', '', 'lua']) {
      const command = readMonitorLine(line(by, '"HSET"', '"k"', '"a"'));
      expect(command).toMatchObject({ db: 1, verb: 'hset', inScript: by === 'lua' });
      expect(command?.arguments(9)).toEqual(['k', 'a']);
    }
  });

  it('gives arguments back byte for byte', () => {
    const escaped = String.raw`"x\" \"y\xe6\x96\x87\n\r\t\a\b\\"`;
    const args = readMonitorLine(line('lua', '"SET"', escaped, '"\\\\"', '""'))?.arguments(9);
    expect(args).toEqual(['x" "y文\n\r\t\x07\b\\', '\\', '']);
  });

  it('leaves out what was cut off, and what nobody asked for', () => {
    const command = readMonitorLine(line('lua', '"SET"', '"one"', '"two"', '"thr\\"'));
    expect(command?.arguments(9)).toEqual(['one', 'two']);
    expect(command?.arguments(1)).toEqual(['one']);
  });

  it('is nothing when it is an answer', () => {
    for (const text of ['+OK', '$6', 'mark-1', '-ERR no', '']) {
      expect(readMonitorLine(text)).toBeNull();
    }
  });
});

describe('the heads of lines', () => {
  it('are the same wherever the stream is cut', () => {
    const text = 'short\r\n\r\nexactly ten\nmuch longer than that\r\nrest';
    for (let size = 1; size <= text.length; size++) {
      const told: string[] = [];
      const lines = new HeadLines(10, (one) => told.push(one));
      for (let at = 0; at < text.length; at += size) {
        lines.push(Buffer.from(text.slice(at, at + size)));
      }
      expect(told).toEqual(['short', '', 'exactly te', 'much longe']);
    }
  });
});
