import { type ErrorCode, errorCatalogue, publicCode } from '../../foundation/errors.ts';
import { type Check, checkCode } from '../../operations/diagnose/check.ts';
import { checks } from '../../operations/diagnose/checks.ts';
import { exitCodeOfError, exitCodes } from '../exit-codes.ts';
import { globalOptionList } from '../global-options.ts';
import { longFlag } from '../option-values.ts';
import { historyEvents, historyFormat } from './history.ts';
import { guarantees, terms } from './model.ts';

/** What `backplane help TOPIC` explains besides commands and error codes. */
export const topics: Readonly<Record<string, () => string>> = {
  'exit-codes': exitCodesTopic,
  environment: environmentTopic,
  errors: errorsTopic,
  checks: checksTopic,
  model: modelTopic,
  history: historyTopic,
};

export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

/** `bp-lease-held` or `BP-LEASE-HELD` as a code of the catalogue. */
export function errorCodeOf(text: string): ErrorCode | null {
  return errorCodes.find((code) => publicCode(code) === text.toUpperCase()) ?? null;
}

/** One error code, explained. */
export function errorTopic(code: ErrorCode): string {
  const { meaning, certainty, remedy } = errorCatalogue[code];
  return [
    `${publicCode(code)}: ${meaning}`,
    '',
    certaintyText(certainty),
    `What to do:  ${remedy}`,
    `Exit code:   ${exitCodeOfError[code]} (${exitCodes[exitCodeOfError[code]]})`,
    '',
  ].join('\n');
}

/** One check of the doctor, explained. */
export function checkTopic(check: Check): string {
  const { title, why, remedy } = check;
  return [
    `${checkCode(check)}: ${title}`,
    '',
    `Why it matters:  ${why}`,
    `What to do:      ${remedy}`,
    'Look again:      backplane doctor',
    '',
  ].join('\n');
}

/** What a caller may conclude after an error. */
export function certaintyText(certainty: 'definite' | 'indefinite'): string {
  return certainty === 'definite'
    ? 'Certainty:   definite; what was asked for did not happen, and will not.'
    : 'Certainty:   indefinite; what was asked for may have happened.';
}

/** Every variable the tool reads, with what it sets. */
export function environmentVariables(): (readonly [string, string])[] {
  const ofOptions = globalOptionList
    .filter((option) => option.env !== null)
    .map((option) => [option.env as string, `as ${longFlag(option.flags)}`] as const);
  return [
    ...ofOptions,
    ['BACKPLANE_MODE', 'single, redis or server: what BACKPLANE_URL must be, or it is an error'],
    ['BACKPLANE_TOKEN', 'the token of the gateway; never a flag, so that no process list shows it'],
    ['BACKPLANE_CONTEXTS', 'the file of contexts; else contexts.json in the configuration folder'],
    ['XDG_CONFIG_HOME', 'the folder above the configuration folder; ~/.config when not set'],
    ['XDG_DATA_HOME', 'the folder above the data folder; ~/.local/share when not set'],
    ['NO_COLOR', 'no colour, whatever its value, unless --color always'],
  ];
}

function exitCodesTopic(): string {
  return definitions(Object.entries(exitCodes));
}

function environmentTopic(): string {
  const note = 'Options of single commands have variables too; their help names them.\n';
  const order = 'Flag beats environment beats context beats default.';
  return `${definitions(environmentVariables())}\n${order} ${note}`;
}

function errorsTopic(): string {
  return definitions(errorCodes.map((code) => [publicCode(code), errorCatalogue[code].meaning]));
}

function modelTopic(): string {
  return `WORDS\n${definitions(terms)}\nGUARANTEES\n${definitions(guarantees)}`;
}

function historyTopic(): string {
  return `${historyFormat.join('\n\n')}\n\n${definitions(historyEvents())}`;
}

function checksTopic(): string {
  return definitions(checks.map((check) => [checkCode(check), check.title]));
}

function definitions(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}
