import { expect } from 'vitest';
import { isBackplaneError } from '../../src/foundation/errors.ts';
import type { Engine } from '../../src/ports/engine.ts';
import {
  bytes,
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  text,
} from './engine-fixture.ts';
import { failureOf, type LawOptions, lawSuite, needs, until } from './law-suite.ts';

/** The laws of `ports/bus.ts`. */
export function busLaws(name: string, open: OpenEngineFixture, options: LawOptions = {}): void {
  lawSuite<EngineFixture>(`the bus of ${name}`, open, options, (law) => {
    law(
      '1. what is published after subscribe resolved is heard in the order of publishing',
      async (fixture) => {
        const { engine } = fixture;
        const another = await fixture.openAnother();
        const channel = freshId('channel');
        const heard = await listen(another, channel);
        const sent = Array.from({ length: 500 }, (_, i) => `message ${i}`);
        await Promise.all(sent.map((message) => engine.bus.publish(channel, bytes(message))));
        await until(fixture, 'every message', () => heard.texts.length >= sent.length);
        expect(heard.texts).toEqual(sent);
      },
    );

    law(
      '1. a payload arrives byte for byte, also when its sender changes it afterwards',
      async (fixture) => {
        const { engine } = fixture;
        const another = await fixture.openAnother();
        const channel = freshId('channel');
        const heard = await listen(another, channel);
        const every = Uint8Array.from({ length: 256 }, (_, i) => i);
        // A view into something larger must not drag its surroundings along.
        const view = new Uint8Array(new ArrayBuffer(1_000), 300, 3).fill(255);
        const large = new Uint8Array(1_048_576).fill(13);
        for (const payload of [every, new Uint8Array(0), view, large]) {
          const published = engine.bus.publish(channel, payload);
          await published;
        }
        const reused = bytes('before');
        await engine.bus.publish(channel, reused);
        reused.fill(0);
        await until(fixture, 'every payload', () => heard.payloads.length === 5);
        expect(heard.payloads[0]).toEqual(every);
        expect(heard.payloads[1]).toHaveLength(0);
        expect(heard.payloads[2]).toEqual(new Uint8Array([255, 255, 255]));
        expect(Buffer.compare(heard.payloads[3]!, large)).toBe(0);
        expect(text(heard.payloads[4]!)).toBe('before');
      },
    );

    law('1. a listener never hears within the call to publish or subscribe', async (fixture) => {
      const { engine } = fixture;
      const channel = freshId('channel');
      let inCall = true;
      let heardInCall = false;
      let heard = 0;
      await engine.bus.subscribe(channel, () => {
        heard += 1;
        heardInCall ||= inCall;
      });
      const published = engine.bus.publish(channel, bytes('x'));
      inCall = false;
      await published;
      await until(fixture, 'the message', () => heard === 1);
      expect(heardInCall).toBe(false);
    });

    law(
      '2. publish answers how many the payload was handed to; 0 means nobody',
      async (fixture) => {
        const { engine } = fixture;
        const another = await fixture.openAnother();
        const channel = freshId('channel');
        expect(await engine.bus.publish(channel, bytes('x'))).toBe(0);
        await engine.bus.subscribe(channel, () => {});
        expect(await engine.bus.publish(channel, bytes('x'))).toBe(1);
        expect(await another.bus.publish(channel, bytes('x'))).toBe(1);
        await another.bus.subscribe(channel, () => {});
        expect(await engine.bus.publish(channel, bytes('x'))).toBe(2);
      },
    );

    law('3. receivers counts without being counted', async (fixture) => {
      const { engine } = fixture;
      const another = await fixture.openAnother();
      const channel = freshId('channel');
      expect(await another.bus.receivers(channel)).toBe(0);
      expect(await another.bus.receivers(channel)).toBe(0);
      expect(await engine.bus.publish(channel, bytes('x'))).toBe(0);
      await engine.bus.subscribe(channel, () => {});
      expect(await another.bus.receivers(channel)).toBe(1);
      expect(await engine.bus.receivers(channel)).toBe(1);
    });

    law('3. the inbox of an engine that was closed has no receivers', async (fixture) => {
      const another = await fixture.openAnother();
      const channel = freshId('channel');
      await another.bus.subscribe(channel, () => {});
      expect(await fixture.engine.bus.receivers(channel)).toBe(1);
      await another.close();
      await until(fixture, 'the subscription to go', async () => {
        return (await fixture.engine.bus.receivers(channel)) === 0;
      });
      expect(await fixture.engine.bus.publish(channel, bytes('x'))).toBe(0);
    });

    law('4. a subscription that was closed hears nothing and is not counted', async (fixture) => {
      const { engine } = fixture;
      const another = await fixture.openAnother();
      const channel = freshId('channel');
      const marker = freshId('marker');
      const heard = await listen(another, channel);
      const marked = await listen(another, marker);
      await engine.bus.publish(channel, bytes('before'));
      await until(fixture, 'the first message', () => heard.texts.length === 1);
      await heard.close();
      await heard.close();
      expect(await engine.bus.receivers(channel)).toBe(0);
      expect(await engine.bus.publish(channel, bytes('after'))).toBe(0);
      await engine.bus.publish(marker, bytes('marker'));
      await until(fixture, 'the marker', () => marked.texts.length === 1);
      expect(heard.texts).toEqual(['before']);
    });

    law('4. a channel left and joined again is heard again', async (fixture) => {
      const { engine } = fixture;
      const channel = freshId('channel');
      for (let round = 0; round < 20; round++) {
        const heard = await listen(engine, channel);
        expect(await engine.bus.publish(channel, bytes(`round ${round}`))).toBe(1);
        await until(fixture, 'the message', () => heard.texts.length === 1);
        // The next subscription does not wait for the end of this one.
        const closed = heard.close();
        const next = await listen(engine, channel);
        await closed;
        expect(await engine.bus.publish(channel, bytes('next'))).toBe(1);
        await until(fixture, 'the message after joining again', () => next.texts.length === 1);
        await next.close();
      }
    });

    law(
      '5. after an interruption every subscription is restored, and then it is told',
      async (fixture) => {
        const interrupt = needs(fixture.interrupt, 'cut connections').bind(fixture);
        await interruptedBy(fixture, fixture.engine, interrupt);
      },
    );

    law('5. reconnectSubscriber restores every subscription, and tells', async (fixture) => {
      await interruptedBy(fixture, fixture.engine, () => fixture.engine.bus.reconnectSubscriber());
    });

    law('5. who no longer listens to interruptions is not told', async (fixture) => {
      const { engine } = fixture;
      const told = { kept: 0, ended: 0 };
      engine.bus.onInterrupted(() => {
        told.kept += 1;
      });
      const unlisten = engine.bus.onInterrupted(() => {
        told.ended += 1;
      });
      unlisten();
      await engine.bus.subscribe(freshId('channel'), () => {});
      await engine.bus.reconnectSubscriber();
      await until(fixture, 'the interruption', () => told.kept > 0);
      expect(told.ended).toBe(0);
    });

    law('6. a name is a name: globs and brackets mean nothing', async (fixture) => {
      const { engine } = fixture;
      const stem = freshId('channel');
      const heard = new Map<string, string[]>();
      const names = ['*', '?', '[ab]', 'a', 'ab', '\\a', '{a}', 'A', 'a:b', 'a%3Ab', '^a', 'a*'];
      for (const name of names) {
        heard.set(name, (await listen(engine, `${stem}${name}`)).texts);
      }
      for (const name of names) {
        expect(await engine.bus.publish(`${stem}${name}`, bytes(name))).toBe(1);
        expect(await engine.bus.receivers(`${stem}${name}`)).toBe(1);
      }
      await until(fixture, 'the last message', () => heard.get('a*')!.length > 0);
      for (const name of names) expect(heard.get(name)).toEqual([name]);
    });

    law(
      '7. two subscriptions of one bus both hear; ending one leaves the other',
      async (fixture) => {
        const { engine } = fixture;
        const channel = freshId('channel');
        const first = await listen(engine, channel);
        const second = await listen(engine, channel);
        expect(await engine.bus.publish(channel, bytes('both'))).toBeGreaterThan(0);
        await until(fixture, 'both', () => first.texts.length + second.texts.length === 2);
        await first.close();
        expect(await engine.bus.publish(channel, bytes('one'))).toBeGreaterThan(0);
        await until(fixture, 'the other', () => second.texts.length === 2);
        expect(first.texts).toEqual(['both']);
        expect(second.texts).toEqual(['both', 'one']);
        await second.close();
        expect(await engine.bus.receivers(channel)).toBe(0);
      },
    );

    law('8. without a broker every call fails as unreachable or lost', async (fixture) => {
      const { bus } = fixture.engine;
      const channel = freshId('channel');
      await bus.subscribe(channel, () => {});
      await needs(fixture.stopAnswering, 'stop answering').call(fixture);
      const calls = [
        () => bus.publish(channel, bytes('x')),
        () => bus.receivers(channel),
        () => bus.subscribe(freshId('channel'), () => {}),
      ];
      for (const call of calls) {
        const error = await failureOf(call);
        expect(
          isBackplaneError(error, 'BACKPLANE_UNREACHABLE', 'BACKPLANE_LOST'),
          String(error),
        ).toBe(true);
      }
    });

    law('8. after close every call fails with CLOSED', async (fixture) => {
      const another = await fixture.openAnother();
      const channel = freshId('channel');
      const subscription = await another.bus.subscribe(channel, () => {});
      await another.close();
      await another.close();
      const calls = [
        () => another.bus.publish(channel, bytes('x')),
        () => another.bus.receivers(channel),
        () => another.bus.subscribe(channel, () => {}),
      ];
      for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'CLOSED' });
      // Whoever stops in an unlucky order must not be punished.
      await subscription.close();
    });
  });
}

interface Heard {
  readonly payloads: Uint8Array[];
  readonly texts: string[];
  close(): Promise<void>;
}

async function listen(engine: Engine, channel: string): Promise<Heard> {
  const payloads: Uint8Array[] = [];
  const texts: string[] = [];
  const subscription = await engine.bus.subscribe(channel, (payload) => {
    payloads.push(payload.slice());
    if (payload.length < 1_000) texts.push(text(payload));
  });
  return { payloads, texts, close: () => subscription.close() };
}

async function interruptedBy(
  fixture: EngineFixture,
  engine: Engine,
  interrupt: () => Promise<void>,
): Promise<void> {
  const channels = Array.from({ length: 20 }, () => freshId('channel'));
  const heard = await Promise.all(channels.map((channel) => listen(engine, channel)));
  const receiversWhenTold: Promise<number[]>[] = [];
  engine.bus.onInterrupted(() => {
    receiversWhenTold.push(
      Promise.all(channels.map((channel) => back(fixture, () => engine.bus.receivers(channel)))),
    );
  });
  await interrupt();
  await until(fixture, 'the news of the interruption', () => receiversWhenTold.length > 0);
  expect(await receiversWhenTold[0]).toEqual(channels.map(() => 1));
  for (const channel of channels) {
    expect(await back(fixture, () => engine.bus.publish(channel, bytes('again')))).toBe(1);
  }
  await until(fixture, 'every subscription', () => heard.every((one) => one.texts.length === 1));
}

/** Asks until the broker is back for commands too, which may be later than for subscriptions. */
async function back<Answer>(fixture: EngineFixture, ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 100 || !isBackplaneError(error, 'BACKPLANE_UNREACHABLE')) throw error;
      await fixture.pass(25);
    }
  }
}
