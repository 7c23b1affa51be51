export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const spoken = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/**
 * Reads a strict subset of XML, and throws at whatever is not well-formed: no comments, no CDATA,
 * no processing instruction but the first, and only the entities everybody knows.
 */
export function readXml(source: string): XmlElement {
  if (!spoken.test(source)) throw new Error('a character that XML cannot hold');
  const body = source.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  for (const [token] of body.matchAll(/<[^>]*>?|[^<]+/g)) {
    const top = open.at(-1) as XmlElement;
    if (!token.startsWith('<')) top.text += decoded(token);
    else if (token.startsWith('</')) {
      if (token !== `</${open.pop()?.name}>`) throw new Error(`${token} closes nothing`);
    } else {
      const element = readTag(token);
      top.children.push(element);
      if (!token.endsWith('/>')) open.push(element);
    }
  }
  const [only] = root.children;
  if (open.length !== 1 || root.children.length !== 1 || root.text.trim() !== '' || !only) {
    throw new Error('it is not one element');
  }
  return only;
}

function readTag(token: string): XmlElement {
  const match = /^<([a-z][a-z-]*)((?: [a-z][\w:-]*="[^"<]*")*)\s*\/?>$/i.exec(token);
  if (match === null) throw new Error(`${token} is no tag`);
  const pairs = [...(match[2] as string).matchAll(/ ([a-z][\w:-]*)="([^"]*)"/gi)];
  const names = pairs.map(([, name]) => name);
  if (new Set(names).size !== names.length) throw new Error(`${token} has an attribute twice`);
  const attributes = pairs.map(([, name, value]) => [name, decoded(value as string)]);
  return {
    name: match[1] as string,
    attributes: Object.fromEntries(attributes),
    children: [],
    text: '',
  };
}

function decoded(text: string): string {
  const known: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&([^;\s]*);?/g, (entity, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1];
    const character = code === undefined ? known[name] : String.fromCodePoint(Number(code));
    if (character === undefined || !entity.endsWith(';')) throw new Error(`${entity} is no entity`);
    return character;
  });
}
