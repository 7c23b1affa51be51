import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { playScript } from './support/scenario-script.ts';

const folder = new URL('./scenarios/', import.meta.url);
const stories = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('the story', () => {
  it.each(stories)('%s goes as it says', { timeout: 60_000 }, async (name) => {
    const { missing, violated } = await playScript(readFileSync(new URL(name, folder), 'utf8'));
    expect({ missing, violated }).toEqual({ missing: null, violated: [] });
  });
});
