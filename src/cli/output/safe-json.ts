/**
 * JSON that is safe to show: `JSON.stringify` leaves DEL, C1, bidirectional and zero-width
 * characters raw, and `cat` of such a file would act on them. They can only occur inside strings,
 * so writing them as \uXXXX keeps the document valid and its meaning the same.
 */
export function safeJson(value: unknown, indent?: number): string {
  return escapeDangerous(JSON.stringify(value, null, indent) ?? 'null');
}

/** The same for any text whose strings are double-quoted. */
export function escapeDangerous(text: string): string {
  return text.replace(rawInJson, escapeUnits);
}

const rawInJson =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function escapeUnits(character: string): string {
  let escaped = '';
  for (let at = 0; at < character.length; at += 1) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
