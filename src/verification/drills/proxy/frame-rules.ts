import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import { type ActiveWireFault, isKind } from './active-wire-fault.ts';
import { CommandWords, commandWordsWanted, type ScriptNames } from './command-words.ts';
import {
  dropping,
  FrameCutter,
  type FrameJudge,
  type Hold,
  passing,
  type Treatment,
} from './frame-cutter.ts';
import { matchesGlob } from './matches-glob.ts';
import { ReplyPlaces } from './reply-places.ts';
import { RespScanner } from './resp-scanner.ts';
import type { ConnectionRole, SlowCommandFault } from './wire-fault.ts';

export interface FrameRulesParts {
  readonly faults: ReadonlySet<ActiveWireFault>;
  readonly clock: Clock;
  readonly random: Random;
  readonly scripts: ScriptNames;
  readonly onRole: (role: ConnectionRole) => void;
}

const messages = new Set(['message', 'smessage', 'pmessage']);
const confirmations = new Set([
  ...['subscribe', 'psubscribe', 'ssubscribe'],
  ...['unsubscribe', 'punsubscribe', 'sunsubscribe'],
]);

/**
 * What happens to single commands, replies and messages of one connection. It follows every frame
 * from the first, faults or not, because the place of a reply can be known in no other way.
 */
export class FrameRules {
  readonly commands: FrameCutter;
  readonly replies: FrameCutter;
  role: ConnectionRole = 'new';
  readonly #parts: FrameRulesParts;
  readonly #places = new ReplyPlaces<ActiveWireFault<SlowCommandFault>>();

  constructor(parts: FrameRulesParts) {
    this.#parts = parts;
    const lost = () => this.#places.lose();
    this.commands = new FrameCutter(
      new RespScanner({ side: 'commands', wordsWanted: commandWordsWanted }),
      { judge: (scanner, isFree) => this.#command(scanner, isFree), ended: () => null, lost },
    );
    const replies: FrameJudge = {
      judge: (scanner, isFree) => this.#reply(scanner, isFree),
      ended: () => this.#places.takeForged(),
      lost,
    };
    this.replies = new FrameCutter(
      new RespScanner({ side: 'replies', wordsWanted: replyWordsWanted }),
      replies,
    );
  }

  /** Forged replies that wait for no reply of the broker. */
  takeForged(): Buffer | null {
    return this.replies.scanner.isIdle ? this.#places.takeForged() : null;
  }

  #command(scanner: RespScanner, isFree: boolean): Treatment {
    if (scanner.words.length === 0) return passing;
    const command = new CommandWords(scanner.words, this.#parts.scripts);
    const role = command.roleAfter(this.role);
    if (role !== this.role) {
      this.role = role;
      this.#parts.onRole(role);
    }
    if (command.endsCounting) this.#places.lose();
    if (this.#parts.faults.size === 0 || !isFree || !this.#places.isKnown) {
      this.#expect(command, scanner.count, null);
      return passing;
    }
    const forged = this.#forgedReply(command);
    if (forged !== null) {
      this.#places.forge(Buffer.from(`${forged}\r\n`));
      return dropping;
    }
    const holds: Hold[] = [];
    this.#expect(command, scanner.count, this.#slowed(command, holds));
    return holds.length > 0 ? { isDropped: false, holds } : passing;
  }

  #expect(
    command: CommandWords,
    words: number,
    late: ActiveWireFault<SlowCommandFault> | null,
  ): void {
    if (command.isSubscription) this.#places.expectSubscription(words - 1);
    else if (late !== null) this.#places.expectLate(late);
    else this.#places.expectPlain();
  }

  /** The reply that a command gets from us, because it does not get to the broker. */
  #forgedReply(command: CommandWords): string | null {
    for (const active of this.#parts.faults) {
      if (isKind(active, 'refuse-command')) {
        const { fault } = active;
        if (!command.isMeantBy(fault) || !this.#isDrawn(fault.share)) continue;
        active.touched += 1;
        return `-${fault.error}`;
      }
      if (isKind(active, 'drop-channel')) {
        const { fault } = active;
        if (!fault.publish || !command.isPublish || !this.#isDrawn(fault.share)) continue;
        if (!matchesGlob(fault.channel, command.key ?? '')) continue;
        active.touched += 1;
        // As if somebody had listened: who publishes is told of receivers, never of arrival.
        return ':1';
      }
    }
    return null;
  }

  /** Adds how long the command waits; answers the fault for which its reply will. */
  #slowed(command: CommandWords, holds: Hold[]): ActiveWireFault<SlowCommandFault> | null {
    let late: ActiveWireFault<SlowCommandFault> | null = null;
    for (const active of this.#parts.faults) {
      if (!isKind(active, 'slow-command') || !command.isMeantBy(active.fault)) continue;
      if (!this.#isDrawn(active.fault.share)) continue;
      if (active.fault.late === 'reply') late = active;
      else holds.push(this.#hold(active));
    }
    return late;
  }

  #reply(scanner: RespScanner, isFree: boolean): Treatment {
    const [name = '', ...channels] = scanner.words;
    // A subscriber of RESP2 gets its messages as arrays.
    const isArray = scanner.isArray && this.role === 'subscriber';
    const isPush = isArray && (messages.has(name) || confirmations.has(name));
    if (!scanner.isPush && !isPush) {
      const late = this.#places.replied(scanner.isError);
      if (!late?.isActive || !isFree) return passing;
      return { isDropped: false, holds: [this.#hold(late)] };
    }
    if (confirmations.has(name)) this.#places.confirmed();
    const isLost = isFree && messages.has(name) && this.#isDropped(channels.at(-1) ?? '');
    return isLost ? dropping : passing;
  }

  #isDropped(channel: string): boolean {
    for (const active of this.#parts.faults) {
      if (!isKind(active, 'drop-channel')) continue;
      if (!matchesGlob(active.fault.channel, channel)) continue;
      if (!this.#isDrawn(active.fault.share)) continue;
      active.touched += 1;
      return true;
    }
    return false;
  }

  #hold(active: ActiveWireFault<SlowCommandFault>): Hold {
    active.touched += 1;
    return { active, untilMs: this.#parts.clock.monotonicMs() + active.fault.delayMs };
  }

  #isDrawn(share: number): boolean {
    return share >= 1 || this.#parts.random.fraction() < share;
  }
}

/** Of messages the channel as well, `pmessage` has its pattern before it. */
function replyWordsWanted(name: string): number {
  return name === 'pmessage' ? 3 : messages.has(name) ? 2 : 1;
}
