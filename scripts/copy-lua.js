// tsc copies no .lua: the Redis driver reads its scripts from beside its own compiled file.
import { cpSync } from 'node:fs';

cpSync('src/drivers/redis/scripts', 'dist/drivers/redis/scripts', { recursive: true });
