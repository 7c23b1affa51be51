import { stringify } from 'yaml';
import { escapeDangerous, safeJson } from './safe-json.ts';

const style = { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' } as const;

/** A YAML document whose strings are harmless: the escapes of JSON are escapes of YAML too. */
export function yamlDocument(value: object): string {
  return escapeDangerous(stringify(value, style));
}

/**
 * Items of a sequence below its key. Rows are flat, so each value is written as JSON, which is
 * YAML: the library would take twenty times as long for a long listing.
 */
export function yamlItems(rows: readonly object[]): string {
  return rows.map(yamlItem).join('');
}

function yamlItem(row: object): string {
  const lines = Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${safeJson(value)}\n`);
  return `  - ${lines.join('    ')}`;
}
