/** A claim about our own code that must be true; when it is not, the process must not go on. */
export class InvariantViolated extends Error {
  override name = 'InvariantViolated';
}

/** States a truth about our own code, also in production: `invariant(ttlMs > 0, 'a lease lives for a positive time')`. */
export function invariant(holds: unknown, truth: string): asserts holds {
  if (!holds) throw new InvariantViolated(`it should be true that ${truth}`);
}

/** Ends a switch over a string union: a case nobody handled does not compile. */
export function unreachable(value: never): never {
  throw new InvariantViolated(`no case handles ${JSON.stringify(value)}`);
}
