import * as v from 'valibot';
import { invariant } from '../../foundation/assert.ts';
import type { FaultKind } from './fault.ts';
import type { Step } from './scenario.ts';
import { durationOf, keysOf, someTime, wayOn, wholeNumber, wordOf } from './scenario-values.ts';

/** What a scenario needs to know of a fault. */
export type ScenarioFault = Pick<FaultKind, 'name' | 'summary' | 'on' | 'parameters'>;

/** `other` and the rest are explained at `FaultTarget`; everything else is the name of a node. */
export const targetWords = ['owner', 'other', 'each', 'all', 'random'] as const;

/** Steps as they are written, and as they are run with everything repeated. */
export const stepsMax = 1_000;
const timesMax = 1_000;

/** Its first key says what a step is. */
const stepWords = ['run', 'fault', 'together', 'repeat', 'random'] as const;
type StepWord = (typeof stepWords)[number];
type StepSchema = v.GenericSchema<unknown, Step>;

/** A list of steps. A step is read by the rules of its own kind, so that errors say what it lacks. */
export function stepsSchema(faults: readonly ScenarioFault[]): v.GenericSchema<unknown, Step[]> {
  // The converter to JSON Schema asks with undefined: then it is any of them.
  const step: StepSchema = v.lazy((input) => (input === undefined ? any : schemaOf(input)));
  const steps = v.pipe(
    v.array(step, 'write steps as a list, each with a dash in front'),
    v.nonEmpty('there is nothing to do: write at least one step'),
    v.maxLength(stepsMax, `more than ${stepsMax} steps`),
  );
  const plain = plainSteps(steps, faults);
  const faultSteps = new Map(faults.map((fault) => [fault.name, faultSchema(fault)]));
  const ofFaults = [...faultSteps.values()].map(({ written }) => written);
  const any = v.union([...Object.values(plain), ...ofFaults]) as unknown as StepSchema;

  function schemaOf(input: unknown): StepSchema {
    const word = wordOfStep(input);
    if (word === null) return refusal(input);
    if (word !== 'fault') return plain[word];
    const name = (input as { fault: unknown }).fault;
    const known = faultSteps.get(String(name));
    if (known !== undefined) return known.reading(input as object);
    const names = wordOf('the fault', [...faultSteps.keys()]);
    return v.object({ fault: names }) as unknown as StepSchema;
  }
  return steps;
}

function plainSteps(
  steps: v.GenericSchema<unknown, Step[]>,
  faults: readonly ScenarioFault[],
): Record<Exclude<StepWord, 'fault'>, StepSchema> {
  const run = v.pipe(
    keysOf('a run', { run: someTime('The load runs, for so long.') }),
    v.transform(({ run: forMs }) => ({ step: 'run', forMs }) as const),
  );
  const together = v.pipe(
    keysOf('a step "together"', {
      together: v.pipe(steps, v.description('Steps that run side by side.')),
    }),
    v.transform(({ together: side }) => ({ step: 'together', steps: side }) as const),
  );
  const repeat = v.pipe(
    keysOf('a step "repeat"', {
      repeat: v.pipe(wholeNumber('repeat', 1, timesMax), v.description('How many times.')),
      steps,
    }),
    v.transform(
      ({ repeat: times, steps: each }) => ({ step: 'repeat', times, steps: each }) as const,
    ),
  );
  const random = v.pipe(
    keysOf('a step "random"', { random: randomSchema(faults) }),
    v.transform(({ random: { for: forMs, faults: names, hold: holdMsMax, pause: pauseMsMax } }) => {
      return { step: 'random', forMs, faults: names, holdMsMax, pauseMsMax } as const;
    }),
  );
  return { run, together, repeat, random } as unknown as ReturnType<typeof plainSteps>;
}

function randomSchema(faults: readonly ScenarioFault[]) {
  const names = faults.map(({ name }) => name);
  return v.pipe(
    keysOf('random', {
      for: someTime('Faults are drawn until this time is over.'),
      faults: v.pipe(
        v.array(wordOf('the fault', names), 'write faults as a list of names'),
        v.nonEmpty('there is nothing to draw from: name at least one fault'),
        v.maxLength(stepsMax),
        v.description('Drawn from; those that do not fit the cluster are left out.'),
      ),
      hold: v.optional(someTime('The longest a fault is held.'), '5s'),
      pause: v.optional(durationOf('The longest pause between.'), '3s'),
    }),
    v.description('Faults drawn from the seed, one after the other.'),
  );
}

interface FaultSchema {
  /** What may be written. */
  readonly written: v.GenericSchema;
  /** The schema that makes a step of this very object. */
  reading(input: object): StepSchema;
}

/** The step of one fault: what its own rules want beside `on` and `for`. */
function faultSchema({ name, summary, on, parameters }: ScenarioFault): FaultSchema {
  const { entries } = parameters as unknown as { entries?: v.ObjectEntries };
  invariant(entries !== undefined, `the parameters of ${name} are an object`);
  const clash = partsOfStep.filter((key) => Object.hasOwn(entries, key));
  invariant(clash.length === 0, `no parameter of ${name} is called as a part of a step`);
  const written = keysOf(`the fault ${name}`, {
    fault: v.pipe(v.literal(name), v.description(summary)),
    on: on === 'node' ? nodeTarget : only(on, name),
    for: durationOf('How long it is held.'),
    ...entries,
  });
  return {
    written,
    reading(input) {
      // As they are written: whoever injects the fault reads them by its rules, as is done here.
      const raw = Object.fromEntries(
        Object.entries(input).filter(([key]) => !partsOfStep.includes(key)),
      );
      return v.pipe(
        written,
        v.rawTransform(({ dataset, addIssue }): Step => {
          const { on: target, for: forMs } = dataset.value as unknown as {
            on: string;
            for: number;
          };
          for (const { message } of v.safeParse(parameters, raw).issues ?? [])
            addIssue({ message });
          return { step: 'fault', fault: name, on: target, forMs, parameters: raw };
        }),
      );
    },
  };
}

const partsOfStep: readonly string[] = ['fault', 'on', 'for'];

const nodeTarget = v.pipe(
  v.union(
    [v.picklist(targetWords), v.pipe(v.string(), v.nonEmpty())],
    `write on as ${targetWords.join(', ')}, or the name of a node`,
  ),
  v.description(
    'owner: of the first document; other: a node that is not; each: every node in turn; all: every node at once; random: any node; else the name of a node, as node-1.',
  ),
);

function only(on: 'broker' | 'store', name: string) {
  return v.optional(v.literal(on, `${name} is done to the ${on}: leave "on" out`), on);
}

function wordOfStep(input: unknown): StepWord | null {
  if (typeof input !== 'object' || input === null) return null;
  return stepWords.find((word) => Object.hasOwn(input, word)) ?? null;
}

/** For what is no step at all. */
function refusal(input: unknown): StepSchema {
  const [first] = typeof input === 'object' && input !== null ? Object.keys(input) : [];
  const why =
    first === undefined
      ? `a step begins with one of ${stepWords.join(', ')}`
      : `no step begins with "${first}"; ${wayOn(first, stepWords)}`;
  return v.custom<Step>(() => false, why);
}
