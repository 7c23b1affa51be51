import type { Clock } from '../../ports/clock.ts';
import { RespExchange } from './resp-exchange.ts';

const timeoutMs = 1_000;

/**
 * Makes the engine count large messages in a client's output buffer, so that it cuts who does not
 * read. Valkey 9.1 keeps those of 16 KiB and more by reference and does not count them: a stalled
 * subscriber then holds any amount of memory. Engines without the setting refuse it; that is fine.
 */
export async function countOutput(port: number, clock: Clock): Promise<void> {
  const exchange = await RespExchange.open(port, clock, timeoutMs);
  try {
    await exchange?.ask(timeoutMs, 'CONFIG', 'SET', 'min-string-size-avoid-copy-reply', '0');
  } finally {
    exchange?.close();
  }
}
