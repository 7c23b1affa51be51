import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import { relayCloseCodes } from '../../foundation/relay-protocol.ts';
import { rowMentions } from '../../foundation/row-mention.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { NameHolder, Registry } from '../../ports/registry.ts';
import { relayChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload, type RelayFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import { BrowserSeat } from './browser-seat.ts';
import { DaemonGuide } from './daemon-guide.ts';
import { holdWorkspace } from './daemon-hold.ts';
import { type DaemonHolder, nameOfDaemon } from './daemon-holder.ts';
import { DaemonSeat } from './daemon-seat.ts';
import { RedirectRules, type RelaySettings } from './redirect-rules.ts';
import type { BrowserArrival, DaemonArrival, RelayDoor, RelaySeat } from './relay-door.ts';
import { RelayPings } from './relay-pings.ts';
import { RelayPost } from './relay-post.ts';
import { type RelayPage, type RelayView, viewOf } from './relay-view.ts';
import { RelayWorkspace } from './relay-workspace.ts';

export interface RelayParts {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly settings: RelaySettings;
  /** Where the gateway of this node listens. */
  address(): string | null;
  session(): string | null;
}

/** From a hold that failed for a reason that passes to the next one. */
const holdAgainMs = 1_000;

const pageRows = 500;

/**
 * Passes letters between the browsers of a workspace and its daemon, wherever each is connected. A
 * letter goes to the connection the other side has at that moment, in order, or is lost: the two
 * ends acknowledge to each other and repeat (`foundation/relay-protocol.ts`). Nothing is kept here.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #workspaces = new Map<string, RelayWorkspace>();
  readonly #post: RelayPost;
  readonly #pings: RelayPings;
  /** Connections that become a daemon at this moment. */
  readonly #holding = new Set<string>();
  readonly #doors = new WeakMap<DaemonSeat, RelayDoor>();
  #rules: RedirectRules | null = null;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#post = new RelayPost({
      ...parts,
      workspace: (name) => this.#workspaces.get(name) ?? null,
      notHere: (name, way) => this.#notHere(name, way),
    });
    this.#pings = new RelayPings({ ...parts, post: this.#post });
    parts.watch.onDeath((session) => this.#sessionDied(session));
  }

  /** Lets a browser in. Where its daemon is, it hears through the door. */
  browser(arrival: BrowserArrival, door: RelayDoor): RelaySeat {
    const { clock, counters, random } = this.#parts;
    const workspace = this.#open(arrival.workspace);
    const post = this.#post;
    const seat: BrowserSeat = new BrowserSeat({
      ...arrival,
      conn: random.token(10),
      door,
      clock,
      counters,
      redirectTarget: (holder) => this.#redirectTarget(workspace, holder),
      toDaemon: (to, letter, offset) => post.toDaemon(workspace, seat, to, letter, offset),
      askDaemon: (to, sent) => post.askDaemon(workspace, seat, to, sent),
      tellDaemon: (from, done) => post.tellDaemon(workspace, seat, from, done),
    });
    workspace.browsers.set(seat.conn, seat);
    const { holder } = workspace.guide;
    if (holder !== undefined) seat.follow(holder);
    return {
      take: (letter) => seat.take(letter),
      dropped: (frames) => this.#dropped(workspace, frames),
      leave: () => {
        seat.leave();
        workspace.browsers.delete(seat.conn);
        this.#post.browserLeft(workspace, seat);
        this.#closeLater(workspace);
      },
    };
  }

  /** Makes the connection the workspace's daemon; throws RELAY_DAEMON_TAKEN. */
  async daemon(arrival: DaemonArrival, door: RelayDoor): Promise<RelaySeat> {
    const { clock, counters, random } = this.#parts;
    const workspace = this.#open(arrival.workspace);
    const post = this.#post;
    const seat: DaemonSeat = new DaemonSeat({
      instance: arrival.instance,
      way: random.token(10),
      door,
      clock,
      counters,
      toBrowser: (to, letter, offset) => post.toBrowser(workspace, seat, to, letter, offset),
      askBrowser: (to, sent) => post.askBrowser(workspace, seat, to, sent),
      tellBrowser: (from, done) => post.tellBrowser(workspace, seat, from, done),
    });
    try {
      await this.#hold(workspace, seat, { take: arrival.take, isNew: true });
    } catch (error) {
      // It may be held all the same, and then by nobody.
      if (asBackplaneError(error).certainty === 'indefinite') void this.#letGo(workspace, seat);
      this.#closeLater(workspace);
      throw error;
    }
    this.#endDaemon(workspace);
    workspace.daemon = seat;
    this.#doors.set(seat, door);
    void this.#announce(workspace);
    return {
      take: (letter) => seat.take(letter),
      dropped: (frames) => this.#dropped(workspace, frames),
      leave: () => void this.#daemonLeft(workspace, seat),
    };
  }

  /** Where a browser of the workspace should go instead; null to come in here. */
  async redirectFor(name: string): Promise<string | null> {
    if (!this.#redirectRules().isOn) return null;
    const workspace = this.#open(name);
    try {
      await workspace.guide.refresh();
      const { holder } = workspace.guide;
      const url = holder ? this.#redirectTarget(workspace, holder) : null;
      if (url !== null) this.#parts.counters.add('relay_redirects_total');
      return url;
    } finally {
      this.#closeLater(workspace);
    }
  }

  receive(frame: RelayFrame): void {
    if (frame.what === 'ping' || frame.what === 'pong') this.#pings.receive(frame);
    else this.#post.receive(frame);
  }

  /** Milliseconds to the node with this session and back, through the bus. */
  ping(session: string, timeoutMs: number): Promise<number> {
    return this.#pings.ping(session, timeoutMs);
  }

  /** Whether browsers may be sent to this public URL, and where exactly they would go. */
  redirectUrl(publicUrl: string, workspace: string): string {
    const url = this.#redirectRules().target(publicUrl, workspace);
    if (url !== null) return url;
    throw this.#refused(publicUrl);
  }

  views(): RelayView[] {
    return [...this.#workspaces.values()].map(viewOf);
  }

  /** Those after a name that mention the filter, in order; or the one asked for. */
  page(only: string | null, after: string | null, filter = ''): RelayPage {
    const { nodeId, settings } = this.#parts;
    const views = [...this.#workspaces.values()]
      .filter(({ name }) => (only === null || name === only) && (after === null || name > after))
      .map(viewOf)
      .filter((view) =>
        rowMentions(filter, [view.workspace, view.daemon?.nodeId ?? 'nobody', nodeId]),
      )
      .sort((one, other) => (one.workspace < other.workspace ? -1 : 1));
    const shown = views.slice(0, pageRows);
    return {
      nodeId,
      publicUrl: settings.publicUrl,
      redirects: settings.redirect,
      workspaces: shown,
      next: views.length > shown.length ? (shown.at(-1)?.workspace ?? null) : null,
    };
  }

  /** Our own connections were away: whatever was told meanwhile is missing. */
  lookAgain(): void {
    for (const { guide } of this.#workspaces.values()) void guide.refresh();
  }

  /** What the session before held died with it. */
  sessionOpened(): void {
    for (const workspace of this.#workspaces.values()) void this.#holdAgain(workspace);
  }

  /** `crash` leaves the names as a kill would. */
  async stop(how: 'leave' | 'crash'): Promise<void> {
    this.#pings.stop();
    for (const workspace of [...this.#workspaces.values()]) {
      this.#workspaces.delete(workspace.name);
      for (const browser of workspace.browsers.values()) browser.leave();
      const { daemon } = workspace;
      workspace.daemon = null;
      daemon?.leave();
      if (daemon && how === 'leave') await this.#letGo(workspace, daemon);
      await workspace.guide.close();
    }
  }

  #open(name: string): RelayWorkspace {
    const known = this.#workspaces.get(name);
    if (known) return known;
    const guide: DaemonGuide = new DaemonGuide({
      ...this.#parts,
      workspace: name,
      ownSession: () => this.#parts.session(),
      found: (holder) => this.#found(workspace, holder),
    });
    const workspace = new RelayWorkspace(name, guide);
    this.#workspaces.set(name, workspace);
    return workspace;
  }

  #found(workspace: RelayWorkspace, holder: DaemonHolder | null): void {
    const { daemon } = workspace;
    // Taken by another, or forgotten by the broker: whoever asks for it finds out.
    if (daemon && holder?.way !== daemon.way) void this.#holdAgain(workspace);
    for (const browser of [...workspace.browsers.values()]) browser.follow(holder);
  }

  async #hold(workspace: RelayWorkspace, seat: DaemonSeat, how: { take: boolean; isNew: boolean }) {
    const session = this.#parts.session();
    if (session === null) throw new BackplaneError('SESSION_LOST', 'the node has no session now');
    const { instance, way } = seat;
    const parts = {
      ...this.#parts,
      publicUrl: this.#parts.settings.publicUrl,
      isHere: (other: string) => this.#isHere(workspace.name, other),
      ask: (name: string, holder: NameHolder) => this.#post.askHolder(name, holder),
    };
    this.#holding.add(way);
    try {
      const claim = { workspace: workspace.name, session, instance, way, ...how };
      await holdWorkspace(parts, claim);
    } finally {
      this.#holding.delete(way);
    }
  }

  #isHere(workspace: string, way: string): boolean {
    return this.#holding.has(way) || this.#workspaces.get(workspace)?.daemon?.way === way;
  }

  /** The broker lost the name, or our session was another: whoever is there now decides. */
  async #holdAgain(workspace: RelayWorkspace): Promise<void> {
    const { daemon } = workspace;
    if (!daemon) return;
    try {
      await this.#hold(workspace, daemon, { take: false, isNew: false });
      if (workspace.daemon === daemon) await this.#announce(workspace);
      else await this.#letGo(workspace, daemon);
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      const { logger, clock } = this.#parts;
      logger.event('warn', 'relay.hold-failed', { workspace: workspace.name, code, message });
      if (workspace.daemon !== daemon) return void this.#letGo(workspace, daemon);
      if (code === 'RELAY_DAEMON_TAKEN') return this.#endDaemon(workspace);
      clock.after(holdAgainMs, () => {
        if (workspace.daemon === daemon) void this.#holdAgain(workspace);
      });
    }
  }

  /** Another daemon has the workspace. */
  #endDaemon(workspace: RelayWorkspace): void {
    const { daemon } = workspace;
    if (!daemon) return;
    workspace.daemon = null;
    daemon.leave();
    const reason = 'another daemon has taken over the workspace';
    this.#doors.get(daemon)?.end(relayCloseCodes.daemonTaken, reason);
    this.#closeLater(workspace);
  }

  async #daemonLeft(workspace: RelayWorkspace, seat: DaemonSeat): Promise<void> {
    seat.leave();
    if (workspace.daemon !== seat) return;
    workspace.daemon = null;
    await this.#letGo(workspace, seat);
    this.#closeLater(workspace);
  }

  /** Tried again while the session lives: a name nobody stands behind would keep daemons out. */
  async #letGo(workspace: RelayWorkspace, seat: DaemonSeat, session = this.#parts.session()) {
    const { registry, logger, clock } = this.#parts;
    if (session === null || session !== this.#parts.session()) return;
    const name = nameOfDaemon(workspace.name);
    try {
      if (await registry.letGo(name, session, seat.way)) await this.#announce(workspace);
    } catch (thrown) {
      const { code } = asBackplaneError(thrown);
      logger.event('warn', 'relay.let-go-failed', { workspace: workspace.name, code });
      clock.after(holdAgainMs, () => void this.#letGo(workspace, seat, session));
    }
  }

  /** Somebody looks for a daemon here: if we hold its name, it is for nobody. */
  #notHere(name: string, way: string): void {
    const session = this.#parts.session();
    if (session === null || this.#isHere(name, way)) return;
    // Its answer says whether it was held; who asked looks again by itself.
    this.#parts.registry.letGo(nameOfDaemon(name), session, way).catch(() => {});
  }

  async #announce({ name, guide }: RelayWorkspace): Promise<void> {
    const news = { kind: 'relay-news', workspace: name, payload: noPayload } as const;
    const told = this.#parts.outbox.send(relayChannel(name), news).catch(() => 0);
    await Promise.all([told, guide.refresh()]);
  }

  #redirectTarget(workspace: RelayWorkspace, holder: DaemonHolder): string | null {
    const rules = this.#redirectRules();
    if (!rules.isOn || holder.publicUrl === null) return null;
    if (holder.session === this.#parts.session()) return null;
    const url = rules.target(holder.publicUrl, workspace.name);
    if (url === null) void this.#refused(holder.publicUrl);
    else workspace.redirects += 1;
    return url;
  }

  #refused(publicUrl: string): BackplaneError {
    const { counters, logger } = this.#parts;
    counters.add('relay_redirects_refused_total');
    const shown = publicUrl.slice(0, 200);
    logger.event('warn', 'relay.redirect-refused', { publicUrl: shown });
    const why = `no browser is sent to ${JSON.stringify(shown)}: its host is not allowed`;
    return new BackplaneError('RELAY_REDIRECT_REFUSED', why, { facts: { publicUrl: shown } });
  }

  #redirectRules(): RedirectRules {
    // Not in the constructor: the gateway may get its address later.
    this.#rules ??= new RedirectRules(this.#parts.settings, this.#parts.address());
    return this.#rules;
  }

  #dropped(workspace: RelayWorkspace, frames: number): void {
    workspace.dropped += frames;
    this.#parts.counters.add('relay_frames_dropped_total', frames);
  }

  #sessionDied(session: string): void {
    for (const { guide, daemon } of this.#workspaces.values()) {
      daemon?.forgetSession(session);
      if (guide.holder?.session === session) void guide.refresh();
    }
  }

  #closeLater(workspace: RelayWorkspace): void {
    if (!workspace.isEmpty) return;
    this.#parts.clock.after(protocol.unsubscribeGraceMs, () => {
      if (!workspace.isEmpty || this.#workspaces.get(workspace.name) !== workspace) return;
      this.#workspaces.delete(workspace.name);
      void workspace.guide.close();
    });
  }
}

/** For the metrics of a node, running or not. */
export function relayGauges(relay: Relay | undefined): Record<string, number> {
  const views = relay?.views() ?? [];
  const sum = (of: (view: RelayView) => number) =>
    views.reduce((total, view) => total + of(view), 0);
  return {
    relay_browsers: sum(({ browsers }) => browsers),
    relay_daemons: sum(({ isDaemonHere }) => Number(isDaemonHere)),
    relay_queued_bytes: sum(({ queuedBytes }) => queuedBytes),
  };
}
