import { applyMutations } from './apply-mutations.ts';

/** Loaded before a program (`--import`): what is named there is taken out of it. */
applyMutations(JSON.parse(process.env.MUTATIONS ?? '[]'));
