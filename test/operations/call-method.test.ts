import { describe, expect, test } from 'vitest';
import { callFailure, callMethod, parseCallTarget } from '../../src/operations/act/call-method.ts';
import type { Leases } from '../../src/ports/leases.ts';
import type { ReplyReport, RequestReport } from '../../src/runtime/reports.ts';
import { scriptedVisitor } from './support/scripted-visitor.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

const sessions = readOnlySessions([
  sessionRecord('1', 'node-a'),
  sessionRecord('2', 'node-b', { state: 'dead', cause: 'expired' }),
]);
const payload = new Uint8Array(0);
const leases = {
  read: async () => ({ session: '1', epoch: 3, state: 'held' }),
} as unknown as Leases;

const reply = (nodeId: string, text: string | Uint8Array): ReplyReport => ({
  nodeId,
  ok: true,
  payload: typeof text === 'string' ? new TextEncoder().encode(text) : text,
  error: null,
  latencyMs: 1.23456,
  hops: 1,
});

const failed = (nodeId: string, code: 'HANDLER_FAILED' | 'METHOD_UNKNOWN'): ReplyReport => ({
  nodeId,
  ok: false,
  payload: null,
  error: { code, message: 'no', certainty: 'definite', facts: {} },
  latencyMs: 1,
  hops: 0,
});

function calling(answer: RequestReport, target = 'all') {
  const visitor = scriptedVisitor({ request: async () => answer });
  const call = { target: parseCallTarget(target), method: 'ping', payload };
  return callMethod({ sessions, leases, visitor }, call);
}

describe('calling a method', () => {
  test('shows a payload as JSON, else as text, else as base64', async () => {
    const replies = [
      reply('node-a', '{"pong":true}'),
      reply('node-b', 'pong'),
      reply('node-c', Uint8Array.of(0xff, 0xfe)),
      reply('node-d', `${'['.repeat(100)}${']'.repeat(100)}`),
    ];
    const report = await calling({ replies, silent: ['node-e'] });
    expect(report).toMatchObject({ target: 'all', method: 'ping', silent: ['node-e'] });
    expect(report.replies[0]).toEqual({
      nodeId: 'node-a',
      ok: true,
      payload: { pong: true },
      encoding: 'json',
      error: null,
      latencyMs: 1.23,
      hops: 1,
    });
    expect(
      report.replies.slice(1).map(({ payload: shown, encoding }) => [shown, encoding]),
    ).toEqual([
      ['pong', 'text'],
      ['//4=', 'base64'],
      [`${'['.repeat(100)}${']'.repeat(100)}`, 'text'],
    ]);
  });

  test.each([
    ['nobody failed and nobody is silent', { replies: [reply('a', '1')], silent: [] }, undefined],
    ['some are silent', { replies: [reply('a', '1')], silent: ['b'] }, 'PARTIAL'],
    ['all are silent', { replies: [], silent: ['a', 'b'] }, 'DEADLINE_EXCEEDED'],
    ['there was nobody', { replies: [], silent: [] }, 'NO_RESPONDER'],
    [
      'a handler failed',
      { replies: [failed('a', 'HANDLER_FAILED')], silent: [] },
      'HANDLER_FAILED',
    ],
    [
      'nobody handles it',
      { replies: [failed('a', 'METHOD_UNKNOWN')], silent: ['b'] },
      'METHOD_UNKNOWN',
    ],
  ] as const)('when %s the outcome says so', async (_when, answer, code) => {
    expect(callFailure(await calling(answer))?.code).toBe(code);
  });

  test('names the owner of a document where the call failed, though the router does not', async () => {
    const answer = { replies: [failed('', 'HANDLER_FAILED')], silent: [] };
    expect((await calling(answer, 'doc:d')).replies).toMatchObject([{ nodeId: 'node-a' }]);
  });

  test('tells an unknown node from a dead one without asking it', async () => {
    const visitor = scriptedVisitor({});
    const call = (nodeId: string) =>
      callMethod(
        { sessions, leases, visitor },
        { target: { kind: 'node', nodeId }, method: 'ping', payload },
      );
    await expect(call('node-z')).rejects.toMatchObject({ code: 'NODE_UNKNOWN' });
    await expect(call('node-b')).rejects.toMatchObject({ code: 'NODE_DEAD' });
  });
});

describe('a target', () => {
  test('may hold colons in the name of the document', () => {
    expect(parseCallTarget('doc:a:b')).toEqual({ kind: 'doc', doc: 'a:b' });
  });

  test.each(['', 'doc-1', 'doc:', 'node:', 'node:a b', 'doc:\n'])('"%s" is refused', (text) => {
    const refused = expect.objectContaining({
      code: expect.stringMatching(/^(USAGE|NAME_INVALID)$/),
    });
    expect(() => parseCallTarget(text)).toThrow(refused);
  });
});
