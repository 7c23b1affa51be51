import type { Visitor } from '../../../src/runtime/visitor.ts';

/** A visitor of whom only the given doors open; any other fails the test. */
export function scriptedVisitor(doors: Partial<Visitor>): Visitor {
  const refuse = (door: string) => async (): Promise<never> => {
    throw new Error(`nobody expected ${door}`);
  };
  return {
    submit: refuse('submit'),
    request: refuse('request'),
    control: refuse('control'),
    follow: refuse('follow'),
    followCache: refuse('followCache'),
    close: async () => {},
    ...doors,
  };
}
