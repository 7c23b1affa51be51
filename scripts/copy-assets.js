// tsc copies code only: the Redis driver reads its scripts, and drills their scenarios, from beside
// their own compiled files.
import { cpSync } from 'node:fs';

for (const folder of ['drivers/redis/scripts', 'verification/drills/scenarios']) {
  cpSync(`src/${folder}`, `dist/${folder}`, { recursive: true });
}
