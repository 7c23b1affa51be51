import { formatDuration } from '../../foundation/duration.ts';
import type { FaultStep, FaultTarget, Step } from './scenario.ts';

const indent = '  ';

/** The steps of a scenario, one a line, what is inside another further in. */
export function stepsInWords(steps: readonly Step[], depth = 0): string[] {
  return steps.flatMap((step) => linesOf(step, depth));
}

function linesOf(step: Step, depth: number): string[] {
  const line = (text: string) => `${indent.repeat(depth)}${text}`;
  switch (step.step) {
    case 'run':
      return [line(`the load runs for ${formatDuration(step.forMs)}`)];
    case 'fault':
      return [line(faultText(step))];
    case 'together':
      return [line('at the same time:'), ...stepsInWords(step.steps, depth + 1)];
    case 'repeat':
      return [line(`${step.times} times:`), ...stepsInWords(step.steps, depth + 1)];
    case 'random': {
      const { forMs, holdMsMax, pauseMsMax, faults } = step;
      const held = `each held up to ${formatDuration(holdMsMax)}, up to ${formatDuration(pauseMsMax)} apart`;
      return [
        line(`for ${formatDuration(forMs)} faults drawn from the seed, ${held}, out of:`),
        line(`${indent}${faults.join(', ')}`),
      ];
    }
  }
}

function faultText({ fault, on, forMs, parameters }: FaultStep): string {
  const given = Object.entries(parameters).map(([name, value]) => `${name} ${String(value)}`);
  const details = given.length === 0 ? '' : ` (${given.join(', ')})`;
  return `${fault}${details} on ${targetText(on)}, for ${formatDuration(forMs)}`;
}

function targetText(target: FaultTarget): string {
  switch (target) {
    case 'owner':
      return 'the owner of the first document';
    case 'other':
      return 'a node that is not the owner';
    case 'each':
      return 'every node in turn';
    case 'all':
      return 'every node at once';
    case 'random':
      return 'a random node';
    case 'broker':
    case 'store':
      return `the ${target}`;
    default:
      return target;
  }
}
