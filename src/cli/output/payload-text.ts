import { clipText } from '../../foundation/safe-text.ts';

/** A payload for people, on one line: JSON as JSON, text as text, bytes as base64. */
export function payloadText(
  shown: { readonly payload: unknown; readonly encoding: string | null },
  lengthMax: number,
): string {
  const { payload, encoding } = shown;
  if (encoding === null) return '';
  if (encoding === 'json') return clipText(JSON.stringify(payload), lengthMax);
  const text = clipText(String(payload), lengthMax);
  return encoding === 'base64' ? `base64:${text}` : text;
}
