import type { Engine } from '../../src/ports/engine.ts';
import type { SessionDescription, SessionVitals } from '../../src/ports/sessions.ts';
import type { Fixture } from './law-suite.ts';

/** One cluster's engine, as the first of its nodes opened it; empty at the start. */
export interface EngineFixture extends Fixture {
  readonly engine: Engine;
  /** What a second node of the same cluster would hold. */
  openAnother(): Promise<Engine>;
  /** The engine loses all its data and comes back empty, as a broker restarted without a disk. */
  wipe?(): Promise<void>;
  /** Cuts every connection once; the engine itself stays, with its data. */
  interrupt?(): Promise<void>;
  /** From now on nobody answers. */
  stopAnswering?(): Promise<void>;
}

export type OpenEngineFixture = () => Promise<EngineFixture>;

export const someDescription: SessionDescription = {
  nodeId: 'node-a',
  address: 'http://127.0.0.1:7420',
  pid: 4_711,
  version: '0.1.0',
  protocol: 1,
  configHash: 'c0ffee',
  startedAt: '2026-01-31T09:05:00.250Z',
};

export const someVitals: SessionVitals = {
  documents: 3,
  connections: 2,
  draining: true,
  deaf: false,
};

let drawn = 0;

/** An id nobody used before, in this process or in what an earlier run left behind. */
export function freshId(what: string): string {
  drawn += 1;
  return `${what}-${process.pid.toString(36)}-${Math.random().toString(36).slice(2, 10)}-${drawn}`;
}

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
