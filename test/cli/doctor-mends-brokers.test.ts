import { describe } from 'vitest';
import { findsAndMends } from './support/mends.ts';
import { sickBrokers } from './support/sick-brokers.ts';

describe('doctor', () => findsAndMends(sickBrokers));
