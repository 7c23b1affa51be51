import type { Environment } from './option-values.ts';

/** Takes the secrets of this process out of a text. */
export interface Redactor {
  (text: string): string;
  /** Adds a secret that was neither in the environment nor on the command line. */
  learn(secret: string): void;
}

// Bounded, because a payload of 100 kB that might all be a scheme would be looked at for minutes.
const userInformation = /([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/@"']+@/gi;
const urlAuthority = /[a-z][a-z0-9+.-]{0,31}:\/\/([^/]*)@/i;

/** Shorter ones would blot out half of every message, and protect nothing. */
const secretLengthMin = 4;

/**
 * Errors of libraries quote what they were given: a connection string, the arguments of AUTH.
 * Whatever is printed about an error passes through this, with or without `--debug`.
 */
export function createRedactor(environment: Environment, args: readonly string[]): Redactor {
  const secrets = [environment.BACKPLANE_TOKEN ?? ''];
  for (const text of [
    environment.BACKPLANE_URL ?? '',
    environment.BACKPLANE_STORE ?? '',
    ...args,
  ]) {
    secrets.push(...urlSecrets(text));
  }
  let known: string[] = [];
  const learn = (...more: string[]) => {
    known = [...known, ...more]
      .filter((secret) => secret.length >= secretLengthMin)
      // The longest first, or a secret that contains another would leave its end behind.
      .sort((a, b) => b.length - a.length);
  };
  learn(...secrets);
  const redact = (text: string) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, '***');
    return clean.replace(userInformation, '$1***@');
  };
  return Object.assign(redact, { learn });
}

/** The user information of a URL, also when it does not parse, as written and decoded. */
function urlSecrets(text: string): string[] {
  const authority = urlAuthority.exec(text)?.[1];
  if (authority === undefined) return [];
  const colon = authority.indexOf(':');
  // A user name before a password is no secret; a lone one may be a token.
  const secret = colon < 0 ? authority : authority.slice(colon + 1);
  return [secret, decoded(secret)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The same of every text within a value that JSON can hold. Before it is written as JSON, not
 * after: a secret with a quotation mark in it would be there in another spelling.
 */
export function redactStrings<Value>(value: Value, redact: Redactor): Value {
  return JSON.parse(
    JSON.stringify(value, (_, each) => (typeof each === 'string' ? redact(each) : each)),
  );
}
