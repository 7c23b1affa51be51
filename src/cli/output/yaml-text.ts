import { stringify } from 'yaml';
import { escapeDangerous } from './safe-json.ts';

/** A YAML document whose strings are harmless: the escapes of JSON are escapes of YAML too. */
export function yamlDocument(value: object): string {
  return escapeDangerous(stringify(value, style));
}

/** Items of a sequence, indented below its key. */
export function yamlItems(rows: readonly unknown[]): string {
  return escapeDangerous(stringify(rows, style).replace(/^(?=.)/gm, '  '));
}

const style = { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' } as const;
