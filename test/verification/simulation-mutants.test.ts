import { describe, it } from 'vitest';
import { expectFoundOut } from './support/expect-found-out.ts';
import { mutants } from './support/mutants.ts';

describe('a mechanism that is missing', () => {
  it.each(mutants.filter(({ isElusive }) => !isElusive))(
    'is found out: $name',
    { timeout: 600_000 },
    expectFoundOut,
  );
});
