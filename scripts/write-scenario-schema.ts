// npm run schema: the schema is committed, and a test compares it with the code.
import { mkdirSync, writeFileSync } from 'node:fs';
import { scenarioSchemaFile } from '../src/verification/drills/scenario-schema-file.ts';
import { scenarioJsonSchema } from './scenario-json-schema.ts';

mkdirSync(new URL('.', scenarioSchemaFile), { recursive: true });
writeFileSync(scenarioSchemaFile, scenarioJsonSchema());
