#!/usr/bin/env node
const majorMin = 24;
if (Number.parseInt(process.versions.node, 10) < majorMin) {
  process.stderr.write(
    `error: backplane needs Node.js ${majorMin} or later, and this is ${process.versions.node}\n` +
      'hint: run it through npm, which brings its own: npx backplane\n',
  );
  process.exit(2);
}
// What comes from the network is parsed into objects; none of them may reach the prototype of all.
// As `node --disable-proto=delete`, which a shebang cannot pass everywhere.
Reflect.deleteProperty(Object.prototype, '__proto__');
// React, which draws the dashboard, is three times slower without it.
process.env.NODE_ENV ??= 'production';
await import('../dist/main.js');
