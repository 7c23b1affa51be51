import { readFileSync } from 'node:fs';
import { BackplaneError } from '../../foundation/errors.ts';
import { Secret } from '../../foundation/secret.ts';
import type { Environment } from '../option-values.ts';

/** Says where a secret is, and is none itself: `env:NAME` or `file:PATH`. Safe to print. */
export type SecretReference = `env:${string}` | `file:${string}`;

/** Refuses a secret in the place of a reference, without repeating it. Throws CONFIG_INVALID. */
export function parseSecretReference(text: string): SecretReference {
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return text as SecretReference;
  if (/^file:./s.test(text)) return text as SecretReference;
  // What was given may be the secret itself, so it is not repeated.
  throw new BackplaneError('CONFIG_INVALID', 'a secret is named, never given', {
    remedy: 'write env:NAME of a variable, or file:PATH of a file that you alone can read',
  });
}

/** Follows a reference. Throws CONFIG_INVALID with the reference, never with what it leads to. */
export function resolveSecret(reference: SecretReference, environment: Environment): Secret {
  const found = reference.startsWith('env:')
    ? environment[reference.slice('env:'.length)]
    : contentOf(reference);
  const value = found?.replace(/\r?\n$/, '');
  if (value !== undefined && value !== '') return new Secret(value);
  const what = found === undefined ? 'is not set' : 'is empty';
  throw new BackplaneError('CONFIG_INVALID', `the secret ${reference} ${what}`, {
    remedy: reference.startsWith('env:')
      ? `export ${reference.slice('env:'.length)}=...`
      : 'write the secret into that file, readable for you alone',
  });
}

function contentOf(reference: SecretReference): string {
  const path = reference.slice('file:'.length);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
    throw new BackplaneError('CONFIG_INVALID', `the secret ${reference} cannot be read: ${why}`, {
      cause,
      remedy: 'check the path: backplane context show --origin',
    });
  }
}
