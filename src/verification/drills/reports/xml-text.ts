/** What XML 1.0 cannot hold at all, not even escaped. */
const unspeakable =
  /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

const entities: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' },
  ...{ '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' },
};

/** Text from anywhere, for the inside of an element; what has no place is a �. */
export function xmlText(text: string): string {
  return text.replace(unspeakable, '\ufffd').replace(/[&<>"'\r]/g, entityOf);
}

/** The same for a value in double quotes, where a parser would make spaces of line breaks. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/[\t\n]/g, entityOf);
}

function entityOf(character: string): string {
  return entities[character] as string;
}
