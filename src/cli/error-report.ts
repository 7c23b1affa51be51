import { inspect } from 'node:util';
import { asBackplaneError, BackplaneError, publicCode } from '../foundation/errors.ts';
import { safeText } from '../foundation/safe-text.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { OutputFormat } from './global-options.ts';
import { safeJson } from './output/safe-json.ts';
import { paint } from './output/styled-text.ts';
import { type Redactor, redactStrings } from './redactor.ts';

export interface ErrorStyle {
  readonly output: OutputFormat;
  readonly colour: boolean;
  readonly debug: boolean;
  /** The command could change something, so it matters whether it did. */
  readonly couldChange: boolean;
  readonly redact: Redactor;
}

/**
 * What standard error says about a failure: what happened and its code, whether it may have
 * happened all the same, and the next step; or one JSON object, for programs. Ends in a newline.
 */
export function describeError(thrown: unknown, style: ErrorStyle): string {
  const error = asSeen(asBackplaneError(thrown), style.couldChange);
  const programs = style.output === 'json' || style.output === 'jsonl';
  return programs ? asJson(error, thrown, style) : asText(error, thrown, style);
}

/** A request of a command that only looks may have been carried out, and nothing came of it. */
function asSeen(error: BackplaneError, couldChange: boolean): BackplaneError {
  if (couldChange || error.certainty === 'definite') return error;
  const { code, message, facts, cause } = error;
  return new BackplaneError(code, message, {
    certainty: 'definite',
    remedy: code === 'BACKPLANE_LOST' ? 'check the server, then run it again' : error.remedy,
    facts,
    cause,
  });
}

function asText(error: BackplaneError, thrown: unknown, style: ErrorStyle): string {
  const clean = (text: string) => safeText(style.redact(text));
  const lines = [
    `${paint('error:', 'bad', style.colour)} ${clean(error.message)} [${publicCode(error.code)}]`,
  ];
  lines.push(...furtherProblems(error).map((text) => `       ${clean(text)}`));
  if (style.couldChange && error.certainty === 'indefinite') {
    lines.push('it may have happened all the same: look before you repeat it');
  }
  lines.push(`${paint('hint:', 'bold', style.colour)} ${clean(error.remedy)}`);
  if (style.debug) lines.push(...stackOf(thrown).map(clean));
  return `${lines.join('\n')}\n`;
}

/** Of several things wrong with one file the first is the message. */
function furtherProblems({ facts }: BackplaneError): string[] {
  const { problems } = facts;
  if (!Array.isArray(problems)) return [];
  return problems.slice(1).map(({ text }: { text: unknown }) => String(text));
}

function asJson(error: BackplaneError, thrown: unknown, style: ErrorStyle): string {
  const report = {
    schemaVersion: 1,
    error: {
      code: publicCode(error.code),
      message: error.message,
      certainty: error.certainty,
      remedy: error.remedy,
      facts: error.facts,
      exitCode: exitCodeOf(error),
      ...(style.debug ? { stack: stackOf(thrown) } : {}),
    },
  };
  return `${safeJson(redactStrings(report, style.redact))}\n`;
}

/** The stack with its causes, line by line. */
function stackOf(thrown: unknown): string[] {
  return inspect(thrown, { depth: 3, breakLength: 100 }).split('\n');
}
