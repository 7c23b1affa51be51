/** As much of JSON schema as ours uses; a word it does not know is an error of the test. */
interface JsonSchema {
  readonly [word: string]: unknown;
}

const remarks = new Set(['$schema', '$defs', 'title', 'description', 'default']);

/** Whether the schema takes the value. */
export function takes(root: JsonSchema, value: unknown, schema: JsonSchema = root): boolean {
  return Object.entries(schema).every(([word, wanted]) => {
    if (remarks.has(word)) return true;
    if (word === 'required')
      return isObject(value) && (wanted as string[]).every((key) => key in value);
    if (word === 'additionalProperties') return hasOnly(value, schema.properties as object);
    return takesWord(root, value, word, wanted);
  });
}

function takesWord(root: JsonSchema, value: unknown, word: string, wanted: unknown): boolean {
  switch (word) {
    case 'type':
      return isOfType(value, wanted as string);
    case '$ref': {
      const name = String(wanted).replace('#/$defs/', '');
      return takes(root, value, (root.$defs as Record<string, JsonSchema>)[name] as JsonSchema);
    }
    case 'properties':
      return Object.entries(wanted as Record<string, JsonSchema>).every(
        ([key, each]) => !isObject(value) || !(key in value) || takes(root, value[key], each),
      );
    case 'anyOf':
      return (wanted as JsonSchema[]).some((each) => takes(root, value, each));
    case 'items':
      return (value as unknown[]).every((each) => takes(root, each, wanted as JsonSchema));
    case 'enum':
      return (wanted as unknown[]).includes(value);
    case 'const':
      return value === wanted;
    case 'pattern':
      return typeof value === 'string' && new RegExp(wanted as string).test(value);
    default:
      return isWithin(value, word, wanted as number);
  }
}

function isWithin(value: unknown, word: string, limit: number): boolean {
  const size = typeof value === 'number' ? value : (value as { length: number }).length;
  switch (word) {
    case 'minimum':
    case 'minLength':
    case 'minItems':
      return size >= limit;
    case 'maximum':
    case 'maxLength':
    case 'maxItems':
      return size <= limit;
    case 'exclusiveMinimum':
      return size > limit;
    default:
      throw new Error(`the test does not know "${word}" of JSON schema`);
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function hasOnly(value: unknown, properties: object): boolean {
  return isObject(value) && Object.keys(value).every((key) => Object.hasOwn(properties, key));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
