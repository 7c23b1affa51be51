import { readFileSync, writeFileSync } from 'node:fs';
import { BackplaneError } from '../foundation/errors.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import type { Evidence } from '../operations/diagnose/evidence.ts';
import { safeJson } from './output/safe-json.ts';
import { type Redactor, redactStrings } from './redactor.ts';

/** Keeps what was seen for somebody else, without secrets, readable for its user alone. */
export function writeEvidence(file: string, evidence: Evidence, redact: Redactor): void {
  try {
    const text = `${safeJson(redactStrings(evidence, redact), 1)}\n`;
    writeFileSync(file, text, { mode: 0o600 });
  } catch (cause) {
    throw unusable(file, `cannot be written: ${reason(cause)}`, cause);
  }
}

/** What `writeEvidence` kept. Throws CONFIG_INVALID. */
export function readEvidence(file: string): Evidence {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unusable(file, `cannot be read: ${reason(cause)}`, cause);
  }
  const found = parsed(file, text);
  const fields = (typeof found === 'object' && found !== null ? found : {}) as Partial<Evidence>;
  if (fields.kind !== 'backplane-evidence') throw unusable(file, 'was not saved by doctor');
  if (fields.schemaVersion !== 1) throw unusable(file, 'was saved by another version of doctor');
  const parts = ['sessions', 'nodes', 'places'] as const;
  const samples = [
    ...(['channels', 'leases', 'documents', 'presence', 'caches', 'workspaces'] as const),
  ];
  const isWhole =
    parts.every((name) => Array.isArray(fields[name])) &&
    samples.every((name) => Array.isArray(fields[name]?.rows)) &&
    Array.isArray(fields.target?.flags);
  if (!isWhole) throw unusable(file, 'is not whole');
  return fields as Evidence;
}

function parsed(file: string, text: string): unknown {
  try {
    return parsePlainJson(text, 'the file');
  } catch (cause) {
    throw unusable(file, 'is not JSON', cause);
  }
}

function reason(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
}

function unusable(file: string, why: string, cause?: unknown): BackplaneError {
  return new BackplaneError('CONFIG_INVALID', `the bundle "${file}" ${why}`, {
    cause,
    remedy: 'make one with: backplane doctor --save FILE',
  });
}
