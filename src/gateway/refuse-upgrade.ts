import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Answers a handshake with an HTTP error, in JSON like every other page, and hangs up. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  socket.on('error', () => {});
  if (!socket.writable) return void socket.destroy();
  const code = status === 503 ? 'DRAINING' : 'REQUEST_INVALID';
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? ['Retry-After: 1'] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
