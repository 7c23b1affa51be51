// A module that was deleted from src must not live on in what is published.
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
