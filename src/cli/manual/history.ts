import { describeEvents } from '../../verification/event-shapes.ts';

/** The format of a history, for the manual and `backplane help history`. */
export const historyFormat: readonly string[] = [
  'A history is what happened in a run, one JSON object a line. The first line is {"v":1,"kind":"history","unit":"ms"}; the unit may also be us or ns. The last is {"t":T,"ev":"end","events":N}, with the number of lines between the two, so that a file that was cut off shows.',
  'Every line between has t, a time that never goes back from line to line, ev, the name of an event, and the fields of that event. Other fields are kept, shown, and ignored.',
  'What is not known is said so: with certainty "indefinite", or outcome "unknown", it may have happened. Events whose name begins with final are read when the load has ended and everything had the time to settle.',
];

/** `[name, what it says, and its fields]` of each event. */
export function historyEvents(): (readonly [string, string])[] {
  return describeEvents().map(({ name, meaning, fields }) => {
    return [name, fields === '' ? `${meaning}.` : `${meaning}. ${fields}`];
  });
}
