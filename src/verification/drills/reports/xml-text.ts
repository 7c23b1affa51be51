/** What XML 1.0 cannot hold at all, not even escaped. */
const unspeakable =
  /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

const entities: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' },
  // A parser would make spaces of them in an attribute.
  ...{ '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' },
};

/** Text from anywhere, for the inside of an element or an attribute; what has no place is a �. */
export function xmlText(text: string): string {
  return text
    .replace(unspeakable, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (character) => entities[character] as string);
}
