import { BackplaneError } from '../../foundation/errors.ts';
import type { EngineUrl } from '../../foundation/url.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  checkContextName,
  contextFile,
  type NamedContext,
  readContextBook,
  writeContextBook,
} from '../contexts/context-book.ts';
import { parseSecretReference, type SecretReference } from '../contexts/secret-reference.ts';
import { flag, option, required } from '../parameters.ts';
import type { Settings } from '../settings.ts';

/** Names a cluster. */
export function contextAddCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'add',
    summary: 'name a cluster',
    description: [
      'Keeps the --url, --store, --prefix, --data-dir, --broker-port and --timeout of this command line under a name.',
      'A URL with a password in it is refused: say with --url-password where the password is, and with --gateway-token where the token of the nodes is.',
    ],
    impact: 'rw',
    output: 'text',
    opensNothing: true,
    arguments: { name: required('what to call it', { parse: checkContextName }) },
    options: {
      urlPassword: option(
        '--url-password <REFERENCE>',
        'where the password of the URL is: env:NAME or file:PATH',
        parseSecretReference,
      ),
      gatewayToken: option(
        '--gateway-token <REFERENCE>',
        'where the token of the nodes is: env:NAME or file:PATH',
        parseSecretReference,
      ),
      use: flag('--use', 'and choose it'),
      replace: flag('--replace', 'in the place of one of this name'),
    },
    examples: [
      {
        run: 'backplane context add laptop --url redis://127.0.0.1:6379 --use',
        shows: 'every later command goes to the Redis of this machine',
      },
      {
        run: 'backplane context add prod --url rediss://ops@redis.example:6379 --url-password env:PROD_REDIS',
        shows: 'a cluster whose password is in a variable',
      },
    ],
    action: async ({ name }, { urlPassword, gatewayToken, use, replace }) => {
      const { environment, home } = context.world;
      const file = contextFile(environment, home);
      const book = readContextBook(file);
      if (Object.hasOwn(book.contexts, name) && !replace) throw taken(name);
      const added = contextOf(context.settings, urlPassword, gatewayToken);
      const chosen = use ? { current: name, previous: book.current } : {};
      writeContextBook(file, {
        ...book,
        ...chosen,
        contexts: { ...book.contexts, [name]: added },
      });
      const now = use ? ', and in use' : `; choose it with: backplane context use ${name}`;
      await context.print.note(`context ${name} is kept in ${file}${now}`);
    },
  });
}

/** What the flags of this command line said, and nothing that came from elsewhere. */
function contextOf(
  { origins, ...settings }: Settings,
  urlPassword: SecretReference | undefined,
  token: SecretReference | undefined,
): NamedContext {
  const given = (name: keyof typeof origins) => origins[name].from === 'flag';
  if (urlPassword !== undefined && !given('url')) {
    throw new BackplaneError('CONFIG_INVALID', '--url-password goes with a --url');
  }
  return {
    ...(given('url') && { url: urlWithoutSecret(settings.engineUrl, urlPassword) }),
    ...(given('store') && settings.storeUrl && { store: settings.storeUrl.text }),
    ...(given('prefix') && { prefix: settings.prefix }),
    ...(given('dataDir') && { dataDir: settings.dataDir }),
    ...(given('brokerPort') && { brokerPort: String(settings.brokerPort) }),
    ...(given('timeout') && { timeout: `${settings.timeoutMs}ms` }),
    ...(urlPassword !== undefined && { urlPassword }),
    ...(token !== undefined && { token }),
  };
}

function urlWithoutSecret(url: EngineUrl, password: SecretReference | undefined): string {
  if (url.kind !== 'redis') return url.text;
  const { address } = url;
  if (address.password !== null || (address.username !== null && password === undefined)) {
    throw new BackplaneError('CONFIG_INVALID', 'the URL holds a secret, which is not to be kept', {
      remedy: 'leave the password out of --url, and add --url-password env:NAME or file:PATH',
    });
  }
  if (address.path !== null) return url.text;
  const host = address.host?.includes(':') ? `[${address.host}]` : address.host;
  const user = address.username === null ? '' : `${encodeURIComponent(address.username)}@`;
  const scheme = address.tls ? 'rediss' : 'redis';
  const db = address.db === 0 ? '' : `/${address.db}`;
  return `${scheme}://${user}${host}:${address.port}${db}`;
}

function taken(name: string): BackplaneError {
  return new BackplaneError('CONFLICT', `there is a context "${name}" already`, {
    remedy: `look at it: backplane context show ${name} --origin; or add --replace`,
  });
}
