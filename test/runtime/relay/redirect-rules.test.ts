import { describe, expect, it } from 'vitest';
import { checkAllowedHost, checkPublicUrl } from '../../../src/foundation/public-url.ts';
import { RedirectRules } from '../../../src/runtime/relay/redirect-rules.ts';

const rules = (redirectAllow: string[] = [], publicUrl: string | null = null) =>
  new RedirectRules({ publicUrl, redirect: true, redirectAllow }, 'http://10.0.0.1:7420');

describe('a redirect', () => {
  it('leads to hosts of the list and to the own one, and says that it was one', () => {
    const allowed = rules(['two.example'], 'https://one.example');
    expect(allowed.target('https://two.example', 'w/1')).toBe(
      'wss://two.example/v1/relay/w%2F1?hops=1',
    );
    expect(allowed.target('http://one.example:81', 'w')).toBe(
      'ws://one.example:81/v1/relay/w?hops=1',
    );
    expect(allowed.target('http://10.0.0.1:7422', 'w')).not.toBeNull();
  });

  it.each([
    'http://evil.example',
    'http://two.example.evil.example',
    'http://two.example@evil.example',
    'http://evil.example#two.example',
    'http://evil.example?two.example',
    'http://evil.example\\@two.example',
    'javascript:alert(1)//two.example',
    'file://two.example',
    'http://user:pw@two.example',
    'http://two.example/path',
    'http://two.example/?',
    'http://two.example#',
    ' http://two.example',
    'http://two.example\n',
    'two.example',
    '',
    `http://two.example${'a'.repeat(600)}`,
  ])('never to %j', (url) => {
    expect(rules(['two.example']).target(url, 'w')).toBeNull();
  });

  it('to one port of a host does not open the others', () => {
    const allowed = rules(['two.example:8443']);
    expect(allowed.target('https://two.example:8443', 'w')).not.toBeNull();
    expect(allowed.target('https://two.example', 'w')).toBeNull();
    expect(allowed.target('https://two.example:22', 'w')).toBeNull();
  });
});

describe('what an operator writes', () => {
  it('is an address and nothing more', () => {
    expect(checkPublicUrl('https://a.example:8443/')).toBe('https://a.example:8443');
    expect(checkPublicUrl('wss://a.example')).toBe('https://a.example');
    for (const url of ['a.example', 'redis://a', 'http://a/b', 'http://u@a', 'http://a?x']) {
      expect(() => checkPublicUrl(url), url).toThrow(/not an address/);
    }
  });

  it('is a host, perhaps with a port', () => {
    expect(checkAllowedHost(' A.example ')).toBe('a.example');
    expect(checkAllowedHost('a.example:81')).toBe('a.example:81');
    for (const host of ['', '*', '*.example', 'a/b', 'http://a', 'a@b', 'a?b']) {
      expect(() => checkAllowedHost(host), host).toThrow(/HOST/);
    }
  });
});
