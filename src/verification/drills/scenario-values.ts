import * as v from 'valibot';
import { parseDurationMs } from '../../foundation/duration.ts';

/** A duration as scenarios write it: `250ms`, `5s`. */
export const durationMs = v.pipe(
  v.string('write a duration: a number and a unit, as 250ms or 5s'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDurationMs(dataset.value);
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) });
      return NEVER;
    }
  }),
);
