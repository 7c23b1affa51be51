import { describe } from 'vitest';
import { findsAndMends } from './support/mends.ts';
import { sickNodes } from './support/sick-nodes.ts';

describe('doctor', () => findsAndMends(sickNodes));
